"""Gradients of the whole of VGG-16 on seeded weights: what fine-tuning computes.

Weights as vgg.py draws them. The images [2, 32, 32, 3] are uniform within ±1 from Random(seed: 1234, stream: 16, IMAGES);
the last maps are averaged to 2x2 and flattened [2, 2048], and the loss is the sum of that times a given gradient,
uniform within ±1 from Random(seed: 1234, stream: 16, 2001).

A gradient jumps where a sum before ReLU is zero or two pixels under a pool are equal. IMAGES is the first stream from
3000 on for which each of the half a million sums, and each pool's choice, is off such a place by 1e-5 of its layer's
root mean square, several times the rounding of any engine; `--search` finds it again (minutes).

References are computed in double precision and stored as float32; of each gradient with n scalars:
  N.weight, N.bias    [64], scalars (i * 7919 + 13) mod n, i = 0..<64, in torch's order [K, C, 3, 3]; N is torchvision's
                      index among `features`
  N.weight.sums, …    [2], L2 norm and plain sum of the whole

`python3 tools/golden/fine_tune.py` writes Tests/ModelsTests/Fixtures/fine-tune.safetensors (half a minute, 1 GB).
"""

import argparse
import itertools

import torch
from torch.nn import functional as F

from fixtures import destination, write_tensors
from splitmix import Random
from vgg import SEED, network

IMAGES = 3002


def images(stream):
    return torch.from_numpy(Random(SEED, 16, stream).tensor([2, 32, 32, 3], 1)).double().permute(0, 3, 1, 2)


def margin(model, x, least):
    """The distance from the nearest jump over the layer's root mean square; stops at the first below `least`."""
    found = float("inf")
    with torch.no_grad():
        for layer in model:
            if isinstance(layer, torch.nn.MaxPool2d):
                windows = F.unfold(x.flatten(0, 1).unsqueeze(1), 2, stride=2)
                best = windows.topk(2, dim=1).values
                scale = x.square().mean().sqrt()
                gaps = (best[:, 0] - best[:, 1])[best[:, 0] > 0]
                found = min(found, (gaps.min() / scale).item())
            elif isinstance(layer, torch.nn.Conv2d):
                sums = layer(x)
                found = min(found, (sums.abs().min() / sums.square().mean().sqrt()).item())
            if found < least:
                break
            x = layer(x)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--search", action="store_true", help="look for IMAGES")
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = network(16)
    least = 1e-5
    if options.search:
        stream = next(s for s in itertools.count(3000) if margin(model, images(s), least) >= least)
        print("IMAGES =", stream)
        return
    x = images(IMAGES)
    print(f"nearest jump: {margin(model, x, 0):.2g}")
    pooled = F.adaptive_avg_pool2d(model(x), 2).flatten(1)
    (pooled * torch.from_numpy(Random(SEED, 16, 2001).tensor([2, 2048], 1)).double()).sum().backward()
    tensors = {}
    for name, parameter in model.named_parameters():
        gradient = parameter.grad.flatten()
        places = (torch.arange(64) * 7919 + 13) % gradient.numel()
        tensors[name] = gradient[places]
        tensors[name + ".sums"] = torch.stack([gradient.norm(), gradient.sum()])
        print(name, f"norm {gradient.norm().item():.3g}, sum {gradient.sum().item():.3g}")
    write_tensors(destination("ModelsTests", "fine-tune.safetensors"), tensors, __doc__)


if __name__ == "__main__":
    main()
