"""Pickles of every protocol, of NumPy's arrays and PyTorch's tensors, and what they hold.

  WeightFilesTests/Fixtures/pickles/NAME.pkl   values.P.pkl plain values by protocol P, arrays.P.pkl NumPy's arrays, old.0.pkl
      and old.2.pkl written as Python 2's cPickle writes them
Numbers of arrays are those of `numbers`: (i * 7 mod 23) - 11, quarter steps.

`python3 tools/golden/pickles.py` writes all.
"""

import argparse
import collections
import pickle

import numpy as np

from fixtures import destination


def numbers(shape, scale=0.25):
    count = int(np.prod(shape))
    return ((np.arange(count) * 7 % 23 - 11) * scale).reshape(shape)


def values() -> dict:
    shared = ["shared", 1]
    return {
        "none": None, "true": True, "false": False, "small": 7, "byte": 255, "short": 65535, "negative": -5,
        "long": 1 << 40, "minus": -(1 << 62), "huge": 1 << 70, "float": -1.5, "text": "gr\u00fc\u00df \U0001F415\n\\u",
        "bytes": b"\x00\xff", "list": [1, [2, [3]]], "tuple": (), "pair": (1, "a"), "three": (1, 2, 3), "four": (1, 2, 3, 4),
        "set": {5}, "frozen": frozenset([6]), "ordered": collections.OrderedDict([("b", 1), ("a", 2)]),
        "default": collections.defaultdict(list, {"k": [1]}), "counter": collections.Counter("aab"),
        "one": shared, "other": shared, "options": argparse.Namespace(rnn_size=512, rnn_type="lstm", nothing=None),
        "keys": {1: "one", (1, 2): "pair"},
    }


def arrays() -> dict:
    kinds = ["<f4", ">f4", "<f8", "<f2", "<i8", "<i4", ">i2", "i1", "u1", "<u2", "<u4", "<u8"]
    made = {kind: numbers([2, 3], 0.25 if "f" in kind else 1).astype(kind) if "u" not in kind
            else np.arange(6).reshape(2, 3).astype(kind) for kind in kinds}
    return made | {
        "bool": np.array([True, False]), "columns": np.asfortranarray(numbers([2, 3, 2]).astype("f4")),
        "none": np.zeros([0, 3], "f4"), "scalar": np.float64(2.5), "single": np.float32(0.5), "whole": np.int64(-3),
        "yes": np.bool_(True), "point": np.array(1.25), "objects": np.array(["a", None], dtype=object),
        "texts": np.array(["ab", "c"]),
    }


# As cPickle of Python 2 writes an object of a class, and a NumPy array of that time; checked with Python 2.7 and NumPy 1.16.
OLD_0 = b"""(dp1
S'model'
p2
(dp3
S'Wd'
p4
cnumpy.core.multiarray
_reconstruct
p5
(cnumpy
ndarray
p6
(I0
tS'b'
tRp7
(I1
(I1
I2
tcnumpy
dtype
p8
(S'f4'
I0
I1
tRp9
(I3
S'<'
NNNI-1
I-1
I0
tbI00
S'\\x00\\x00\\x80?\\x00\\x00\\x00\\xc0'
tbssS'params'
p10
ccopy_reg
_reconstructor
p11
(cargparse
Namespace
p12
c__builtin__
object
p13
NtRp14
(dp15
S'image\\'s "size"\\n'
p16
I4096
sS'on'
I01
sS'rate'
F0.001
sS'seen'
L12L
sV\\u4e00\\xe9
Vword
sbs."""

OLD_2 = (b"\x80\x02}q\x01(U\x05modelq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04K\x00\x85U\x01b\x87Rq"
         b"\x05(K\x01K\x01K\x02\x86cnumpy\ndtype\nq\x06U\x02f8K\x00K\x01\x87Rq\x07(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xff"
         b"K\x00tb\x89U\x10\x00\x00\x00\x00\x00\x00\xf0?\x00\x00\x00\x00\x00\x00\x04\xc0tbU\x03losq\x08cnumpy.core.multiarray\nscalar\n"
         b"h\x07U\x08\x00\x00\x00\x00\x00\x00\xf8?\x86RU\x03ppqq\tG?\xf0\x00\x00\x00\x00\x00\x00u.")


def main():
    def write(name, data):
        destination("WeightFilesTests", f"pickles/{name}.pkl").write_bytes(data)

    for protocol in range(6):
        write(f"values.{protocol}", pickle.dumps(values(), protocol))
        write(f"arrays.{protocol}", pickle.dumps(arrays(), protocol))
    for name, data in [("old.0", OLD_0), ("old.2", OLD_2)]:
        print(name, pickle.loads(data, encoding="latin1"))
        write(name, data)


if __name__ == "__main__":
    main()
