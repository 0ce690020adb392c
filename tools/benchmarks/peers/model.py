"""The captioner in PyTorch that the peers run: tools/export's, of a model file."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "export"))

from captioner_torch import Captioner  # noqa: E402

Model = Captioner.load
