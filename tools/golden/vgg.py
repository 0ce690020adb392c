"""Golden outputs of VGG-11/13/16/19 and of both heads, on seeded weights that Swift makes for itself.

Convolutions of VGG-N: parameter i, in network order weight, bias, weight, bias, …, is drawn from
Random(seed: 1234, stream: N, i); weights [K, C, 3, 3] are uniform within ±sqrt(6 / (9 C)), biases within ±0.1.
Input c, NHWC, is uniform within ±1 from Random(seed: 1234, stream: N, 1000 + c).

Heads: parameter i (0.weight, 0.bias, 3.weight, 3.bias) comes from Random(seed: 1234, stream: HEAD, i),
HEAD = 100 for the full one and 200 for the compact one, with the same limits; the map [2, 7, 7, 512] is
uniform within ±1 from Random(seed: 1234, stream: 100, 1000). As torchvision, a head sees the map flattened
as [C, H, W]; compact means adaptive_avg_pool2d to 2x2 (rows and columns 0..<4 and 3..<7) first.

References are computed in double precision and stored as float32:
  vggN.CASE.output           [B, H, W, 512], NHWC, the map after the last pool; CASE is HxW, its batch in CASES
  vgg16.224x224.compact      [1, 2048], adaptive_avg_pool2d(2) of the map, flattened [C, H, W]
  head.KIND.first            [2, 64], the first scalars of each row; KIND is full, compact1 (one layer), compact2
  head.KIND.norm, .sum       [2], L2 norm and sum of each whole row

`python3 tools/golden/vgg.py` writes Tests/ModelsTests/Fixtures/vgg.safetensors (under a minute, 2 GB).
"""

import torch
import torchvision
from torch.nn import functional as F

from fixtures import destination, write_tensors
from splitmix import Random, he_limit

SEED = 1234
# Batch, height, width. Odd sizes lose their last row and column at a pool.
CASES = [(1, 32, 32), (1, 48, 64), (1, 67, 45), (2, 64, 33), (1, 224, 224)]


def network(depth: int) -> torch.nn.Module:
    model = getattr(torchvision.models, f"vgg{depth}")(weights=None, init_weights=False).features
    for i, parameter in enumerate(model.parameters()):
        limit = he_limit(parameter[0].numel()) if parameter.dim() > 1 else 0.1
        parameter.data = torch.from_numpy(Random(SEED, depth, i).tensor(parameter.shape, limit))
    return model.double().eval()


def dense(x: torch.Tensor, kind: int, index: int, outputs: int) -> torch.Tensor:
    """ReLU(W x + b), a slab of rows at a time: fc6 in double would be 822 MB."""
    inputs, step = x.shape[1], 256
    weights = Random(SEED, kind, 2 * index)
    bias = Random(SEED, kind, 2 * index + 1).tensor([outputs], 0.1)
    slabs = [x @ torch.from_numpy(weights.tensor([step, inputs], he_limit(inputs))).double().T
             for _ in range(0, outputs, step)]
    return F.relu(torch.cat(slabs, 1) + torch.from_numpy(bias).double())


def convolutions() -> dict:
    tensors = {}
    for depth in (11, 13, 16, 19):
        model = network(depth)
        for case, (batch, height, width) in enumerate(CASES):
            if height == 224 and depth != 16:
                continue
            x = torch.from_numpy(Random(SEED, depth, 1000 + case).tensor([batch, height, width, 3], 1))
            y = model(x.double().permute(0, 3, 1, 2))
            name = f"vgg{depth}.{height}x{width}"
            if height == 224:
                tensors[name + ".compact"] = F.adaptive_avg_pool2d(y, 2).flatten(1)
            else:
                tensors[name + ".output"] = y.permute(0, 2, 3, 1)
            print(name, f"{(y > 0).double().mean().item():.2f} of the outputs live, "
                  f"root mean square {y.square().mean().sqrt().item():.3g}")
    return tensors


def heads() -> dict:
    x = torch.from_numpy(Random(SEED, 100, 1000).tensor([2, 7, 7, 512], 1)).double().permute(0, 3, 1, 2)
    full = dense(dense(x.flatten(1), 100, 0, 4096), 100, 1, 4096)
    compact1 = dense(F.adaptive_avg_pool2d(x, 2).flatten(1), 200, 0, 4096)
    compact2 = dense(compact1, 200, 1, 4096)
    tensors = {}
    for kind, y in [("full", full), ("compact1", compact1), ("compact2", compact2)]:
        tensors[f"head.{kind}.first"] = y[:, :64]
        tensors[f"head.{kind}.norm"] = y.norm(dim=1)
        tensors[f"head.{kind}.sum"] = y.sum(1)
    return tensors


def main():
    torch.set_num_threads(1)
    with torch.inference_mode():
        write_tensors(destination("ModelsTests", "vgg.safetensors"), convolutions() | heads(), __doc__)


if __name__ == "__main__":
    main()
