"""A model file's captioner in PyTorch, float32: VGG, the compact or full head, and an LSTM with W_ih v, alone or under
top-down attention (Anderson et al. 2018). Other models are refused.
"""

import json
import struct
import sys

import torch
from safetensors.torch import load_file
from torch.nn import functional as F


class Model:
    def __init__(self, path):
        with open(path, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            metadata = json.loads(file.read(length))["__metadata__"]
        architecture = json.loads(metadata["architecture"])
        self.words, self.preprocessing = json.loads(metadata["vocabulary"]), json.loads(metadata["preprocessing"])
        self.attention = architecture.get("attention")
        known = [architecture.get("cell", "lstm") == "lstm", architecture.get("layers", 1) == 1,
                 architecture.get("conditioning", "gates") == ("top-down" if self.attention else "gates"),
                 architecture.get("activation", "relu") == "relu", architecture["injection"] != "never",
                 architecture.get("feature_normalization", "none") in ("none", "mean"),
                 not (architecture.get("batch_normalization") or architecture.get("initial_states"))]
        if not all(known):
            sys.exit(f"{path}: expected an LSTM with W_ih v or top-down attention, found {metadata['architecture']}")
        self.every_step = architecture["injection"] == "everyStep"
        self.weights = {name: value.float() for name, value in load_file(path).items()}
        w = self.weights
        # One product for both: [x, h].
        self.recurrent = torch.cat([w["decoder.lstm.weight_xh"], w["decoder.lstm.weight_hh"]], 1)
        if self.attention:
            self.speaking = torch.cat([w["decoder.lstm1.weight_xh"], w["decoder.lstm1.weight_hh"]], 1)
        self.start, self.end = self.words.index("<s>"), self.words.index("</s>")
        self.silent = [self.words.index(word) for word in ("<pad>", "<s>", "<unk>")]

    def linear(self, name, x):
        return F.linear(x, self.weights[f"{name}.weight"], self.weights.get(f"{name}.bias"))

    def maps(self, x):
        """The last map [N, C, h, w] of images [N, 3, H, W]."""
        convolutions = sorted(int(name.split(".")[2]) for name in self.weights
                              if name.startswith("encoder.features.") and name.endswith(".weight"))
        for i, index in enumerate(convolutions):
            # torchvision counts ReLUs and pools too: a gap of 3 holds a pool.
            if i and index - convolutions[i - 1] == 3:
                x = F.max_pool2d(x, 2)
            name = f"encoder.features.{index}"
            x = F.conv2d(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"], padding=1).relu_()
        return F.max_pool2d(x, 2)

    def see(self, maps):
        """What the decoder is told of images [N, C, h, w]: sums of the gates that don't change [N, 4H], the regions' values
        [N, R, A] and keys [N, R, K]; without attention none of those."""
        x = maps
        if self.weights["encoder.classifier.0.weight"].shape[1] == 4 * maps.shape[1]:
            x = F.adaptive_avg_pool2d(x, 2)
        if "encoder.normalization.mean" in self.weights:
            x = x - self.weights["encoder.normalization.mean"][:, None, None]
        v = x.flatten(1)
        for index in (0, 3):
            if f"encoder.classifier.{index}.weight" in self.weights:
                v = F.relu(self.linear(f"encoder.classifier.{index}", v))
        gates = self.linear("decoder.image_to_hidden", v)
        if not self.attention:
            return gates, None, None
        values = F.relu(self.linear("decoder.attention.regions",
                                    maps.flatten(2).transpose(1, 2) * self.attention["scale"]))
        return (gates + self.linear("decoder.attention.mean_to_hidden", values.mean(1)), values,
                self.linear("decoder.attention.keys", values))

    def states(self, images, beams=1):
        """h and c of each layer [N, B, H], zero."""
        zero = torch.zeros(images, beams, self.weights["decoder.lstm.weight_hh"].shape[1])
        return [zero] * (4 if self.attention else 2)

    def step(self, words, seen, states, first):
        """The logits [N, B, V] of the next word after words [N, B] of N images, and the new states."""
        gates, values, keys = seen
        x, (h, c) = self.weights["decoder.embedding.weight"][words], states[:2]
        sums = F.linear(torch.cat([x, h], 2), self.recurrent, self.weights["decoder.lstm.bias"])
        if first or self.every_step:
            sums = sums + gates[:, None]
        if self.attention:
            sums = sums + self.linear("decoder.feedback", states[2])
        h, c = lstm(sums, c)
        if not self.attention:
            return self.linear("decoder.output", h), [h, c]
        looks = torch.tanh(keys[:, None] + self.linear("decoder.attention.query", h)[:, :, None])
        z = torch.softmax(self.linear("decoder.attention.scorer", looks)[..., 0], 2) @ values
        h2, c2 = lstm(F.linear(torch.cat([z, h, states[2]], 2), self.speaking, self.weights["decoder.lstm1.bias"]),
                      states[3])
        return self.linear("decoder.output", h2), [h, c, h2, c2]


def lstm(sums, c):
    i, f, o, g = sums.chunk(4, -1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c
