"""What the captioners of captioners.py share: draws of weights, the encoder, and greedy and given captions of a step."""

import numpy as np
import torch
import torch.nn.functional as F

from splitmix import Random, he_limit

WORDS = ["a", "dog", "cat", "runs", "sits", "in", "the", "snow", "on", "grass"]
TINY = {"table": [4, "pool", 4, "pool", 6, "pool", 6, "pool", 8, "pool"], "fc": 16, "E": 6, "H": 8, "words": WORDS}
GIVEN = ["a", "cat", "sits"]


class Weights:
    """Draws of one model, each from a stream of its own; `end` raises the sum of the end, so that captions do end."""

    def __init__(self, stream, gain=1.0):
        self.stream, self.gain, self.number = stream, gain, 0

    def __call__(self, *shape, limit=None):
        self.number += 1
        fan_in = int(np.prod(shape[1:])) if len(shape) > 1 else 1
        limit = limit if limit is not None else self.gain * float(he_limit(fan_in)) if len(shape) > 1 else 0.2
        return Random(1234, self.stream, self.number).tensor(shape, np.float32(limit))


def double(array):
    return torch.from_numpy(np.array(array, dtype=np.float64))


def images(count=2):
    patches = Random(1234, 900).tensor([count, 7, 7, 3], np.float32(120))
    return np.repeat(np.repeat(patches, 32, 1), 32, 2)


def encoder(sizes, draw):
    """A VGG network: its convolutions (weight, bias) or "pool", and two FC layers."""
    layers, channels = [], 3
    for width in sizes["table"]:
        # Pixels are of two digits, features of one.
        scale = np.float32(0.02 if channels == 3 else 1)
        layers.append(width if width == "pool" else (draw(width, channels, 3, 3) * scale, draw(width)))
        channels = channels if width == "pool" else width
    fc = sizes["fc"]
    return layers, [(draw(fc, channels * 49), draw(fc)), (draw(fc, fc), draw(fc))]


def maps(layers, pixels):
    """The last map [N, C, 7, 7] of [N, H, W, 3]."""
    x = double(pixels).permute(0, 3, 1, 2)
    for layer in layers:
        x = F.max_pool2d(x, 2) if layer == "pool" else F.relu(F.conv2d(x, double(layer[0]), double(layer[1]), padding=1))
    return x


def features(layers, linears, pixels):
    """What the second FC layer gives, rectified [N, D]."""
    x = maps(layers, pixels).flatten(1)
    for weight, bias in linears:
        x = F.relu(F.linear(x, double(weight), double(bias)))
    return x


def speak(step, begin, words, end, given=GIVEN):
    """Greedy captions and the given one, of a `step(states, token) -> (states, log_probs)`; `begin(image)` gives the
    states before the first word and its token."""
    cases = []
    for image in range(2):
        states, token = begin(image)
        said, logs = [], []
        while True:
            states, log_probs = step(states, token)
            token = int(log_probs.argmax())
            logs.append(round(float(log_probs[token]), 6))
            assert log_probs.topk(2).values.diff().abs() > 1e-2, "too close to call"
            if token == end:
                break
            assert token in words and words[token] not in ("UNK", "<unk>") and len(said) < 19, "choose another stream"
            said.append(words[token])
        states, token = begin(image)
        ids = {word: token for token, word in words.items()}
        given_logs = []
        for target in [ids[word] for word in given] + [end]:
            states, log_probs = step(states, token)
            given_logs.append(round(float(log_probs[target]), 6))
            token = target
        cases.append({"words": said, "log_probs": logs, "given": given, "given_log_probs": given_logs})
    return cases
