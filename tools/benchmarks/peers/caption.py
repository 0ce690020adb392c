"""What `captioner caption PHOTO` does, in PyTorch, for timing the whole process: read the model file, decode the
photo, VGG-16, head and decoder of model.py, beam search of width 3.

    python3 caption.py MODEL.safetensors PHOTO [--beam-width 3] [--max-length 20] [--threads 2]

Prints the caption and its log-probability, as the command does.
"""

import argparse

import numpy as np
import torch
from model import Model
from PIL import Image, ImageOps


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


def best_caption(model, seen, width, longest):
    """Words and log-probability of the likeliest caption of one image that beams of this width find."""
    states = model.states(1)
    beams, scores, best = [[model.start]], torch.zeros(1), (float("-inf"), [])
    for step in range(longest + 1):
        logits, states = model.step(torch.tensor([[beam[-1] for beam in beams]]), seen, states, step == 0)
        totals = scores[:, None] + torch.log_softmax(logits[0], 1)
        totals[:, model.silent] = float("-inf")
        if step == longest:
            totals = totals[:, model.end, None]  # forced
        # An end counts when it is among the `width` best candidates: any end would make captions of two words.
        values, chosen = totals.flatten().topk(min(2 * width, totals.numel()))
        candidates = [(value, index // totals.shape[1], model.end if step == longest else index % totals.shape[1])
                      for value, index in zip(values.tolist(), chosen.tolist())]
        best = max([best] + [(value, beams[k][1:]) for value, k, word in candidates[:width] if word == model.end])
        live = [candidate for candidate in candidates if candidate[2] != model.end][:width]
        if not live or live[0][0] < best[0]:
            break
        beams = [beams[k] + [word] for _, k, word in live]
        origin = torch.tensor([k for _, k, _ in live])
        scores, states = torch.tensor([value for value, _, _ in live]), [state[:, origin] for state in states]
    return [model.words[word] for word in best[1]], best[0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("photo")
    parser.add_argument("--beam-width", type=int, default=3)
    parser.add_argument("--max-length", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = Model(options.model)
    with torch.inference_mode():
        seen = model.see(model.maps(pixels(options.photo, model.preprocessing)))
        caption, total = best_caption(model, seen, options.beam_width, options.max_length)
    print(f"{' '.join(caption)}  (log-prob {total:.2f})")


if __name__ == "__main__":
    main()
