#!/usr/bin/env python3
"""Captions photos with what `captioner convert MODEL FOLDER --to onnx` wrote, the likeliest word at a time.

    pip install onnxruntime pillow numpy
    python3 tools/export/greedy.py FOLDER PHOTO...

What the encoder gives under a name the decoder reads under it; what the decoder gives as next_NAME it reads as NAME at the
next step. Nothing here knows what kind of decoder it is.
"""

import json
import sys

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

START, END, SILENT, LONGEST = 1, 2, [0, 1, 3], 20  # <s>, </s>; <pad>, <s> and <unk> are not said, and a word is


class Captioner:
    def __init__(self, folder):
        self.encoder, self.decoder = (onnxruntime.InferenceSession(f"{folder}/{name}.onnx", providers=["CPUExecutionProvider"])
                                      for name in ("encoder", "decoder"))
        with open(f"{folder}/vocabulary.json", encoding="utf-8") as file:
            self.words = json.load(file)
        self.preprocessing = json.loads(self.encoder.get_modelmeta().custom_metadata_map["preprocessing"])
        self.inputs = [value.name for value in self.decoder.get_inputs()]

    def pixels(self, path):
        """RGB [3, H, W], 0…255: stretched, perhaps with its edges cut off, or the short side resized and the middle taken."""
        image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
        width, height, box = self.preprocessing["width"], self.preprocessing["height"], None
        if self.preprocessing["resize"] == "stretchThenCrop":
            side, margin = self.preprocessing["side"], self.preprocessing["margin"]
            image = image.resize((side, side), Image.Resampling.BILINEAR)
            box = (margin, margin, margin + width, margin + height)
        elif self.preprocessing["resize"] != "stretch":
            side, short = self.preprocessing["shortSide"], min(image.size)
            full = side * image.width // short, side * image.height // short
            left, top = round((full[0] - width) / 2), round((full[1] - height) / 2)
            image, box = image.resize(full, Image.Resampling.BILINEAR), (left, top, left + width, top + height)
        image = image.crop(box) if box else image.resize((width, height), Image.Resampling.BILINEAR)
        return np.asarray(image, np.float32).transpose(2, 0, 1)

    def captions(self, pixels):
        """Words, and the log-probability of each and of the end, of images [N, 3, H, W]."""
        names = [value.name for value in self.encoder.get_outputs()]
        state = dict(zip(names, self.encoder.run(None, {"pixels": pixels})))
        state["tokens"] = np.full(len(pixels), START, np.int64)
        names = [value.name for value in self.decoder.get_outputs()]
        found = [([], []) for _ in pixels]
        for step in range(LONGEST + 1):
            given = dict(zip(names, self.decoder.run(None, {name: state[name] for name in self.inputs})))
            log_probs = given["log_probs"]
            allowed = log_probs.copy()
            allowed[:, SILENT + ([END] if step == 0 else [])] = -np.inf
            tokens = allowed.argmax(1) if step < LONGEST else np.full(len(pixels), END)
            for (words, scores), row, token in zip(found, log_probs, tokens):
                if len(words) == len(scores):
                    scores.append(float(row[token]))
                    words += [self.words[token]] if token != END else []
            if all(len(words) < len(scores) for words, scores in found):
                return found
            state |= {name.removeprefix("next_"): value for name, value in given.items()}
            state["tokens"] = tokens.astype(np.int64)
        return found


if __name__ == "__main__":
    captioner = Captioner(sys.argv[1])
    for photo in sys.argv[2:]:
        words, scores = captioner.captions(captioner.pixels(photo)[None])[0]
        print(f"{photo}: {' '.join(words)}  (log-prob {sum(scores):.2f})")
