"""Features of images as other programs write them: NumPy's archives and folders of arrays, and HDF5.

All hold the same: three images 391895, 7 and 42 (photos/a.jpg, b.jpg and ü.jpg), whose features are multiples of a quarter.
`python3 tools/golden/features.py` writes Tests/DatasetsTests/Fixtures/features.
"""

import h5py
import numpy as np

from fixtures import destination

NAMES = ["photos/a.jpg", "b.jpg", "ü.jpg"]
IDS = [391895, 7, 42]
VECTORS = (np.arange(12, dtype=np.float32).reshape(3, 4) - 5) / 4
REGIONS = (np.arange(24, dtype=np.float32).reshape(3, 2, 4) - 11) / 4


def main() -> None:
    folder = destination("DatasetsTests", "features")
    folder.mkdir(exist_ok=True)
    np.savez(folder / "named.npz", features=VECTORS, names=np.array(NAMES))
    np.savez(folder / "bytes.npz", features=VECTORS.astype("f8"), names=np.array([name.encode() for name in NAMES]))
    np.savez_compressed(folder / "ids.npz", features=REGIONS.astype("f2"), ids=np.array(IDS))
    np.savez(folder / "keyed.npz", **dict(zip(NAMES, VECTORS)))
    np.savez(folder / "unnamed.npz", features=VECTORS)
    for name, rows in [("fc", VECTORS), ("att", REGIONS)]:
        (folder / name).mkdir(exist_ok=True)
        for id, row in zip(IDS, rows):
            if name == "fc":
                np.save(folder / name / str(id), row)
            else:
                np.savez_compressed(folder / name / str(id), feat=row)
    with h5py.File(folder / "named.h5", "w") as file:
        file.create_dataset("features", data=REGIONS, chunks=(2, 2, 4), compression="gzip")
        file["names"] = NAMES
    with h5py.File(folder / "ids.h5", "w") as file:
        file["features"] = VECTORS.astype("f2")
        file["ids"] = np.array(IDS)
    with h5py.File(folder / "keyed.h5", "w") as file:
        for id, row in zip(IDS, REGIONS):
            file[str(id)] = row


if __name__ == "__main__":
    main()
