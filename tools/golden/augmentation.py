"""Makes Tests/ImagingTests/Fixtures/augmentation: crops, mirror images and colours as torchvision's RandomResizedCrop,
RandomHorizontalFlip and ColorJitter give them for the draws of Sources/Support/Random.swift.

    python3 tools/golden/augmentation.py

`crops.json` has parts of pictures; `NAME_SEED.ppm` is what becomes of `NAME.png` with a stream's draws.
"""

import shutil
import types

import torch
from PIL import Image
from torchvision.transforms import functional
from torchvision.transforms import transforms

from fixtures import destination, write_json
from pictures import drawn, noise, save_golden
from splitmix import Random

FIXTURES = destination("ImagingTests", "augmentation/crops.json").parent
# What the parts are stretched to.
SIZE = (24, 20)


class Draws:
    """torch as those transforms use it, with our draws and in double precision."""

    def __init__(self, seed):
        self.random = Random(seed)

    def one(self):
        return float(self.random.uniform(1)[0])

    def empty(self, count):
        assert count == 1
        return types.SimpleNamespace(
            uniform_=lambda low, high: torch.tensor(float(low) + (float(high) - float(low)) * self.one(),
                                                    dtype=torch.float64))

    def randint(self, low, high, size):
        return torch.tensor(low + int(self.one() * (high - low)))

    def rand(self, count):
        return self.one()

    def randperm(self, count):
        """Of all but the last, hue, which is not changed."""
        order = list(range(count - 1))
        for place in range(count - 2):
            other = place + int(self.one() * (count - 1 - place))
            order[place], order[other] = order[other], order[place]
        return order + [count - 1]

    def tensor(self, values):
        return torch.tensor(values, dtype=torch.float64)

    log, exp, Tensor = staticmethod(torch.log), staticmethod(torch.exp), torch.Tensor


def crop(image, area, ratio):
    top, left, height, width = transforms.RandomResizedCrop.get_params(image, (area, 1.0), (1 / ratio, ratio))
    return left, top, width, height


def parts():
    cases = []
    for width, height in [(361, 241), (241, 361), (295, 295), (591, 148), (3, 2), (1, 9), (1, 1), (200, 20)]:
        for area, ratio in [(0.5, 4 / 3), (0.08, 4 / 3), (1.0, 1.0), (0.9, 1.1), (0.3, 3.0)]:
            for seed in range(4):
                transforms.torch = Draws(seed)
                left, top, w, h = crop(Image.new("RGB", (width, height)), area, ratio)
                mirrored = transforms.torch.rand(1) < 0.5
                cases.append({
                    "size": [width, height], "area": area, "ratio": ratio, "seed": seed,
                    "columns": [left, left + w], "rows": [top, top + h], "mirrored": mirrored,
                })
    write_json(FIXTURES / "crops.json", {"cases": cases})


def pictures():
    for name, source in [("drawn", drawn(61, 45)), ("noise", noise(30, 41))]:
        source = Image.fromarray(source)
        source.save(FIXTURES / f"{name}.png")
        for seed in range(8):
            transforms.torch = Draws(seed)
            left, top, width, height = crop(source, 0.5, 4 / 3)
            part = functional.crop(source, top, left, height, width)
            part = transforms.RandomHorizontalFlip(0.5)(part)
            # Along the rows first, as Pillow did before version 13.
            part = part.resize((SIZE[0], height), Image.Resampling.BILINEAR).resize(SIZE, Image.Resampling.BILINEAR)
            # Strengths above 1 leave the range; a strength of 0 draws nothing.
            strengths = (0.4, 0.4, 0.4) if seed < 4 else (1.5, 0.9, 2.0) if seed < 7 else (0.0, 0.5, 0.0)
            save_golden(transforms.ColorJitter(*strengths)(part), FIXTURES / f"{name}_{seed}.ppm")


if __name__ == "__main__":
    shutil.rmtree(FIXTURES, ignore_errors=True)
    FIXTURES.mkdir(parents=True)
    parts()
    pictures()
