"""Files such as Torch 7's `torch.save` writes (torch7's File.lua, Tensor.c, Storage.c), and what they hold.

Written from the format's definition, in binary with longs of 8 or 4 bytes, and as text; `torchfile` from PyPI, an
independent reader of the binary form, must read back what was written.
`python3 tools/golden/torch7.py` writes Tests/WeightFilesTests/Fixtures/torch7/*.t7.
"""

import struct

import numpy as np

from fixtures import destination

KINDS = {"u1": "Byte", "i1": "Char", "i2": "Short", "i4": "Int", "i8": "Long", "f2": "Half", "f4": "Float", "f8": "Double"}


class Object:
    """An object of a Torch class: a table of fields."""

    def __init__(self, name, fields, version="V 1"):
        self.name, self.fields, self.version = name, fields, version


class Function:
    """A Lua function: byte code that nobody runs."""

    def __init__(self, code, captured):
        self.code, self.captured = code, captured


class Tensor:
    """A view of a storage, which tensors may share."""

    def __init__(self, storage, shape, strides=None, offset=0, cuda=False):
        self.storage, self.shape, self.offset, self.cuda = storage, shape, offset, cuda
        self.strides = strides or [int(np.prod(shape[i + 1 :])) for i in range(len(shape))]


class Writer:
    """`torch.save`, one value."""

    def __init__(self, text=False, long_size=8):
        self.text, self.long_size = text, long_size
        self.out, self.numbers, self.keep = bytearray(), {}, []

    def int(self, value):
        self.out += f"{value}\n".encode() if self.text else struct.pack("<i", value)

    def long(self, *values):
        if self.text:
            self.out += (" ".join(str(value) for value in values) + "\n").encode() if values else b""
        else:
            self.out += b"".join(struct.pack("<q" if self.long_size == 8 else "<i", value) for value in values)

    def string(self, value):
        value = value.encode() if isinstance(value, str) else value
        self.int(len(value))
        self.out += value + (b"\n" if self.text and value else b"")

    def storage(self, array):
        self.long(len(array))
        if not self.text or array.itemsize == 1:
            if array.dtype == np.int64 and self.long_size == 4:
                array = array.astype(np.int32)
            self.out += array.tobytes() + (b"\n" if self.text and len(array) else b"")
        elif len(array):
            form = "%d" if array.dtype.kind == "i" else "%.17g" if array.dtype == np.float64 else "%.9g"
            self.out += (" ".join(form % value for value in array) + "\n").encode()

    def known(self, value):
        """Writes the number of an object; whether it was written before."""
        found = self.numbers.get(id(value))
        if found is None:
            self.keep.append(value)
            self.numbers[id(value)] = len(self.numbers) + 1
        self.int(self.numbers[id(value)])
        return found is not None

    def named(self, kind, array, cuda):
        name = KINDS[array.dtype.str[1:]]
        prefix = ("Cuda" if name == "Float" else "Cuda" + name) if cuda else name
        self.string("V 1")
        self.string(f"torch.{prefix}{kind}")

    def write(self, value):
        if value is None:
            self.int(0)
        elif isinstance(value, bool):
            self.int(5)
            self.int(int(value))
        elif isinstance(value, (int, float)):
            self.int(1)
            self.out += f"{value:.17g}\n".encode() if self.text else struct.pack("<d", value)
        elif isinstance(value, (str, bytes)):
            self.int(2)
            self.string(value)
        elif isinstance(value, (dict, list)):
            self.int(3)
            if self.known(value):
                return
            pairs = value.items() if isinstance(value, dict) else list(enumerate(value, start=1))
            self.int(len(pairs))
            for key, item in pairs:
                self.write(key)
                self.write(item)
        elif isinstance(value, Function):
            self.int(8)
            if not self.known(value):
                self.string(value.code)
                self.write(value.captured)
        elif isinstance(value, np.ndarray):
            self.write(Tensor(self.flat(value), list(value.shape)) if value.size else Tensor(value.reshape(-1), []))
        else:
            self.int(4)
            if self.known(value):
                return
            if isinstance(value, Object):
                if value.version:
                    self.string(value.version)
                self.string(value.name)
                self.write(value.fields)
            elif isinstance(value, Storage):
                self.named("Storage", value.array, value.cuda)
                self.storage(value.array)
            else:
                array = value.storage.array if isinstance(value.storage, Storage) else value.storage
                self.named("Tensor", array, value.cuda)
                self.int(len(value.shape))
                self.long(*value.shape)
                self.long(*value.strides)
                self.long(value.offset + 1)
                self.write(value.storage if isinstance(value.storage, Storage) else
                           Storage(array, value.cuda) if value.shape else None)

    @staticmethod
    def flat(array):
        return np.ascontiguousarray(array).reshape(-1)


