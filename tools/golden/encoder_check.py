"""Compares `captioner features` with torch on real weights and real photos, on every instruction set of this CPU.

    python3 tools/golden/encoder_check.py WEIGHTS.safetensors PHOTO... [--captioner .build/release/captioner]

WEIGHTS holds VGG convolutions with torchvision's names and, like Caffe's and Keras's, wants BGR 0…255 minus the mean.
The photos are decoded, stretched and normalised by Pillow here and by captioner there, so that the numbers include
decoding; photos of 224×224 saved as PNG leave the convolutions alone. Prints ‖ours − torch‖ / ‖torch‖ of the map
averaged to 7×7 and fails above 2e-5 for PNG photos of 224×224 (1e-2 for others: decoders of JPEG may differ by one).
With bfloat16 convolutions, where this CPU has them, it fails above 0.1: the rounding is theirs.
"""

import argparse
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch.nn import functional as F


def torch_maps(weights: dict, photos: list) -> torch.Tensor:
    mean = np.array([103.939, 116.779, 123.68])
    indices = sorted(int(name.split(".")[1]) for name in weights if name.startswith("features.") and "weight" in name)
    maps = []
    for photo in photos:
        image = Image.open(photo).convert("RGB").resize((224, 224), Image.Resampling.BILINEAR)
        x = torch.from_numpy(np.asarray(image)[:, :, ::-1] - mean).double().permute(2, 0, 1)[None]
        for index, following in zip(indices, indices[1:] + [indices[-1] + 3]):
            x = F.relu(F.conv2d(x, weights[f"features.{index}.weight"].double(),
                                weights[f"features.{index}.bias"].double(), padding=1))
            if following - index == 3:
                x = F.max_pool2d(x, 2)
        maps.append(x.flatten())
    return torch.stack(maps)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights")
    parser.add_argument("photos", nargs="+")
    parser.add_argument("--captioner", default=".build/release/captioner")
    options = parser.parse_args()
    expected = torch_maps(load_file(options.weights), options.photos)
    exact = all(p.lower().endswith(".png") and Image.open(p).size == (224, 224) for p in options.photos)
    limit, failed = (2e-5 if exact else 1e-2), False
    ways = [(isa, "float32", limit) for isa in ["baseline", "avx2", "avx512"]] + [("avx512", "bfloat16", 0.1)]
    for isa, arithmetic, limit in ways:
        with tempfile.TemporaryDirectory() as folder:
            output = os.path.join(folder, "features.safetensors")
            run = subprocess.run(
                [options.captioner, "features", *options.photos, "--encoder", options.weights, "--preprocessing",
                 "caffe", "--tap", "map7x7", "--arithmetic", arithmetic, "--output", output],
                env=os.environ | {"CAPTIONER_ISA": isa})
            if run.returncode != 0:
                print(f"{isa}, {arithmetic}: not run")
                continue
            ours = load_file(output)["features"].double()
        error = ((ours - expected).norm() / expected.norm()).item()
        failed |= not error <= limit
        print(f"{isa}, {arithmetic}: relative error {error:.2e} (limit {limit:g})")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
