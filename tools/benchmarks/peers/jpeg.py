"""A JPEG file to a tensor by Pillow and torchvision's transforms, on one thread.

    python3 jpeg.py time FILE --output TENSOR [--repetitions 5] [--draft]
                                                    with --draft decoded no finer than twice the side that is read
    python3 jpeg.py compare TENSOR TENSOR           fails when a pixel differs by more than 1/255
"""

import argparse
import json
import time

MEAN, DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def measure(path, output, repetitions, draft):
    import torch
    from PIL import Image
    from torchvision import transforms
    torch.set_num_threads(1)
    steps = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(),
                                transforms.Normalize(MEAN, DEVIATION)])

    def decoded():
        with open(path, "rb") as file:
            image = Image.open(file)
            if draft:  # it takes a scale that leaves both sides at least these
                ratio = 512 / min(image.size)
                image.draft("RGB", (int(image.width * ratio), int(image.height * ratio)))
            return image.convert("RGB")

    for _ in range(3):
        tensor = steps(decoded())
    times, decoding = [], []
    for _ in range(repetitions):
        start = time.perf_counter()
        for _ in range(20):
            tensor = steps(decoded())
        middle = time.perf_counter()
        for _ in range(20):
            decoded()
        times.append((middle - start) * 50)
        decoding.append((time.perf_counter() - middle) * 50)
    tensor.permute(1, 2, 0).contiguous().numpy().tofile(output)
    print(json.dumps({"engine": "torchvision", "precision": "scaled" if draft else "whole", "threads": 1, "times": times,
                      "decoding": sorted(decoding)[len(decoding) // 2]}))


def compare(first, second):
    import numpy
    a, b = (numpy.fromfile(path, numpy.float32).reshape(224, 224, 3) * DEVIATION for path in (first, second))
    print(f"largest difference of a sample: {abs(a - b).max() * 255:.3f}/255")
    raise SystemExit(int(abs(a - b).max() * 255 > 1.001))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["time", "compare"])
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--output")
    parser.add_argument("--draft", action="store_true")
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    if options.action == "time":
        measure(options.paths[0], options.output, options.repetitions, options.draft)
    else:
        compare(*options.paths)


main()
