"""Golden values of the captioning LSTM: logits, loss and every gradient, from equations written out by hand.

    v       = ReLU(W_fc x + b_fc)                            one row an image
    gates_t = W_xh x_t + W_hh h_{t-1} + W_ih v + b           [i, f, o, g]; i, f, o sigmoid, g tanh
    c_t     = f c_{t-1} + i g;   h_t = o tanh(c_t)           h and c start at 0
    logits  = W_out h_t + b_out
    loss    = mean over all P live positions of -log softmax(logits)[target]

With several layers, x_t of layer l > 0 is h_t of the one below, without W_ih v; logits are of the top layer's h.
W_ih v is added at every step (`everyStep`) or at the first step only (`firstStep`).

Three sizes, `small` (V=23 E=7 H=9 D=11 F=13), `wide` (V=40 E=16 H=32 D=48 F=64) and `deep` (V=19 E=6 H=8 D=10 F=12,
two layers; layer 1 is decoder.lstm1), five captions of 7, 5, 5, 2
and 1 words, 3 images. Positions are packed time-major, longest caption first, as pack_padded_sequence does:
all first steps, then all second steps, …; `<s>` = 1 starts each caption, `</s>` = 2 ends it.

Keys, each under `SIZE.`:
  encoder.classifier.0.weight [D,F] .bias [D], decoder.embedding.weight [V,E], decoder.lstm.weight_xh [4H,E],
  decoder.lstm.weight_hh [4H,H], decoder.lstm.bias [4H], decoder.image_to_hidden.weight [4H,D],
  decoder.output.weight [V,H] .bias [V]          the parameters
  features [3,F], v [3,D], image_index [5]       row of `features` of each caption
  inputs [P], targets [P], batch_sizes [T]       the packed words; P = 25, T = 8
  caption_offsets [5]                            where each caption's words start in captions
  captions [20]                                  the words of the five captions, one after another
  INJECTION.logits [P,V], INJECTION.log_probs [P] (of each target), INJECTION.hidden [P,H], INJECTION.loss [1]
  INJECTION.caption_log_probs [5]                sum over each caption's words and </s>
  INJECTION.gradient.NAME                        of every parameter, and of `v`

Computed in double precision, stored as float32.
`python3 tools/golden/decoder.py` writes Tests/ModelsTests/Fixtures/decoder.safetensors.
"""

from dataclasses import dataclass
from typing import Callable

import torch

from fixtures import destination, write_tensors
from splitmix import Random, he_limit

SIZES = {"small": (23, 7, 9, 11, 13), "wide": (40, 16, 32, 48, 64), "deep": (19, 6, 8, 10, 12)}
LAYERS = {"deep": 2}
LENGTHS = [7, 5, 5, 2, 1]
IMAGES = [0, 1, 1, 2, 0]
START, END = 1, 2


def uniform(shape, limit, *stream):
    # Rounded to float32 first: the tests read what the equations used.
    return torch.from_numpy(Random(1234, *stream).tensor(shape, limit)).double()


