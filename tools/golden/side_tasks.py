"""Golden values of what is learned beside captions, forward and backward, from PyTorch in double precision.

  scores.   v [6,5] weight [7,5] bias [7] scores [6,7]; loss = mean T^2 KL(softmax(scores/T) || softmax(z/T)) of
            z = v weight^T + bias at T = 2; gradients of 0.7 loss: gradient.v .weight .bias
  labels.   v [6,5] weight [4,5] (M) output [9,4] (W_out); classes are the means of the rows of W_out of the words
            [3], [4, 5], [8, 3, 6]; targets [6]; loss = mean cross-entropy of (v M^T) classes^T; gradients of 0.7 loss:
            gradient.v .weight .output

`python3 tools/golden/side_tasks.py` writes Tests/LayersTests/Fixtures/side_tasks.safetensors.
"""

import torch

from fixtures import destination, write_tensors
from splitmix import Random

WEIGHT, TEMPERATURE = 0.7, 2
WORDS = [[3], [4, 5], [8, 3, 6]]
TARGETS = [0, 2, 1, 1, 0, 2]


def uniform(shape, limit, *stream):
    return torch.from_numpy(Random(4321, *stream).tensor(shape, limit)).double()


def results(prefix, given: dict, loss) -> dict:
    (WEIGHT * loss).backward()
    tensors = {f"{prefix}.{name}": value for name, value in given.items()} | {f"{prefix}.loss": loss.reshape(1)}
    return tensors | {f"{prefix}.gradient.{name}": value.grad for name, value in given.items() if value.requires_grad}


def scores():
    p = {name: uniform(shape, 1.0, 500, i).requires_grad_()
         for i, (name, shape) in enumerate([("v", [6, 5]), ("weight", [7, 5]), ("bias", [7])])}
    teacher = uniform([6, 7], 6.0, 500, 9)
    z = torch.nn.functional.linear(p["v"], p["weight"], p["bias"])
    loss = TEMPERATURE ** 2 * torch.nn.functional.kl_div(
        (z / TEMPERATURE).log_softmax(1), (teacher / TEMPERATURE).log_softmax(1), reduction="batchmean",
        log_target=True)
    return results("scores", p | {"scores": teacher}, loss)


def labels():
    p = {name: uniform(shape, 1.0, 501, i).requires_grad_()
         for i, (name, shape) in enumerate([("v", [6, 5]), ("weight", [4, 5]), ("output", [9, 4])])}
    classes = torch.stack([p["output"][words].mean(0) for words in WORDS])
    logits = p["v"] @ p["weight"].T @ classes.T
    return results("labels", p, torch.nn.functional.cross_entropy(logits, torch.tensor(TARGETS)))


def main() -> None:
    write_tensors(destination("LayersTests", "side_tasks.safetensors"), scores() | labels(),
                  "tools/golden/side_tasks.py")


if __name__ == "__main__":
    main()
