"""Golden values of decoders of other cells than the LSTM: logits, loss and every gradient, from their equations.

Each cell is a step function here, `CELL(x, h, c, W_xh, W_hh, b, context) -> (h, c)`, named as in a model file; cells of
one state hand `c` through. All else is decoder.py's: its keys, under `CELL.` (one layer) and `CELL.deep.` (two).

  gru   Cho et al. 2014, the reset gate before the recurrent product, gates [r, z, n]:
        r, z = sigmoid(W x + U h + b + context);  n = tanh(W_n x + U_n (r h) + b_n + context_n);  h = (1 - z) n + z h

Computed in double precision, stored as float32.
`python3 tools/golden/cells.py` writes Tests/ModelsTests/Fixtures/cells.safetensors.
"""

import torch

from decoder import SIZES, case
from fixtures import destination, write_tensors


def gru(x, h, c, W_xh, W_hh, b, context):
    H = h.shape[1]
    sums = x @ W_xh.T + b + context
    r, z = torch.sigmoid(sums[:, : 2 * H] + h @ W_hh[: 2 * H].T).chunk(2, 1)
    n = torch.tanh(sums[:, 2 * H :] + (r * h) @ W_hh[2 * H :].T)
    return (1 - z) * n + z * h, c


CELLS = {gru: 3}  # gates


def main():
    torch.set_num_threads(1)
    tensors = {}
    for stream, (cell, gates) in enumerate(CELLS.items(), start=320):
        for name, size, layers in [("", "small", 1), ("deep.", "deep", 2)]:
            found = case(stream + 40 * (layers - 1), layers, SIZES[size], cell, gates)
            tensors |= {f"{cell.__name__}.{name}{key}": value for key, value in found.items()}
    write_tensors(destination("ModelsTests", "cells.safetensors"), tensors, __doc__)


if __name__ == "__main__":
    main()
