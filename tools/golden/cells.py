"""Golden values of decoders of other cells than the LSTM: logits, loss and every gradient, from their equations.

Each cell is a step function here, `step(x, h, c, w, context) -> (h, c)`, `w` a layer's weights by name; cells of one
state hand `c` through. All else is decoder.py's: its keys, under `CELL.` (one layer) and `CELL.deep.` (two), CELL as in a
model file. `lstm.residual.` is three layers of LSTM, of which the second and third pass on h + what they read (Wu et al.
2016).

  gru             Cho et al. 2014, the reset gate before the recurrent product, gates [r, z, n]:
                  r, z = sigmoid(W x + U h + b + context);  n = tanh(W_n x + U_n (r h) + b_n + context_n)
                  h = (1 - z) n + z h
  lstm-peephole   Gers & Schmidhuber 2000, Graves 2013, gates [i, f, o, g]: i += p_i c, f += p_f c, o += p_o c_new
  lstm-coupled    f = 1 - i, gates [i, o, g]
  lstm-no-forget  f = 1, gates [i, o, g]
  lstm-maxout     ImageCaptioning.pytorch, gates [i, f, o, g1, g2]: max(g1, g2) for tanh(g)
  lstm-linear     neuraltalk, gates [i, f, o, g]: h = o c without tanh
  mut1            Jozefowicz et al. 2015, gates [z, r, n], W_xh of z and r, W_hh of r and n, E = H:
                  z = sigmoid(W_z x + b_z);  r = sigmoid(W_r x + U_r h + b_r);  n = tanh(tanh(x) + U_n (r h) + b_n)
                  h = z n + (1 - z) h;  the context is added beside b
  mut2            gates [r, z, n], W_xh of z and n, E = H:
                  r = sigmoid(x + U_r h + b_r);  z = sigmoid(W_z x + U_z h + b_z);  n = tanh(W_n x + U_n (r h) + b_n)
  mut3            gates [r, z, n]: z = sigmoid(W_z x + U_z tanh(h) + b_z), r and n as the gru's
  min-gru         Feng et al. 2024, gates [z, n], no W_hh: z = sigmoid(W_z x + b_z);  n = W_n x + b_n;  h = (1 - z) h + z n
  rnn, irnn       h = tanh or ReLU of W x + U h + b + context

Computed in double precision, stored as float32.
`python3 tools/golden/cells.py` writes Tests/ModelsTests/Fixtures/cells.safetensors.
"""

import torch

from decoder import LSTM, SIZES, Cell, case
from fixtures import destination, write_tensors


def sums(x, h, w, context):
    return x @ w["weight_xh"].T + h @ w["weight_hh"].T + w["bias"] + context


def gru(x, h, c, w, context):
    H = h.shape[1]
    of_input = x @ w["weight_xh"].T + w["bias"] + context
    r, z = torch.sigmoid(of_input[:, : 2 * H] + h @ w["weight_hh"][: 2 * H].T).chunk(2, 1)
    n = torch.tanh(of_input[:, 2 * H :] + (r * h) @ w["weight_hh"][2 * H :].T)
    return (1 - z) * n + z * h, c


def memory(i, f, o, g, c):
    c = f * c + i * g
    return o * torch.tanh(c), c


def lstm_peephole(x, h, c, w, context):
    i, f, o, g = sums(x, h, w, context).chunk(4, 1)
    p_i, p_f, p_o = w["peephole"]
    new = torch.sigmoid(f + p_f * c) * c + torch.sigmoid(i + p_i * c) * torch.tanh(g)
    return torch.sigmoid(o + p_o * new) * torch.tanh(new), new


def lstm_coupled(x, h, c, w, context):
    i, o, g = sums(x, h, w, context).chunk(3, 1)
    return memory(torch.sigmoid(i), 1 - torch.sigmoid(i), torch.sigmoid(o), torch.tanh(g), c)


def lstm_no_forget(x, h, c, w, context):
    i, o, g = sums(x, h, w, context).chunk(3, 1)
    return memory(torch.sigmoid(i), 1, torch.sigmoid(o), torch.tanh(g), c)


