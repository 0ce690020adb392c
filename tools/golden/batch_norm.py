"""Batch normalisation from PyTorch in double precision: folded into a convolution, and learning.

layers (LayersTests/Fixtures/batch-norm.safetensors), of CASE among winograd [2,6,7,16] to 9 channels and direct [2,6,7,3]
to 8, each also with .pool: Conv2d, BatchNorm2d, ReLU and MaxPool2d of seeded numbers, twice over x and x2 in training
mode, then once over x in evaluation mode. Maps are NHWC.
  CASE.x .x2 .weight .bias .gamma .beta .running_mean .running_var
  CASE.y .dy [N,H',W',K] and CASE.gradient.x .weight .bias .gamma .beta of sum(y * dy) of the first
  CASE.after.running_mean .running_var after the second
  CASE.running.y, and .running.gradient.… of the third (the running statistics are those of CASE.after)

networks (ModelsTests/Fixtures/batch-norm.safetensors): torchvision's vgg11_bn to vgg19_bn, evaluation mode, whose tensors
Swift makes for itself: tensor i, in network order weight, bias, gamma, beta, running mean, running variance, …, comes from
Random(seed: 1234, stream: 1000 + DEPTH, i); weights uniform within ±sqrt(6 / (9 C)), biases and running means within ±0.1,
gamma and running variances 1 + within ±0.5, beta within ±0.2. The image is uniform within ±1 from stream 9999.
  vggN_bn.output   [1, h, w, 512] of [1, 48, 64, 3]

`python3 tools/golden/batch_norm.py` writes both.
"""

import torch
import torchvision

from fixtures import destination, write_tensors
from splitmix import Random, he_limit

CASES = {"winograd": (16, 9, False), "winograd.pool": (16, 9, True), "direct": (3, 8, False), "direct.pool": (3, 8, True)}


def uniform(shape, limit, *stream):
    return torch.from_numpy(Random(1234, *stream).tensor(shape, limit)).double()


def nchw(x):
    return x.permute(0, 3, 1, 2)


def layers() -> dict:
    tensors = {}
    for number, (case, (c, k, pools)) in enumerate(CASES.items()):
        stream = 600 + number
        convolution, norm = torch.nn.Conv2d(c, k, 3, padding=1).double(), torch.nn.BatchNorm2d(k).double()
        drawn = {"weight": uniform([k, c, 3, 3], 0.5, stream, 0), "bias": uniform([k], 0.5, stream, 1),
                 "gamma": 1 + uniform([k], 0.5, stream, 2), "beta": uniform([k], 0.5, stream, 3),
                 "running_mean": uniform([k], 0.5, stream, 4), "running_var": 1 + uniform([k], 0.5, stream, 5)}
        drawn = {name: value.float().double() for name, value in drawn.items()}
        convolution.weight.data, convolution.bias.data = drawn["weight"], drawn["bias"]
        norm.weight.data, norm.bias.data = drawn["gamma"], drawn["beta"]
        norm.running_mean, norm.running_var = drawn["running_mean"].clone(), drawn["running_var"].clone()
        model = torch.nn.Sequential(convolution, norm, torch.nn.ReLU(), *([torch.nn.MaxPool2d(2)] if pools else []))
        learned = {"weight": convolution.weight, "bias": convolution.bias, "gamma": norm.weight, "beta": norm.bias}
        x, x2 = uniform([2, 6, 7, c], 1.0, stream, 6), uniform([2, 6, 7, c], 1.0, stream, 7)
        dy = uniform([2, 3, 3, k] if pools else [2, 6, 7, k], 1.0, stream, 8)
        tensors |= {f"{case}.{name}": value for name, value in (drawn | {"x": x, "x2": x2, "dy": dy}).items()}

        def passed(prefix, given):
            given = given.clone().requires_grad_()
            y = model(nchw(given)).permute(0, 2, 3, 1)
            model.zero_grad()
            (y * dy).sum().backward()
            return {f"{prefix}.y": y, f"{prefix}.gradient.x": given.grad} | {
                f"{prefix}.gradient.{name}": parameter.grad.clone() for name, parameter in learned.items()}

        model.train()
        tensors |= passed(case, x)
        passed(case, x2)
        tensors |= {f"{case}.after.running_mean": norm.running_mean.clone(),
                    f"{case}.after.running_var": norm.running_var.clone()}
        model.eval()
        tensors |= passed(case + ".running", x)
    return tensors


def seeded(depth: int) -> torch.nn.Module:
    """torchvision's convolutions with numbers that Swift draws too."""
    model = getattr(torchvision.models, f"vgg{depth}_bn")(weights=None, init_weights=False).features
    number = 0

    def drawn(shape, limit, base=0.0):
        nonlocal number
        number += 1
        return (base + torch.from_numpy(Random(1234, 1000 + depth, number - 1).tensor(list(shape), limit))).float()

    for layer in model:
        if isinstance(layer, torch.nn.Conv2d):
            layer.weight.data = drawn(layer.weight.shape, he_limit(layer.weight[0].numel()))
            layer.bias.data = drawn(layer.bias.shape, 0.1)
        elif isinstance(layer, torch.nn.BatchNorm2d):
            layer.weight.data, layer.bias.data = drawn(layer.weight.shape, 0.5, 1.0), drawn(layer.weight.shape, 0.2)
            layer.running_mean, layer.running_var = drawn(layer.weight.shape, 0.1), drawn(layer.weight.shape, 0.5, 1.0)
    return model.eval()


def networks() -> dict:
    tensors = {}
    for depth in (11, 13, 16, 19):
        x = uniform([1, 48, 64, 3], 1.0, 1000 + depth, 9999)
        y = seeded(depth).double()(nchw(x)).permute(0, 2, 3, 1)
        tensors[f"vgg{depth}_bn.output"] = y
        print(depth, f"{(y > 0).double().mean().item():.2f} live, root mean square {y.square().mean().sqrt().item():.3g}")
    return tensors


def main():
    torch.set_num_threads(1)
    write_tensors(destination("LayersTests", "batch-norm.safetensors"), layers(), __doc__)
    with torch.inference_mode():
        write_tensors(destination("ModelsTests", "batch-norm.safetensors"), networks(), __doc__)


if __name__ == "__main__":
    main()
