"""Compares `captioner features` with torch on real weights and real photos, on every instruction set of this CPU.

    python3 tools/golden/encoder_check.py WEIGHTS PHOTO... [--captioner .build/release/captioner]
    python3 tools/golden/encoder_check.py --files PHOTO.png [--networks vgg11,vgg16_bn]

WEIGHTS is a safetensors file of VGG convolutions with torchvision's names, with batch normalisation or without, and, like
Caffe's and Keras's, wants BGR 0…255 minus the mean; or vgg11_bn, vgg13_bn, vgg16_bn or vgg19_bn for torchvision's network
with seeded random weights and running statistics (batch_norm.py).
The photos are decoded, stretched and normalised by Pillow here and by captioner there, so that the numbers include
decoding; photos of 224×224 saved as PNG leave the convolutions alone. Prints ‖ours − torch‖ / ‖torch‖ of the map
averaged to 7×7 and fails above 2e-5 for PNG photos of 224×224 (1e-2 for others: decoders of JPEG may differ by one).
With bfloat16 convolutions, where this CPU has them, it fails above 0.1: the rounding is theirs.

--files takes torchvision's networks with seeded random weights, those with batch normalisation with random statistics too,
saves each as .pth in both of PyTorch's forms, as a checkpoint of DataParallel's and as .npz, and compares features of a PNG of
224×224 (the map averaged to 7×7, and FC-4096): max |ours − torch| / max |torch| must be at most 1e-4.
"""

import argparse
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch
import torchvision
from PIL import Image
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

from batch_norm import seeded


def torch_maps(weights: dict, photos: list) -> torch.Tensor:
    mean = np.array([103.939, 116.779, 123.68])
    indices = sorted(int(name.split(".")[1]) for name, tensor in weights.items()
                     if name.startswith("features.") and name.endswith(".weight") and tensor.dim() == 4)
    step = 3 if any(name.endswith(".running_var") for name in weights) else 2
    maps = []
    for photo in photos:
        image = Image.open(photo).convert("RGB").resize((224, 224), Image.Resampling.BILINEAR)
        x = torch.from_numpy(np.asarray(image)[:, :, ::-1] - mean).double().permute(2, 0, 1)[None]
        for index, following in zip(indices, indices[1:] + [indices[-1] + step + 1]):
            x = F.conv2d(x, weights[f"features.{index}.weight"].double(), weights[f"features.{index}.bias"].double(),
                         padding=1)
            if step == 3:
                x = F.batch_norm(x, *(weights[f"features.{index + 1}.{kind}"].double()
                                      for kind in ("running_mean", "running_var", "weight", "bias")))
            x = F.relu(x)
            if following - index > step:
                x = F.max_pool2d(x, 2)
        maps.append(x.flatten())
    return torch.stack(maps)


NETWORKS = [f"vgg{depth}{kind}" for depth in (11, 13, 16, 19) for kind in ("", "_bn")]


def random_network(name: str) -> torch.nn.Module:
    torch.manual_seed(7)
    model = getattr(torchvision.models, name)(weights=None).eval()
    for layer in model.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(layer.weight, 0.5, 1.5)
            torch.nn.init.uniform_(layer.bias, -0.2, 0.2)
            torch.nn.init.uniform_(layer.running_mean, -0.1, 0.1)
            torch.nn.init.uniform_(layer.running_var, 0.5, 1.5)
        elif isinstance(layer, torch.nn.Linear):
            # Larger than torchvision's start, so that features are no noise.
            torch.nn.init.normal_(layer.weight, 0, (2 / layer.in_features) ** 0.5)
            torch.nn.init.uniform_(layer.bias, -0.1, 0.1)
    return model


def check_files(names: list, photo: str, captioner: str) -> int:
    pixels = np.asarray(Image.open(photo).convert("RGB"))
    assert pixels.shape == (224, 224, 3), f"{photo}: expected 224x224"
    x = torch.from_numpy(pixels[:, :, ::-1] - np.array([103.939, 116.779, 123.68])).float().permute(2, 0, 1)[None]
    failed = False
    for name in names:
        model = random_network(name)
        with torch.inference_mode():
            features = model.avgpool(model.features(x)).flatten(1)
            expected = {"map7x7": features, "fc": model.classifier[:5](features)}
        state = model.state_dict()
        with tempfile.TemporaryDirectory() as folder:
            wrapped = {"epoch": 1, "state_dict": {"module." + key: value for key, value in state.items()}}
            writers = {
                "zip.pth": lambda path: torch.save(state, path),
                "legacy.pth": lambda path: torch.save(state, path, _use_new_zipfile_serialization=False),
                "checkpoint.pth": lambda path: torch.save(wrapped, path),
                "arrays.npz": lambda path: np.savez(path, **{key: value.numpy() for key, value in state.items()}),
            }
            for form, write in writers.items():
                path = os.path.join(folder, form)
                write(path)
                for tap in ("map7x7", "fc"):
                    output = os.path.join(folder, "features.safetensors")
                    subprocess.run([captioner, "features", photo, "--encoder", path, "--preprocessing", "caffe", "--tap",
                                    tap, "--output", output], check=True)
                    ours = load_file(output)["features"]
                    os.remove(output)
                    error = ((ours - expected[tap]).abs().max() / expected[tap].abs().max()).item()
                    failed |= not error <= 1e-4
                    print(f"{name}, {form}, {tap}: {error:.2e} of the largest", flush=True)
                os.remove(path)
    return int(failed)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", nargs="?")
    parser.add_argument("photos", nargs="*")
    parser.add_argument("--files", metavar="PHOTO")
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--captioner", default=".build/release/captioner")
    options = parser.parse_args()
    if options.files:
        return check_files(options.networks.split(","), options.files, options.captioner)
    if not options.photos:
        parser.error("expected WEIGHTS and PHOTO..., or --files PHOTO")
    made = tempfile.TemporaryDirectory()
    if options.weights.endswith("_bn"):
        depth = int(options.weights.removeprefix("vgg").removesuffix("_bn"))
        options.weights = os.path.join(made.name, "vgg.safetensors")
        save_file({f"features.{name}": value.contiguous() for name, value in seeded(depth).state_dict().items()},
                  options.weights)
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
