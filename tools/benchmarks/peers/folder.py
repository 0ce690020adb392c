"""What `captioner caption FOLDER` does, in PyTorch, for timing the whole process: files are decoded by other threads
while the batch before them is encoded, and all images are searched together by beams of width 3.

    python3 folder.py MODEL FOLDER --batch 8 [--threads 2] [--draft]     prints path, caption and log-probability

With --draft photos are decoded no finer than twice the side that the network reads.
"""

import argparse
import pathlib
from concurrent.futures import ThreadPoolExecutor

import torch

import beam
import caption
from model import Model


def captions(options):
    torch.set_num_threads(options.threads)
    model = Model(options.model)
    files = sorted(path for path in options.folder.iterdir() if path.is_file())
    with torch.inference_mode(), ThreadPoolExecutor(options.threads) as readers:
        read = lambda first: [readers.submit(caption.pixels, path, model.preprocessing, options.draft)
                              for path in files[first:first + options.batch]]
        maps, ahead = [], read(0)
        for first in range(0, len(files), options.batch):
            now, ahead = ahead, read(first + options.batch)
            images = torch.cat([image.result() for image in now]).contiguous(memory_format=torch.channels_last)
            maps.append(model.maps(images))
        found = beam.batched(model, torch.cat(maps), 3)
    for path, (words, total) in zip(files, found):
        print(f"{path}: {' '.join(model.words[word] for word in words)}  (log-prob {total:.2f})")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--draft", action="store_true")
    captions(parser.parse_args())


if __name__ == "__main__":
    main()
