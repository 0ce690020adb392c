"""Compares the features of a VGG-16 that Keras wrote, FC layers and all, with those that Keras computes with it.

    python3 tools/golden/keras_check.py PHOTO... [--form h5|weights.h5|keras] [--captioner .build/release/captioner]

Makes keras.applications' VGG16 with seeded random weights (553 MB), saves it in that form, and computes its
FC-4096 features over the photos, which should be PNG of 224x224, so that decoding and resizing are no part of it. Prints
‖ours − Keras's‖ / ‖Keras's‖ of fc2's output and the time and memory of both; fails above 1e-4 (Keras 3 over torch, h5py).
"""

import os

os.environ["KERAS_BACKEND"] = "torch"

import argparse
import resource
import subprocess
import sys
import tempfile
import time

import keras
import numpy as np
from PIL import Image
from safetensors.numpy import load_file

from splitmix import Random, he_limit


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="+")
    parser.add_argument("--form", choices=["h5", "weights.h5", "keras"], default="h5")
    parser.add_argument("--captioner", default=".build/release/captioner")
    options = parser.parse_args()
    model = keras.applications.VGG16(weights=None)
    for index, weight in enumerate(model.weights):
        limit = he_limit(np.prod(weight.shape[:-1])) if len(weight.shape) > 1 else 0.1
        weight.assign(Random(1234, index).tensor(weight.shape, limit))
    pixels = [np.asarray(Image.open(photo).convert("RGB").resize((224, 224), Image.Resampling.BILINEAR))
              for photo in options.photos]
    images = keras.applications.vgg16.preprocess_input(np.stack(pixels).astype(np.float32))
    expected = keras.Model(model.input, model.get_layer("fc2").output).predict(images, verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        path, output = os.path.join(folder, f"vgg16.{options.form}"), os.path.join(folder, "features.safetensors")
        model.save_weights(path) if options.form == "weights.h5" else model.save(path)
        start = time.monotonic()
        subprocess.run([options.captioner, "features", *options.photos, "--encoder", path, "--output", output],
                       check=True)
        seconds = time.monotonic() - start
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        ours = load_file(output)["features"]
        print(f"{os.path.getsize(path) / 1e6:.0f} MB, {seconds:.1f} s, {memory:.0f} MiB")
    error = np.linalg.norm(ours - expected) / np.linalg.norm(expected)
    print(f"relative error {error:.2e} (limit 1e-4)")
    return int(not error <= 1e-4)


if __name__ == "__main__":
    sys.exit(main())
