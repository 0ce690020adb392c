"""Golden values of a stack of two bidirectional LSTM layers over packed sequences, from torch.nn.LSTM.

Four sequences of 5, 3, 3 and 1 steps, packed time-major, the longest first; E=4, H=3. The loss is sum(y * dy) for a given
dy. Gates are in order [i, f, o, g] here, and each layer has one bias.

  x [12,4], y [12,6], dy, batch_sizes [5], gradient.x
  NAME and gradient.NAME of each parameter: lstm.weight_xh [12,4] .weight_hh [12,3] .bias [12], the same of lstm_reverse,
  which reads from the end, and of lstm1 and lstm1_reverse, whose weight_xh is [12,6]

Computed in double precision, stored as float32.
`python3 tools/golden/bidirectional.py` writes Tests/LayersTests/Fixtures/bidirectional.safetensors.
"""

import torch
from torch.nn.utils.rnn import PackedSequence

from fixtures import destination, write_tensors
from splitmix import Random

E, H, LAYERS = 4, 3, 2
LENGTHS = [5, 3, 3, 1]


def uniform(shape, limit, *stream):
    return torch.from_numpy(Random(1234, *stream).tensor(shape, limit)).double()


def reordered(rows):
    """torch's gates [i, f, g, o] as [i, f, o, g]; the other way round too."""
    i, f, g, o = rows.chunk(4)
    return torch.cat([i, f, o, g])


def main():
    torch.set_num_threads(1)
    batch_sizes = [sum(length > t for length in LENGTHS) for t in range(max(LENGTHS))]
    x = uniform([sum(LENGTHS), E], 1.0, 420, 0).requires_grad_()
    dy = uniform([sum(LENGTHS), 2 * H], 1.0, 420, 1)
    network = torch.nn.LSTM(E, H, num_layers=LAYERS, bidirectional=True).double()
    parts = {"weight_xh": "weight_ih", "weight_hh": "weight_hh", "bias": "bias_ih"}
    tensors, stream = {"x": x, "dy": dy, "batch_sizes": batch_sizes}, 2
    own = {}
    for layer in range(LAYERS):
        for suffix in ("", "_reverse"):
            getattr(network, f"bias_hh_l{layer}{suffix}").data.zero_()
            for name, theirs in parts.items():
                parameter = getattr(network, f"{theirs}_l{layer}{suffix}")
                value = uniform(list(parameter.shape), 0.8, 420, stream)
                stream += 1
                parameter.data.copy_(reordered(value))
                key = f"lstm{layer or ''}{suffix}.{name}"
                tensors[key], own[key] = value, parameter
    y = network(PackedSequence(x, torch.tensor(batch_sizes)))[0].data
    (y * dy).sum().backward()
    tensors |= {"y": y, "gradient.x": x.grad}
    tensors |= {f"gradient.{key}": reordered(parameter.grad) for key, parameter in own.items()}
    write_tensors(destination("LayersTests", "bidirectional.safetensors"), tensors, __doc__)


if __name__ == "__main__":
    main()
