"""Gradients of the whole of VGG-16 on seeded weights: what fine-tuning computes.

Weights as vgg.py draws them. The images [2, 64, 64, 3] are uniform within ±1 from Random(seed: 1234, stream: 16, 2000);
the last maps are averaged to 2x2 and flattened [2, 2048], and the loss is the sum of that times a given gradient,
uniform within ±1 from Random(seed: 1234, stream: 16, 2001).

References are computed in double precision and stored as float32; of each gradient with n scalars:
  N.weight, N.bias    [64], scalars (i * 7919 + 13) mod n, i = 0..<64, in torch's order [K, C, 3, 3]; N is torchvision's
                      index among `features`
  N.weight.sums, …    [2], L2 norm and plain sum of the whole

`python3 tools/golden/fine_tune.py` writes Tests/CaptioningTests/Fixtures/fine-tune.safetensors (half a minute, 1 GB).
"""

import torch
from torch.nn import functional as F

from fixtures import destination, write_tensors
from splitmix import Random
from vgg import SEED, network


def main():
    torch.set_num_threads(1)
    model = network(16)
    x = torch.from_numpy(Random(SEED, 16, 2000).tensor([2, 64, 64, 3], 1)).double().permute(0, 3, 1, 2)
    pooled = F.adaptive_avg_pool2d(model(x), 2).flatten(1)
    (pooled * torch.from_numpy(Random(SEED, 16, 2001).tensor([2, 2048], 1)).double()).sum().backward()
    tensors = {}
    for name, parameter in model.named_parameters():
        gradient = parameter.grad.flatten()
        places = (torch.arange(64) * 7919 + 13) % gradient.numel()
        tensors[name] = gradient[places]
        tensors[name + ".sums"] = torch.stack([gradient.norm(), gradient.sum()])
        print(name, f"norm {gradient.norm().item():.3g}, sum {gradient.sum().item():.3g}")
    write_tensors(destination("CaptioningTests", "fine-tune.safetensors"), tensors, __doc__)


if __name__ == "__main__":
    main()
