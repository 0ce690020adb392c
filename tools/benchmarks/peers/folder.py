"""What `captioner caption FOLDER` does, in PyTorch, for timing the whole process: files are decoded by other threads
while the batch before them is encoded, and all images are searched together by beams of width 3.

    python3 folder.py caption MODEL FOLDER --batch 8 [--threads 2]     prints path, caption and log-probability
    python3 folder.py make PHOTOS FOLDER [--images 200]                640x480 JPEGs cut out of a few photos
"""

import argparse
import pathlib
import random
from concurrent.futures import ThreadPoolExecutor

import torch
from PIL import Image
from safetensors.torch import load_file

import beam
import caption


def make(photos, folder, images):
    sources = [Image.open(path).convert("RGB") for path in sorted(pathlib.Path(photos).glob("*.jpg"))]
    folder.mkdir(parents=True, exist_ok=True)
    place = random.Random(1)
    for number in range(images):
        image = sources[number % len(sources)]
        part = place.uniform(0.6, 1)
        left, top = (place.uniform(0, 1 - part) * side for side in image.size)
        box = (left, top, left + part * image.width, top + part * image.height)
        image.resize((640, 480), Image.Resampling.BILINEAR, box).save(folder / f"{number:03}.jpg", quality=90)


def captions(options):
    torch.set_num_threads(options.threads)
    rules = caption.description(options.model)["preprocessing"]
    weights = {name: value.float() for name, value in load_file(options.model).items()}
    decoder = beam.Decoder(options.model)
    files = sorted(path for path in options.folder.iterdir() if path.is_file())
    with torch.inference_mode(), ThreadPoolExecutor(options.threads) as readers:
        read = lambda first: [readers.submit(caption.pixels, path, rules) for path in files[first:first + options.batch]]
        pooled, ahead = [], read(0)
        for first in range(0, len(files), options.batch):
            now, ahead = ahead, read(first + options.batch)
            images = torch.cat([image.result() for image in now]).contiguous(memory_format=torch.channels_last)
            pooled.append(caption.pooled(weights, images))
        found = beam.batched(decoder, torch.cat(pooled), 3)
    for path, (words, total) in zip(files, found):
        print(f"{path}: {' '.join(decoder.words[word] for word in words)}  (log-prob {total:.2f})")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work", choices=["caption", "make"])
    parser.add_argument("source", help="the model, or the photos")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--images", type=int, default=200)
    options = parser.parse_args()
    options.model = options.source
    if options.work == "make":
        make(options.source, options.folder, options.images)
    else:
        captions(options)


if __name__ == "__main__":
    main()
