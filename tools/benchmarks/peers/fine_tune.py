"""One step of fine-tuning VGG-16 at 224x224 in PyTorch: frozen convolutions without a graph, the rest with one, the last
map averaged to 2x2, a head of 2048 -> 4096 with ReLU, half the squared distance from random targets, backward, Adam.

    python3 fine_tune.py --layout channels_last|contiguous [--from conv4_1] [--batch 8] [--threads 2] [--repetitions 5]

One JSON line to standard output: {"engine": "pytorch LAYOUT", "precision": …, "batch": …, "threads": …,
"times": [milliseconds of each step]}.
"""

import argparse
import json
import time

import torch
from torch import nn
from torch.nn import functional as F

from encoder import LAYERS, SIDE, weights


def network(first: str):
    """The convolutions before `first`, and those from it on."""
    parts, names, block, place = (nn.Sequential(), nn.Sequential()), [], 1, 0
    values, channels, part = iter(weights()), 3, parts[0]
    for layer in LAYERS:
        if layer == "pool":
            part.append(nn.MaxPool2d(2))
            block, place = block + 1, 0
            continue
        place += 1
        names.append(f"conv{block}_{place}")
        if names[-1] == first:
            part = parts[1]
        convolution = nn.Conv2d(channels, layer, 3, padding=1)
        weight, bias = next(values)
        convolution.weight.data, convolution.bias.data = torch.from_numpy(weight), torch.from_numpy(bias)
        part.append(convolution).append(nn.ReLU(inplace=True))
        channels = layer
    if first not in names:
        raise SystemExit(f"--from: expected one of {' '.join(names)}, found {first}")
    return parts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--layout", choices=["channels_last", "contiguous"], required=True)
    parser.add_argument("--from", dest="first", default="conv4_1")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    layout = torch.channels_last if options.layout == "channels_last" else torch.contiguous_format
    frozen, trained = (part.to(memory_format=layout) for part in network(options.first))
    head = nn.Linear(2048, 4096)
    images = torch.rand(options.batch, 3, SIDE, SIDE).mul_(2).sub_(1).contiguous(memory_format=layout)
    targets = torch.rand(options.batch, 4096)
    adam = torch.optim.Adam([*trained.parameters(), *head.parameters()], lr=1e-5, fused=True)
    times = []
    for _ in range(options.repetitions + 2):
        start = time.perf_counter()
        with torch.no_grad():
            maps = frozen(images)
        pooled = F.adaptive_avg_pool2d(trained(maps), 2).flatten(1)
        loss = (F.relu(head(pooled)) - targets).square().sum() / 2
        adam.zero_grad(set_to_none=True)
        loss.backward()
        adam.step()
        times.append((time.perf_counter() - start) * 1000)
    print(json.dumps({"engine": f"pytorch {options.layout}", "precision": "f32", "batch": options.batch,
                      "threads": options.threads, "times": [round(t, 2) for t in times[2:]]}), flush=True)


if __name__ == "__main__":
    main()