class Storage:
    """Numbers in a row."""

    def __init__(self, array, cuda=False):
        self.array, self.cuda = array, cuda


def dumps(value, text=False, long_size=8):
    writer = Writer(text, long_size)
    writer.write(value)
    return bytes(writer.out)


def example():
    """Every kind of value that there is."""
    numbers = Storage(np.arange(24, dtype=np.float32) / 4)
    shared = {"a": 1}
    value = {
        "number": -1.5, "yes": True, "no": False, "text": "caf\u00e9\n", "empty": "", "list": ["a", "b", [3]],
        "keys": {2.5: "half", True: "yes", "5": "five"}, "shared": [shared, shared],
        "double": np.array([[1e-300, np.pi], [-0.0, 2.0]]), "float": Tensor(numbers, [2, 3, 4]),
        "transposed": Tensor(numbers, [3, 2], [4, 12], 1), "half": np.array([0.5, -2.0, 65504.0], np.float16),
        "long": np.array([1, -(2**31), 2**31 - 1]), "int": np.array([-5, 6], np.int32), "short": np.array([-300, 7], np.int16),
        "char": np.array([-1, 10, 127], np.int8), "byte": np.array([[0, 10, 255]], np.uint8),
        "cuda": Tensor(Storage(np.array([7.5, 8.5], np.float32), True), [2], cuda=True),
        "cuda double": Tensor(Storage(np.array([9.5]), True), [1], cuda=True),
        "none": np.zeros(0, np.float32), "storage": Storage(np.array([4, 5], np.int16)),
        "linear": Object("nn.Linear", {"weight": np.array([[1.0, 2.0]], np.float32), "train": False}),
        "old": Object("nn.Identity", {"a": 1}, version=None),
        "function": Function(b"\x1bLua\x00\n1", [{"name": "up", "value": 3}]),
    }
    value["itself"] = value
    return value


def check(value, read, seen):
    """What torchfile read is what was written."""
    import torchfile

    if id(value) in seen:
        return
    seen[id(value)] = value
    if isinstance(value, dict):
        for key, item in value.items():
            check(item, read[key.encode() if isinstance(key, str) else key], seen)
    elif isinstance(value, list):
        assert len(read) == len(value)
        for item, other in zip(value, read):
            check(item, other, seen)
    elif isinstance(value, Object):
        assert isinstance(read, torchfile.TorchObject) and read.torch_typename() == value.name.encode()
        check(value.fields, read._obj, seen)
    elif isinstance(value, Function):
        assert read.dumped == value.code
    elif isinstance(value, Storage):
        assert np.array_equal(read, value.array) and read.dtype == value.array.dtype
    elif isinstance(value, Tensor):
        array = value.storage.array
        strides = [stride * array.itemsize for stride in value.strides]
        expected = np.lib.stride_tricks.as_strided(array[value.offset :], value.shape, strides)
        assert np.array_equal(read, expected)
    elif isinstance(value, np.ndarray):
        assert np.array_equal(read, value) and read.dtype == value.dtype
    else:
        assert read == (value.encode() if isinstance(value, str) else value), (value, read)


def read_back(path, value):
    """Reads a binary file with torchfile, which knows no halves."""
    import torchfile

    for kind, dtype in (("Tensor", np.float16), ("Storage", np.float16)):
        add = torchfile.add_tensor_reader if kind == "Tensor" else torchfile.add_storage_reader
        add(f"torch.Half{kind}".encode(), dtype=dtype)
    check(value, torchfile.load(str(path), force_8bytes_long=False), {})


def main():
    value = example()
    for name, options in (("binary", {}), ("longs-of-4", {"long_size": 4}), ("text", {"text": True})):
        path = destination("WeightFilesTests", f"torch7/{name}.t7")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(dumps(value, **options))
        if name == "binary":
            read_back(path, value)
        print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