def lstm(x, h, c, w, context):
    """One step of all rows: h, c and the states before; `w` a layer's weights by name; `context` is what the image adds
    to the sums."""
    i, f, o, g = (x @ w["weight_xh"].T + h @ w["weight_hh"].T + w["bias"] + context).chunk(4, 1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


@dataclass
class Cell:
    """A step function such as `lstm`, and for how many gates a layer has rows of H in its weights."""

    name: str
    step: Callable
    gates: int
    input_gates: int | None = None  # in weight_xh; as many as there are gates
    recurrent_gates: int | None = None  # in weight_hh; as many as there are gates, 0: there is none
    peepholes: int = 0  # rows [H] in peephole; 0: there is none

    def shapes(self, inputs, H):
        rows = [self.gates if n is None else n for n in (self.input_gates, self.recurrent_gates)]
        shapes = {"weight_xh": [rows[0] * H, inputs], "weight_hh": [rows[1] * H, H], "bias": [self.gates * H],
                  "peephole": [self.peepholes, H]}
        return {name: shape for name, shape in shapes.items() if shape[0] > 0}


LSTM = Cell("lstm", lstm, 4)


def parameters(stream, layers, V, E, H, D, F, cell=LSTM):
    shapes = {
        "encoder.classifier.0.weight": [D, F],
        "encoder.classifier.0.bias": [D],
        "decoder.embedding.weight": [V, E],
        **{f"decoder.{cell.name}.{name}": shape for name, shape in cell.shapes(E, H).items()},
        "decoder.image_to_hidden.weight": [cell.gates * H, D],
        "decoder.output.weight": [V, H],
        "decoder.output.bias": [V],
    }
    for layer in range(1, layers):
        shapes |= {f"decoder.{cell.name}{layer}.{name}": shape for name, shape in cell.shapes(H, H).items()}
    result = {}
    for i, (name, shape) in enumerate(shapes.items()):
        limit = 1.0 if name == "decoder.embedding.weight" else 0.3 if len(shape) == 1 else he_limit(shape[1])
        result[name] = uniform(shape, limit, stream, i).requires_grad_()
    return result


def forward(p, layers, features, image_index, inputs, batch_sizes, injection, cell=LSTM, residual=False):
    """What the top layer passes on at every step, packed [P, H], and v [N, D]."""
    v = torch.relu(features @ p["encoder.classifier.0.weight"].T + p["encoder.classifier.0.bias"])
    v.retain_grad()
    x = p["decoder.embedding.weight"][inputs]
    injected = (v @ p["decoder.image_to_hidden.weight"].T)[image_index]
    for layer in range(layers):
        prefix = f"decoder.{cell.name}{layer or ''}."
        w = {name.removeprefix(prefix): value for name, value in p.items() if name.startswith(prefix)}
        H = w["bias"].shape[0] // cell.gates
        h = c = torch.zeros(batch_sizes[0], H, dtype=torch.double)
        hidden, start = [], 0
        for t, live in enumerate(batch_sizes):
            sees = layer == 0 and (injection == "everyStep" or t == 0)
            h, c = cell.step(x[start : start + live], h[:live], c[:live], w,
                             injected[:live] if sees else torch.zeros_like(injected[:live]))
            hidden.append(h)
            start += live
        x = torch.cat(hidden) + (x if residual and layer > 0 else 0)
    return x, v


def case(stream, layers, sizes, cell=LSTM, residual=False):
    V, E, H, D, F = sizes
    names = parameters(stream, layers, V, E, H, D, F, cell)
    features = uniform([3, F], 1.0, stream, 100)
    words = (Random(1234, stream, 101).uniform(sum(LENGTHS)) * (V - 3)).astype(int) + 3  # 3 is <unk>
    captions, offsets = [], []
    for length in LENGTHS:
        offsets.append(sum(LENGTHS[: len(captions)]))
        captions.append([int(word) for word in words[offsets[-1] : offsets[-1] + length]])
    steps = [([START] + caption, caption + [END]) for caption in captions]
    batch_sizes = [sum(length + 1 > t for length in LENGTHS) for t in range(max(LENGTHS) + 1)]
    inputs = [step[0][t] for t, live in enumerate(batch_sizes) for step in steps[:live]]
    targets = [step[1][t] for t, live in enumerate(batch_sizes) for step in steps[:live]]
    caption_of = [k for live in batch_sizes for k in range(live)]

    tensors = {name: p for name, p in names.items()}
    tensors |= {"features": features, "image_index": IMAGES, "inputs": inputs, "targets": targets,
                "batch_sizes": batch_sizes, "captions": words, "caption_offsets": offsets}
    for injection in ("everyStep", "firstStep"):
        for p in names.values():
            p.grad = None
        hidden, v = forward(names, layers, features, torch.tensor(IMAGES), torch.tensor(inputs), batch_sizes,
                            injection, cell, residual)
        logits = hidden @ names["decoder.output.weight"].T + names["decoder.output.bias"]
        log_probs = torch.log_softmax(logits, 1)[torch.arange(len(targets)), torch.tensor(targets)]
        loss = -log_probs.mean()
        loss.backward()
        tensors["v"] = v
        tensors |= {f"{injection}.hidden": hidden, f"{injection}.logits": logits,
                    f"{injection}.log_probs": log_probs, f"{injection}.loss": loss.reshape(1),
                    f"{injection}.caption_log_probs": torch.zeros(5, dtype=torch.double).index_add(
                        0, torch.tensor(caption_of), log_probs)}
        tensors |= {f"{injection}.gradient.{name}": p.grad for name, p in names.items()}
        tensors[f"{injection}.gradient.v"] = v.grad
        print(f"{stream} {injection}: loss {loss.item():.6f}, {(v > 0).double().mean().item():.2f} of v live")
    return tensors


def main():
    torch.set_num_threads(1)
    tensors = {}
    for stream, (size, sizes) in enumerate(SIZES.items(), start=300):
        tensors |= {f"{size}.{name}": value for name, value in case(stream, LAYERS.get(size, 1), sizes).items()}
    write_tensors(destination("ModelsTests", "decoder.safetensors"), tensors, __doc__)


if __name__ == "__main__":
    main()
