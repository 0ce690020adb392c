"""Pickles as Python 2 with NumPy of its time wrote them."""

import io
import pickle
import struct
import types

import numpy as np


class Python2Pickler(pickle._Pickler):
    """Writes what Python 2's cPickle wrote: str for bytes and for text, NumPy under its old name."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_old_string(self, value):
        data = value.encode() if isinstance(value, str) else value
        if self.proto == 0:
            self.write(pickle.STRING + ("'" + data.decode("latin1").encode("unicode_escape").decode().replace("'", "\\'") + "'\n").encode())
        elif len(data) < 256:
            self.write(pickle.SHORT_BINSTRING + struct.pack("<B", len(data)) + data)
        else:
            self.write(pickle.BINSTRING + struct.pack("<i", len(data)) + data)
        self.memoize(value)

    dispatch[str] = save_old_string
    dispatch[bytes] = save_old_string

    def save_global(self, value, name=None):
        module = {"numpy._core.multiarray": "numpy.core.multiarray"}.get(value.__module__, value.__module__)
        self.write(pickle.GLOBAL + f"{module}\n{name or value.__name__}\n".encode())
        self.memoize(value)

    dispatch[types.FunctionType] = save_global

    def save_type(self, value):
        self.save_global(value)

    dispatch[type] = save_type


def python2(value, protocol):
    """A checkpoint of neuraltalk as such a pickle, which Python 3 reads back."""
    buffer = io.BytesIO()
    Python2Pickler(buffer, protocol, fix_imports=True).dump(value)
    read = pickle.loads(buffer.getvalue(), encoding="latin1")
    for name, array in value["model"].items():
        assert np.array_equal(read["model"][name], array) and read["model"][name].dtype == array.dtype, name
    assert read["ixtoword"] == value["ixtoword"]
    return buffer.getvalue()