def lstm_maxout(x, h, c, w, context):
    i, f, o, g1, g2 = sums(x, h, w, context).chunk(5, 1)
    return memory(torch.sigmoid(i), torch.sigmoid(f), torch.sigmoid(o), torch.max(g1, g2), c)


def lstm_linear(x, h, c, w, context):
    i, f, o, g = sums(x, h, w, context).chunk(4, 1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * c, c


def mut1(x, h, c, w, context):
    (W_z, W_r), (U_r, U_n) = w["weight_xh"].chunk(2), w["weight_hh"].chunk(2)
    b_z, b_r, b_n = (w["bias"] + context).chunk(3, 1)
    z = torch.sigmoid(x @ W_z.T + b_z)
    r = torch.sigmoid(x @ W_r.T + h @ U_r.T + b_r)
    return torch.tanh((r * h) @ U_n.T + torch.tanh(x) + b_n) * z + h * (1 - z), c


def mut2(x, h, c, w, context):
    (W_z, W_n), (U_r, U_z, U_n) = w["weight_xh"].chunk(2), w["weight_hh"].chunk(3)
    b_r, b_z, b_n = (w["bias"] + context).chunk(3, 1)
    z = torch.sigmoid(x @ W_z.T + h @ U_z.T + b_z)
    r = torch.sigmoid(x + h @ U_r.T + b_r)
    return torch.tanh((r * h) @ U_n.T + x @ W_n.T + b_n) * z + h * (1 - z), c


def mut3(x, h, c, w, context):
    (W_r, W_z, W_n), (U_r, U_z, U_n) = w["weight_xh"].chunk(3), w["weight_hh"].chunk(3)
    b_r, b_z, b_n = (w["bias"] + context).chunk(3, 1)
    z = torch.sigmoid(x @ W_z.T + torch.tanh(h) @ U_z.T + b_z)
    r = torch.sigmoid(x @ W_r.T + h @ U_r.T + b_r)
    return torch.tanh((r * h) @ U_n.T + x @ W_n.T + b_n) * z + h * (1 - z), c


def min_gru(x, h, c, w, context):
    z, n = (x @ w["weight_xh"].T + w["bias"] + context).chunk(2, 1)
    z = torch.sigmoid(z)
    return (1 - z) * h + z * n, c


def rnn(x, h, c, w, context):
    return torch.tanh(sums(x, h, w, context)), c


def irnn(x, h, c, w, context):
    return torch.relu(sums(x, h, w, context)), c


CELLS = [
    Cell("gru", gru, 3),
    Cell("lstm-peephole", lstm_peephole, 4, peepholes=3),
    Cell("lstm-coupled", lstm_coupled, 3),
    Cell("lstm-no-forget", lstm_no_forget, 3),
    Cell("lstm-maxout", lstm_maxout, 5),
    Cell("mut1", mut1, 3, input_gates=2, recurrent_gates=2),
    Cell("mut2", mut2, 3, input_gates=2),
    Cell("mut3", mut3, 3),
    Cell("min-gru", min_gru, 2, recurrent_gates=0),
    Cell("rnn", rnn, 1),
    Cell("irnn", irnn, 1),
    Cell("lstm-linear", lstm_linear, 4),
]
# V E H D F: smaller than decoder.py's, so that the file is.
TINY, SQUARE = (11, 5, 6, 5, 6), (11, 6, 6, 5, 6)


def main():
    torch.set_num_threads(1)
    tensors = {}

    def add(prefix, stream, layers, sizes, cell, residual=False):
        found = case(stream, layers, sizes, cell, residual)
        tensors.update({f"{prefix}.{key}": value for key, value in found.items()})

    for stream, cell in enumerate(CELLS, start=320):
        one, two = (SIZES["small"], SIZES["deep"]) if cell.name == "gru" else (TINY, TINY)
        if cell.input_gates is not None:  # a gate reads x itself
            one, two = SQUARE, SQUARE
        add(cell.name, stream, 1, one, cell)
        add(cell.name + ".deep", stream + 40, 2, two, cell)
    add("lstm.residual", 400, 3, TINY, LSTM, residual=True)
    write_tensors(destination("ModelsTests", "cells.safetensors"), tensors, __doc__)


if __name__ == "__main__":
    main()
