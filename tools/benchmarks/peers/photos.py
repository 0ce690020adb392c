"""Photos to time with, by Pillow and numpy alone.

    python3 photos.py one PHOTO OUT.jpg [--size 640x480]                 a JPEG of any photo
    python3 photos.py folder PHOTOS FOLDER [--size 640x480] [--images 200]
                                                                         JPEGs cut out of a few photos
    python3 photos.py mix PHOTOS FEATURES                                features of 1,000 images: those of a few, mixed

Enlarged photos are smooth, and files of them small; above two megapixels they get the noise of a sensor, so that their
bytes are as many as a camera's (about 3.5 MB at 12 megapixels).
"""

import argparse
import json
import pathlib
import random
import struct

import numpy as np
from PIL import Image


def save(image, path, seed):
    if image.width * image.height > 2e6:
        noise = np.random.default_rng(seed).normal(0, 4, (image.height, image.width, 1)).astype(np.float32)
        image = Image.fromarray(np.clip(np.asarray(image, np.float32) + noise, 0, 255).astype(np.uint8))
    image.save(path, quality=90)


def one(source, target, size):
    save(Image.open(source).convert("RGB").resize(size, Image.Resampling.BICUBIC), target, 1)


def folder(photos, target, size, images):
    sources = [Image.open(path).convert("RGB") for path in sorted(pathlib.Path(photos).glob("*.jpg"))]
    target.mkdir(parents=True, exist_ok=True)
    place = random.Random(1)
    for number in range(images):
        image = sources[number % len(sources)]
        part = place.uniform(0.6, 1)
        left, top = (place.uniform(0, 1 - part) * side for side in image.size)
        box = (left, top, left + part * image.width, top + part * image.height)
        save(image.resize(size, Image.Resampling.BILINEAR, box), target / f"{number:03}.jpg", number)


def mix(source, target):
    """1,000 made-up images, each between three photos."""
    data = source.read_bytes()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    entry = json.loads(data[8:start])["features"]
    first, last = entry["data_offsets"]
    pooled = np.frombuffer(data[start + first:start + last], np.float32).reshape(entry["shape"])
    draw = np.random.default_rng(1)
    weights = np.zeros((1000, len(pooled)), np.float32)
    for row in weights:
        row[draw.choice(len(pooled), min(3, len(pooled)), False)] = draw.dirichlet(np.ones(min(3, len(pooled))))
    mixed = weights @ pooled
    header = json.dumps({"features": {"dtype": "F32", "shape": mixed.shape, "data_offsets": [0, mixed.nbytes]}}).encode()
    target.write_bytes(struct.pack("<Q", len(header)) + header + mixed.tobytes())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=["one", "folder", "mix"])
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("target", type=pathlib.Path)
    parser.add_argument("--size", default="640x480", type=lambda text: tuple(map(int, text.split("x"))))
    parser.add_argument("--images", type=int, default=200)
    options = parser.parse_args()
    if options.work == "one":
        one(options.source, options.target, options.size)
    elif options.work == "folder":
        folder(options.source, options.target, options.size, options.images)
    else:
        mix(options.source, options.target)


if __name__ == "__main__":
    main()
