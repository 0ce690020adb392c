"""Where the fixtures of the tests go, and how they are written: the same bytes on every run."""

import json
import os
import pathlib

import numpy as np


def destination(target: str, name: str) -> pathlib.Path:
    """Tests/TARGET/Fixtures/NAME, in the repository or under $GOLDEN_OUTPUT."""
    root = os.environ.get("GOLDEN_OUTPUT") or pathlib.Path(__file__).resolve().parents[2]
    path = pathlib.Path(root) / "Tests" / target / "Fixtures" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def write_json(path: pathlib.Path, value) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n")


def write_tensors(path: pathlib.Path, tensors: dict, description: str) -> None:
    """A safetensors file of float32 tensors. One metadata key only: the library writes several in no order."""
    from safetensors.numpy import save_file

    arrays = {}
    for name, value in tensors.items():
        if hasattr(value, "detach"):
            value = value.detach().cpu().numpy()
        array = np.ascontiguousarray(np.asarray(value), dtype=np.float32)
        assert np.isfinite(array).all(), name
        arrays[name] = array
    save_file(arrays, str(path), metadata={"description": description})
    print(f"{path}: {len(arrays)} tensors, {path.stat().st_size / 1024:.0f} KB")
