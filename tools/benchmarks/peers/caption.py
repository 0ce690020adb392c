"""What `captioner caption PHOTO` does, in PyTorch, for timing the whole process: read the model file, decode the
photo, VGG-16, the compact or full head, beam search of width 3.

    python3 caption.py MODEL.safetensors PHOTO [--beam-width 3] [--max-length 20] [--threads 2]

Prints the caption and its log-probability, as the command does.
"""

import argparse
import json
import struct

import numpy as np
import torch
from PIL import Image, ImageOps
from safetensors.torch import load_file
from torch.nn import functional as F


def description(path):
    """The model file's metadata, its JSON parsed."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        entries = json.loads(file.read(length))["__metadata__"]
    return {key: json.loads(entries[key]) for key in ("architecture", "preprocessing", "vocabulary")}


def pixels(path, rules, draft=False):
    """[1, 3, height, width], as the model's preprocessing says; decoded no finer than twice that with `draft`."""
    image = Image.open(path)
    width, height = rules["width"], rules["height"]
    if draft:
        ratio = 2 * max(width, height, rules.get("shortSide", 0)) / min(image.size)
        image.draft("RGB", (int(image.width * ratio), int(image.height * ratio)))
    image = ImageOps.exif_transpose(image).convert("RGB")
    if rules["resize"] == "stretch":
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    else:
        ratio = rules["shortSide"] / min(image.size)
        image = image.resize((int(image.width * ratio), int(image.height * ratio)), Image.Resampling.BILINEAR)
        left, top = round((image.width - width) / 2), round((image.height - height) / 2)
        image = image.crop((left, top, left + width, top + height))
    x = torch.from_numpy(np.array(image)).permute(2, 0, 1).float()
    if rules["scale"] == "0..1":
        x = x / 255
    if rules["channelOrder"] == "bgr":
        x = x.flip(0)
    mean, deviation = torch.tensor(rules["mean"]), torch.tensor(rules["standardDeviation"])
    return ((x - mean[:, None, None]) / deviation[:, None, None])[None].contiguous(memory_format=torch.channels_last)


def pooled(weights, x):
    """What the head reads [N, P]."""
    convolutions = sorted(int(name.split(".")[2]) for name in weights
                          if name.startswith("encoder.features.") and name.endswith(".weight"))
    for i, index in enumerate(convolutions):
        # torchvision counts ReLUs and pools too: a gap of 3 holds a pool.
        if i and index - convolutions[i - 1] == 3:
            x = F.max_pool2d(x, 2)
        x = F.conv2d(x, weights[f"encoder.features.{index}.weight"], weights[f"encoder.features.{index}.bias"],
                     padding=1).relu_()
    x = F.max_pool2d(x, 2)
    if weights["encoder.classifier.0.weight"].shape[1] == 2048:
        x = F.adaptive_avg_pool2d(x, 2)
    return x.flatten(1)


def encoded(weights, x):
    """v [N, D]."""
    x = pooled(weights, x)
    for index in (0, 3):
        name = f"encoder.classifier.{index}"
        if f"{name}.weight" in weights:
            x = F.relu(F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"]))
    return x


def best_caption(weights, v, words, width, longest, injection):
    """Words and log-probability of the likeliest caption that beams of this width find."""
    start, end = words.index("<s>"), words.index("</s>")
    silent = [words.index(word) for word in ("<pad>", "<s>", "<unk>")]
    w = {name.removeprefix("decoder."): value for name, value in weights.items() if name.startswith("decoder.")}
    image = F.linear(v, w["image_to_hidden.weight"])
    h = c = torch.zeros(1, w["lstm.weight_hh"].shape[1])
    beams, scores, best = [[start]], torch.zeros(1), (float("-inf"), [])
    for step in range(longest + 1):
        gates = (F.linear(w["embedding.weight"][[beam[-1] for beam in beams]], w["lstm.weight_xh"], w["lstm.bias"])
                 + F.linear(h, w["lstm.weight_hh"]))
        if injection == "everyStep" or step == 0:
            gates = gates + image
        i, f, o, g = gates.chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        totals = scores[:, None] + torch.log_softmax(F.linear(h, w["output.weight"], w["output.bias"]), 1)
        totals[:, silent] = float("-inf")
        if step == longest:
            totals = totals[:, end, None]  # forced
        # An end counts when it is among the `width` best candidates: any end would make captions of two words.
        values, chosen = totals.flatten().topk(min(2 * width, totals.numel()))
        candidates = [(value, index // totals.shape[1], end if step == longest else index % totals.shape[1])
                      for value, index in zip(values.tolist(), chosen.tolist())]
        best = max([best] + [(value, beams[k][1:]) for value, k, word in candidates[:width] if word == end])
        live = [candidate for candidate in candidates if candidate[2] != end][:width]
        if not live or live[0][0] < best[0]:
            break
        beams = [beams[k] + [word] for _, k, word in live]
        origin = torch.tensor([k for _, k, _ in live])
        scores, h, c = torch.tensor([value for value, _, _ in live]), h[origin], c[origin]
    return [words[word] for word in best[1]], best[0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("photo")
    parser.add_argument("--beam-width", type=int, default=3)
    parser.add_argument("--max-length", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = description(options.model)
    weights = {name: value.float() for name, value in load_file(options.model).items()}
    with torch.inference_mode():
        v = encoded(weights, pixels(options.photo, model["preprocessing"]))
        caption, total = best_caption(weights, v, model["vocabulary"], options.beam_width, options.max_length,
                                      model["architecture"]["injection"])
    print(f"{' '.join(caption)}  (log-prob {total:.2f})")


if __name__ == "__main__":
    main()
