"""HDF5 files written by h5py, and what they hold.

Each is written in the oldest and in the newest form of the format; `values.safetensors` holds every dataset of numbers
as float32, named FILE/PATH. Numbers are those of splitmix's Random(seed: 5, stream: i), i the place of
the dataset in its file, or integers that count up.

`python3 tools/golden/hdf5.py` writes Tests/WeightFilesTests/Fixtures/hdf5, and seeds for tools/fuzz (h5py 3; other versions of HDF5 may
write other bytes that say the same).
"""

import h5py
import numpy as np

from fixtures import destination, write_tensors
from splitmix import Random


def numbers(shape, index: int) -> np.ndarray:
    return Random(5, index).tensor(shape, 2)


def many_kinds(file: h5py.File) -> None:
    """Types, both orders of bytes, ways of lying in the file, attributes."""
    for index, kind in enumerate(["<f2", ">f2", "<f4", ">f4", "<f8", ">f8"]):
        file[f"floats/{kind[0] == '>' and 'big' or 'little'}{kind[1:]}"] = numbers([2, 3], index).astype(kind)
    for kind in ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"]:
        for order in "<>":
            name = f"integers/{order == '>' and 'big' or 'little'}{kind}"
            file[name] = (np.arange(6).reshape(2, 3) * 20 - (30 if kind[0] == "i" else 0)).astype(order + kind)
    file["flags"] = np.array([True, False, True])
    file["scalar"] = np.float32(1.5)
    file["none"] = np.zeros([0, 4], np.float32)
    file["empty"] = h5py.Empty("f4")
    file.create_dataset("unwritten", [3, 2], "f4")
    file.create_dataset("filled", [3, 2], "f4", fillvalue=2.5)
    compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    compact.set_layout(h5py.h5d.COMPACT)
    space = h5py.h5s.create_simple((2, 2))
    h5py.h5d.create(file.id, b"compact", h5py.h5t.IEEE_F32LE, space, compact).write(
        h5py.h5s.ALL, h5py.h5s.ALL, numbers([2, 2], 20))
    file["texts/fixed"] = np.array([b"a", b"bcd", b""])
    file["texts/variable"] = ["one", "zwei", "", "Übung"]
    file["compound"] = np.zeros(2, [("a", "f4"), ("b", "i4")])
    file["again"] = file["floats/littlef4"]
    file["elsewhere"] = h5py.SoftLink("/scalar")
    file.attrs["layer_names"] = np.array([b"block1_conv1", b"block1_pool"])
    file.attrs["keras_version"] = "2.2.4"
    file.attrs["numbers"] = np.array([1.5, -2], ">f8")
    file.attrs["count"] = 3
    file.attrs["names"] = ["a", "bc"]
    file["floats"].attrs["nothing"] = h5py.Empty("S1")
    # Circles, as links allow.
    file["integers/back"] = file["/"]


def many_chunks(file: h5py.File) -> None:
    """Every filter that is read, chunks that end beyond the edge, datasets that may grow or did."""
    x = numbers([7, 5], 0)
    file.create_dataset("plain", data=x, chunks=(2, 3))
    file.create_dataset("gzip", data=x, chunks=(2, 3), compression="gzip")
    file.create_dataset("shuffled", data=x, chunks=(3, 2), compression="gzip", shuffle=True)
    file.create_dataset("checked", data=x, chunks=(2, 2), compression="gzip", shuffle=True, fletcher32=True)
    file.create_dataset("sums", data=x.astype(">f2"), chunks=(3, 3), fletcher32=True)
    file.create_dataset("one", data=x, chunks=(7, 5), compression="gzip")
    file.create_dataset("deep", data=numbers([3, 4, 5, 2], 1), chunks=(2, 3, 2, 2), compression="gzip")
    file.create_dataset("texts", data=["first", "second", "third"], chunks=(2,), compression="gzip")
    holes = file.create_dataset("holes", [6, 4], "f4", chunks=(2, 2), fillvalue=-1)
    holes[2:4, 1:3] = 7
    both = file.create_dataset("both", data=x, chunks=(2, 3), maxshape=(None, None), compression="gzip")
    both.resize([5, 4])
    if file.libver[0] == "earliest":
        grown = file.create_dataset("grown", data=x[:2], chunks=(2, 5), maxshape=(None, 5))
        grown.resize([7, 5])
        grown[2:] = x[2:]


