"""A captioner in PyTorch, float32: VGG, its head, and a decoder that is an LSTM, a GRU or a plain RNN told of the image by
W_ih v, as first input, by soft attention or by top-down attention. Other models are refused.

The weights are those of `captioner convert MODEL FOLDER --to torch`, weights.safetensors, or of a model file itself:

    captioner = Captioner.load("weights.safetensors")
    words, log_prob = captioner.caption(pixels)          # [3, H, W], as captioner.preprocessing says

The names of its state_dict are those of the file: torchvision's of the encoder, and the equations' of the decoder.
"""

import json
import struct
import sys

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F

CELLS = {"lstm": 2, "gru": 1, "rnn": 1}  # and how many states they have


class Captioner(nn.Module):
    def __init__(self, metadata, weights):
        super().__init__()
        self.description = architecture = json.loads(metadata["architecture"])
        self.words, self.preprocessing = json.loads(metadata["vocabulary"]), json.loads(metadata["preprocessing"])
        self.attention, self.cell = architecture.get("attention"), architecture.get("cell", "lstm")
        self.way, self.injection = architecture.get("conditioning", "gates"), architecture["injection"]
        known = [self.cell in CELLS, architecture.get("layers", 1) == 1, architecture.get("activation", "relu") == "relu",
                 self.way in ("gates", "first-input", "attention", "hard-attention", "top-down"),
                 architecture.get("feature_normalization", "none") in ("none", "mean"),
                 not (architecture.get("batch_normalization") or architecture.get("initial_states"))]
        if not all(known):
            sys.exit(f"expected an LSTM, GRU or RNN of one layer with a head of ReLUs, found {metadata['architecture']}")
        self.weights = {}
        for name, value in weights.items():
            *path, last = name.split(".")
            module = self
            for part in path:
                if part not in module._modules:
                    module.add_module(part, nn.Module())
                module = module._modules[part]
            module.register_parameter(last, nn.Parameter(value.float(), requires_grad=False))
            self.weights[name] = module._parameters[last]
        # One product for both where no gate comes between: [x, h].
        self.joined = {layer: torch.cat([value, self.weights[f"decoder.{layer}.weight_hh"]], 1)
                       for layer in (self.cell, self.cell + "1") if self.cell != "gru"
                       and (value := self.weights.get(f"decoder.{layer}.weight_xh")) is not None}
        self.start, self.end = self.words.index("<s>"), self.words.index("</s>")
        self.silent = [self.words.index(word) for word in ("<pad>", "<s>", "<unk>")]

    @classmethod
    def load(cls, path):
        with open(path, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            metadata = json.loads(file.read(length))["__metadata__"]
        return cls(metadata, load_file(path)).eval()

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

    def features(self, maps):
        """v [N, D] of maps [N, C, h, w]."""
        side = {"full": 7, "mean": 1}.get(self.description["head"], 2)
        x = maps if maps.shape[2:] == (side, side) else F.adaptive_avg_pool2d(maps, side)
        if "encoder.normalization.mean" in self.weights:
            x = x - self.weights["encoder.normalization.mean"][:, None, None]
        v = x.flatten(1) * self.description.get("feature_scale", 1)
        for index in (0, 3):
            if f"encoder.classifier.{index}.weight" in self.weights:
                v = F.relu(self.linear(f"encoder.classifier.{index}", v))
        return v

    def see(self, maps):
        """What the decoder is told of images [N, C, h, w]: sums of the gates at every step and at the first [N, 1, G·H],
        the regions' values [N, R, A] and keys [N, R, K], each where there are such, and the first input [N, 1, E]."""
        v = self.features(maps)
        seen = {}
        if self.way != "first-input" and self.injection != "never":
            seen["sums" if self.injection == "everyStep" else "first_sums"] = self.linear("decoder.image_to_hidden", v)[:, None]
        if self.way == "first-input":
            seen["input"] = self.linear("decoder.image_to_input", v)[:, None]
            if self.description.get("rectified_input"):
                seen["input"] = F.relu(seen["input"])
        if self.attention:
            regions = maps.flatten(2).transpose(1, 2) * self.attention["scale"]
            seen["values"] = F.relu(self.linear("decoder.attention.regions", regions))
            seen["keys"] = self.linear("decoder.attention.keys", seen["values"])
            if self.way == "top-down":
                mean = self.linear("decoder.attention.mean_to_hidden", seen["values"].mean(1))[:, None]
                seen["sums"] = mean + seen.get("sums", 0)
        return seen

    def states(self, images, beams=1):
        """The states of each layer [N, B, H], h first, zero."""
        zero = torch.zeros(images, beams, self.description["hidden_size"])
        return [zero] * (CELLS[self.cell] * (2 if self.way == "top-down" else 1))

    def attend(self, seen, h):
        """What is seen [N, B, A] of the regions with h [N, B, H]."""
        looks = seen["keys"][:, None] + self.linear("decoder.attention.query", h)[:, :, None]
        looks = F.relu(looks) if self.attention.get("comparison") == "relu" else torch.tanh(looks)
        return torch.softmax(self.linear("decoder.attention.scorer", looks)[..., 0], 2) @ seen["values"]

    def recurrent(self, layer, x, states, context=0):
        """The new states of a layer that reads x [N, B, I]."""
        bias, h = self.weights[f"decoder.{layer}.bias"], states[0]
        if self.cell == "gru":
            size, w = h.shape[-1], self.weights[f"decoder.{layer}.weight_hh"]
            sums = F.linear(x, self.weights[f"decoder.{layer}.weight_xh"], bias) + context
            r, z = torch.sigmoid(sums[..., :2 * size] + F.linear(h, w[:2 * size])).chunk(2, -1)
            n = torch.tanh(sums[..., 2 * size:] + F.linear(r * h, w[2 * size:]))
            return [(1 - z) * n + z * h]
        sums = F.linear(torch.cat([x, h], 2), self.joined[layer], bias) + context
        if self.cell == "rnn":
            return [torch.tanh(sums)]
        i, f, o, g = sums.chunk(4, -1)
        c = torch.sigmoid(f) * states[1] + torch.sigmoid(i) * torch.tanh(g)
        return [torch.sigmoid(o) * torch.tanh(c), c]

    def step(self, words, seen, states, first):
        """The logits [N, B, V] of the next word after words [N, B] of N images, and the new states."""
        if first and "input" in seen:
            states = self.recurrent(self.cell, seen["input"].expand(-1, words.shape[1], -1), states)
        x, count = self.weights["decoder.embedding.weight"][words], CELLS[self.cell]
        context = seen.get("sums", 0) + (seen.get("first_sums", 0) if first else 0)
        if self.way == "top-down":
            context = context + self.linear("decoder.feedback", states[count])
            looking = self.recurrent(self.cell, x, states[:count], context)
            read = torch.cat([self.attend(seen, looking[0]), looking[0]], 2)
            states = looking + self.recurrent(self.cell + "1", read, states[count:])
            return self.linear("decoder.output", states[count]), states
        if self.attention:
            z = self.attend(seen, states[0])
            if self.attention.get("gated"):
                z = z * torch.sigmoid(self.linear("decoder.attention.gate", states[0]))
            context = context + self.linear("decoder.attention.to_hidden", z)
        states = self.recurrent(self.cell, x, states, context)
        return self.linear("decoder.output", states[0]), states

    @torch.inference_mode()
    def caption(self, pixels, longest=20):
        """The likeliest word at a time: the words of an image, and the log-probability of each and of the end."""
        seen, states = self.see(self.maps(pixels[None])), self.states(1)
        words, scores, word = [], [], self.start
        for step in range(longest + 1):
            logits, states = self.step(torch.tensor([[word]]), seen, states, step == 0)
            log_probs = torch.log_softmax(logits[0, 0], 0)
            allowed = log_probs.clone()
            allowed[self.silent + ([self.end] if step == 0 else [])] = -torch.inf
            word = int(allowed.argmax()) if step < longest else self.end
            scores.append(float(log_probs[word]))
            if word == self.end:
                return words, scores
            words.append(self.words[word])
        return words, scores
