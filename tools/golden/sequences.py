"""Golden values of recurrent layers over sequences of vectors of unlike lengths, from torch.nn.LSTM and torch.nn.RNN over
pack_padded_sequence(enforce_sorted=False), states given at the beginning.

Four sequences of 2, 5, 1 and 3 steps, padded to 5; E=3, H=4. The loss is sum(y * dy) for a given dy. Gates of the LSTM are
in order [i, f, o, g] here, and a layer has one bias.

  lengths [4], and of CELL among lstm and rnn:
    CELL.x [4,5,3], CELL.y [4,5,4], zero beyond the ends, CELL.dy, CELL.h0 [4,4], lstm.c0 [4,4]
    CELL.weight_xh .weight_hh .bias
    CELL.gradient.NAME of each of x, h0, c0, weight_xh, weight_hh, bias

Computed in double precision, stored as float32.
`python3 tools/golden/sequences.py` writes Tests/LayersTests/Fixtures/sequences.safetensors.
"""

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from bidirectional import reordered
from fixtures import destination, write_tensors
from splitmix import Random

LENGTHS, E, H = [2, 5, 1, 3], 3, 4


def uniform(shape, limit, *stream):
    return torch.from_numpy(Random(1234, 430, *stream).tensor(shape, limit)).double()


def case(name: str, number: int) -> dict:
    is_lstm = name == "lstm"
    network = (torch.nn.LSTM if is_lstm else torch.nn.RNN)(E, H, batch_first=True).double()
    order = reordered if is_lstm else lambda rows: rows
    network.bias_hh_l0.data.zero_()
    own = {"weight_xh": network.weight_ih_l0, "weight_hh": network.weight_hh_l0, "bias": network.bias_ih_l0}
    tensors = {}
    for stream, (key, parameter) in enumerate(own.items()):
        tensors[key] = uniform(list(parameter.shape), 0.8, number, stream)
        parameter.data.copy_(order(tensors[key]))
    given = {"x": uniform([4, 5, E], 1.0, number, 3), "h0": uniform([4, H], 1.0, number, 4)}
    if is_lstm:
        given["c0"] = uniform([4, H], 1.0, number, 5)
    given = {key: value.requires_grad_() for key, value in given.items()}
    states = tuple(given[key][None] for key in ("h0", "c0") if key in given)
    packed = pack_padded_sequence(given["x"], torch.tensor(LENGTHS), batch_first=True, enforce_sorted=False)
    y, _ = pad_packed_sequence(network(packed, states if is_lstm else states[0])[0], batch_first=True)
    dy = uniform([4, 5, H], 1.0, number, 6)
    (y * dy).sum().backward()
    tensors |= given | {"y": y, "dy": dy}
    tensors |= {f"gradient.{key}": value.grad for key, value in given.items()}
    tensors |= {f"gradient.{key}": order(parameter.grad) for key, parameter in own.items()}
    return {f"{name}.{key}": value for key, value in tensors.items()}


def main():
    torch.set_num_threads(1)
    tensors = {"lengths": torch.tensor(LENGTHS)} | case("lstm", 0) | case("rnn", 1)
    write_tensors(destination("LayersTests", "sequences.safetensors"), tensors, __doc__)


if __name__ == "__main__":
    main()