def many_members(file: h5py.File) -> None:
    """More names than a node of a tree takes, groups within groups, attributes that need a heap."""
    for number in range(30):
        file[f"group/member{number}"] = np.full([2], number, np.float32)
    file["a/b/c/d"] = numbers([2, 2], 0)
    for number in range(20):
        file.attrs[f"attribute{number}"] = number


def many_of_each(file: h5py.File) -> None:
    """Trees of several levels, heaps of blocks of blocks, arrays of several pages, some never written."""
    links, chunks = (1500, 2600) if file.libver[0] != "earliest" else (300, 150)
    file["value"] = np.float32(3)
    group = file.create_group("group")
    for number in range(links):
        group[f"link{number}"] = file["value"]
    file.create_dataset("chunks", data=np.arange(1100 if links == 1500 else chunks, dtype=np.uint16), chunks=(1,))
    pages = file.create_dataset("pages", [chunks], "u1", chunks=(1,), fillvalue=9, shuffle=True)
    pages[:20] = 1
    pages[-20:] = 2


def refused(file: h5py.File) -> None:
    """What is refused by name."""
    file.create_dataset("lzf", data=numbers([4, 4], 0), chunks=(2, 2), compression="lzf")
    file.create_dataset("growing", data=numbers([4, 4], 0), chunks=(2, 2), maxshape=(None, 4))
    layout = h5py.VirtualLayout((4, 4), "f4")
    layout[:] = h5py.VirtualSource(file["lzf"])
    file.create_virtual_dataset("virtual", layout)
    file.create_dataset("giant", [10**6, 10**4], "f4")
    file.create_dataset("chunked giant", [10**6, 10**4], "f4", chunks=(10, 10**4), compression="gzip")
    file["type"] = np.dtype("f4")
    file.create_dataset("committed", data=numbers([2, 2], 0), dtype=file["type"])


def seed_chunks(file: h5py.File) -> None:
    x = numbers([3, 4], 0)
    file.create_dataset("a", data=x, chunks=(2, 3), compression="gzip", shuffle=True, fletcher32=True)


def seed_names(file: h5py.File) -> None:
    file["a/b"] = np.arange(3)
    file["c"] = ["one", "two"]
    file.attrs["d"] = np.array([b"a", b"bcd"])


def seed_heaps(file: h5py.File) -> None:
    for number in range(9):
        file[f"{number}"] = np.float16(number)
        file.attrs[f"{number}"] = number


def seed_indexes(file: h5py.File) -> None:
    x = numbers([3, 4], 0)
    file.create_dataset("a", data=x, chunks=(2, 2), maxshape=(None, None), compression="gzip", shuffle=True)
    file.create_dataset("b", data=x.astype(">f2"), chunks=(3, 4), compression="gzip")
    file.create_dataset("c", data=x, chunks=(2, 2), compression="gzip", fletcher32=True)


def collected(file: h5py.File) -> dict:
    """The datasets of numbers, by path."""
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "fiub" and item.shape is not None:
            found[name] = np.asarray(item[()]).astype(np.float32)
    file.visititems(visit)
    return found


def main():
    values = {}
    makers = {"kinds": many_kinds, "chunks": many_chunks, "members": many_members, "many": many_of_each, "refused": refused}
    for name, make in makers.items():
        for version in {"members": ["earliest", "v108", "latest"], "refused": ["latest"]}.get(name, ["earliest", "latest"]):
            bounds = version if version != "v108" else ("v108", "v108")
            path = destination("WeightFilesTests", f"hdf5/{name}-{version}.h5")
            with h5py.File(path, "w", libver=bounds) as file:
                make(file)
            with h5py.File(path) as file:
                if name != "refused":
                    values |= {f"{name}-{version}/{key}": value for key, value in collected(file).items()}
            print(path.name, path.stat().st_size)
    for name, make, version in [("chunks", seed_chunks, "earliest"), ("names", seed_names, "earliest"),
                                ("heaps", seed_heaps, "latest"), ("indexes", seed_indexes, "latest")]:
        path = destination("ForeignFilesTests", f"hdf5/{name}.h5")
        with h5py.File(path, "w", libver=version) as file:
            make(file)
        print(path.name, path.stat().st_size)
    write_tensors(destination("WeightFilesTests", "hdf5/values.safetensors"), values, __doc__)


if __name__ == "__main__":
    main()
