"""Small files of PyTorch and NumPy, and what they hold.

  WeightFilesTests/Fixtures/pytorch/NAME.pth
      types       every number type, as the numbers -2, -1, 0, 1 (0, 1, 2, 3 of unsigned ones; false and true)
      strided     a [3, 4] of 0 … 11; its transpose, its columns 1 and 3, one number for [2, 5], all parts of one storage
      checkpoint  epoch, a learning rate, and DataParallel's names of a network beside an optimiser's
      parameters  an nn.Sequential's state_dict with batch normalisation, its running statistics and its count
      each also as legacy-NAME.pth, without the zip archive; big-endian.pth and deflated.pth are types and strided, packed again
  WeightFilesTests/Fixtures/numpy/NAME.npy, .npz
      arrays.npz, packed.npz (compressed): f4, f8, f2, >f4, i8, u1, b1 and columns (Fortran's order); version1 to version3.npy;
      objects.npz, records.npy

  captionerTests/Fixtures/vgg.pth, vgg-legacy.pth, vgg.npz
      a checkpoint of two convolutions of 4 and 3 channels, each with a pool, FC layers of 4 and two classes, seeded

`python3 tools/golden/weight_files.py` writes all.
"""

import io
import warnings
import zipfile

import numpy as np
import torch

from fixtures import destination

SIGNED = {"float32": torch.float32, "float64": torch.float64, "float16": torch.float16, "bfloat16": torch.bfloat16,
          "int64": torch.int64, "int32": torch.int32, "int16": torch.int16, "int8": torch.int8}
UNSIGNED = {"uint8": torch.uint8, "uint16": torch.uint16, "uint32": torch.uint32, "uint64": torch.uint64}


def types() -> dict:
    made = {name: torch.arange(-2, 2).to(kind).reshape(2, 2) for name, kind in SIGNED.items()}
    made |= {name: torch.arange(4).to(kind).reshape(2, 2) for name, kind in UNSIGNED.items()}
    return made | {"bool": torch.tensor([False, True]), "none": torch.zeros(0, 3), "scalar": torch.tensor(1.5)}


def strided() -> dict:
    whole = torch.arange(12.0).reshape(3, 4)
    return {"whole": whole, "transposed": whole.T, "columns": whole[:, 1::2], "expanded": whole[1, 1].expand(2, 5)}


def checkpoint() -> dict:
    network = {"module.features.0.weight": torch.arange(6.0).reshape(2, 3), "module.features.0.bias": torch.ones(2)}
    optimizer = {"state": {0: {"step": 3, "exp_avg": torch.zeros(2)}}, "param_groups": [{"lr": 0.1, "params": [0]}]}
    return {"epoch": 7, "rate": 0.5, "note": "of a run", "state_dict": network, "optimizer": optimizer}


def parameters() -> dict:
    torch.manual_seed(1)
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.BatchNorm2d(2))
    return network.state_dict()


def again(data: bytes, change, **options) -> bytes:
    """A zip archive packed again by zipfile."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(result, "w", **options) as new:
        for info in old.infolist():
            new.writestr(zipfile.ZipInfo(info.filename), change(info.filename, old.read(info)),
                         compress_type=options.get("compression", zipfile.ZIP_STORED))
    return result.getvalue()


def pytorch():
    def saved(value, **options) -> bytes:
        data = io.BytesIO()
        torch.save(value, data, **options)
        return data.getvalue()

    def write(name, data):
        destination("WeightFilesTests", f"pytorch/{name}.pth").write_bytes(data)

    for name, value in [("types", types()), ("strided", strided()), ("checkpoint", checkpoint()),
                        ("parameters", parameters())]:
        write(name, saved(value))
        legacy = {key: tensor for key, tensor in value.items()
                  if not isinstance(tensor, torch.Tensor) or key not in ("uint16", "uint32", "uint64")}
        write("legacy-" + name, saved(legacy, _use_new_zipfile_serialization=False))

    def swapped(name, data):
        if name.endswith("byteorder"):
            return b"big"
        return np.frombuffer(data, "<f4").astype(">f4").tobytes() if "/data/" in name else data

    write("big-endian", again(saved(strided()), swapped))
    write("deflated", again(saved(strided()), lambda name, data: data, compression=zipfile.ZIP_DEFLATED))
    # A whole network, which is its class.
    write("network", saved(torch.nn.Sequential(torch.nn.Linear(1, 1))))


def numpy():
    numbers = np.arange(-3, 3).reshape(2, 3)
    arrays = {code: numbers.astype(code) for code in ("f4", "f8", "f2", ">f4", "i8")}
    arrays |= {"u1": np.arange(4, dtype="u1"), "b1": np.array([True, False]),
               "columns": np.asfortranarray(np.arange(24.0).reshape(2, 3, 4)), "layer/0/W": np.array(2.5)}
    np.savez(destination("WeightFilesTests", "numpy/arrays.npz"), **arrays)
    np.savez_compressed(destination("WeightFilesTests", "numpy/packed.npz"), **arrays)
    np.savez(destination("WeightFilesTests", "numpy/objects.npz"), a=np.array([None, "a"], dtype=object))
    np.save(destination("WeightFilesTests", "numpy/records.npy"), np.zeros(2, dtype=[("a", "f4"), ("b", "i4")]))
    for version in (1, 2, 3):
        with open(destination("WeightFilesTests", f"numpy/version{version}.npy"), "wb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            np.lib.format.write_array(file, numbers.astype("f4"), version=(version, 0))


def network():
    torch.manual_seed(2)
    shapes = {"features.0": [4, 3, 3, 3], "features.3": [3, 4, 3, 3], "classifier.0": [4, 147], "classifier.3": [4, 4],
              "classifier.6": [2, 4]}
    weights = {}
    for name, shape in shapes.items():
        weights[name + ".weight"] = torch.randn(shape) / np.prod(shape[1:]) ** 0.5
        weights[name + ".bias"] = torch.rand(shape[0])
    saved = {"epoch": 3, "state_dict": {"module." + name: value for name, value in weights.items()}}
    torch.save(saved, destination("captionerTests", "vgg.pth"))
    torch.save(saved, destination("captionerTests", "vgg-legacy.pth"), _use_new_zipfile_serialization=False)
    np.savez(destination("captionerTests", "vgg.npz"), **{name: value.numpy() for name, value in weights.items()})


def main():
    pytorch()
    network()
    numpy()


if __name__ == "__main__":
    main()
