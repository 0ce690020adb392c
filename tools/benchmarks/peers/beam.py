"""The best captions of many images from cached features in PyTorch on the CPU, float32: FC head and beam search with
the weights of a captioner model. Two formulations of the same search:

    python3 beam.py MODEL FEATURES --engine loop|batched [--beam-width 5] [--batch 250] [--threads 2] [--repetitions 5]

  loop      as ImageCaptioning.pytorch's `beam_search` (its 2017-2019 form): an image at a time, the whole
            vocabulary sorted for every beam, candidates gathered and sorted in Python, and every step run to the
            greatest length, even when no beam can win any more
  batched   all images of a batch at once, nothing in Python but the loop over steps; images that are through leave
            the batch

Both finish an ended caption when it is among the `beam-width` likeliest extensions of its step, and go on with the
`beam-width` likeliest others, as the engine's search is defined. One JSON line goes to standard output: {"engine": …,
"times": [milliseconds], "captions": […], "log_probs": […]}.
"""

import argparse
import json
import struct
import time

import torch
from safetensors.torch import load_file
from torch.nn import functional as F

LONGEST = 20
NEVER = float("-inf")


class Decoder:
    """The model file's FC head and decoder."""

    def __init__(self, path):
        with open(path, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            metadata = json.loads(file.read(length))["__metadata__"]
        self.words = json.loads(metadata["vocabulary"])
        self.every_step = json.loads(metadata["architecture"])["injection"] == "everyStep"
        weights = load_file(path)
        self.head = [(weights[f"encoder.classifier.{i}.weight"].float(), weights[f"encoder.classifier.{i}.bias"].float())
                     for i in (0, 3) if f"encoder.classifier.{i}.weight" in weights]
        w = {name.removeprefix("decoder."): value.float() for name, value in weights.items()
             if name.startswith("decoder.")}
        self.embedding, self.image = w["embedding.weight"], w["image_to_hidden.weight"]
        # One product for both: [x, h].
        self.recurrent = torch.cat([w["lstm.weight_xh"], w["lstm.weight_hh"]], 1)
        self.bias, self.output, self.output_bias = w["lstm.bias"], w["output.weight"], w["output.bias"]
        self.hidden = w["lstm.weight_hh"].shape[1]
        self.start, self.end = self.words.index("<s>"), self.words.index("</s>")
        self.silent = [self.words.index(word) for word in ("<pad>", "<s>", "<unk>")]

    def injected(self, pooled):
        """W_ih v [N, 4H], the LSTM's bias in it."""
        for weight, bias in self.head:
            pooled = F.relu(F.linear(pooled, weight, bias))
        return F.linear(pooled, self.image, self.bias)

    def step(self, words, injected, h, c, first):
        """The logits [rows, V] of the next word, and h and c."""
        added = injected if first or self.every_step else self.bias
        gates = F.linear(torch.cat([self.embedding[words], h], 1), self.recurrent) + added
        i, f, o, g = gates.chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        return F.linear(h, self.output, self.output_bias), h, c


def loop(model, pooled, width):
    """As ImageCaptioning.pytorch: (words, total) of each image."""
    return [best_of_one(model, model.injected(pooled[k:k + 1]), width) for k in range(len(pooled))]


def best_of_one(model, injected, width):
    h = c = torch.zeros(1, model.hidden)
    words, sums, sequences, done = torch.tensor([model.start]), [0.0], [[]], []
    for t in range(LONGEST + 1):
        logits, h, c = model.step(words, injected.expand(len(words), -1), h, c, t == 0)
        log_probs = F.log_softmax(logits, 1)
        if t == LONGEST:
            done += [(sums[q] + log_probs[q, model.end].item(), sequences[q]) for q in range(len(sums))]
            break
        log_probs[:, model.silent] = NEVER
        values, indices = torch.sort(log_probs, 1, True)
        candidates = []
        for column in range(width + 1):  # one more than there: an ended caption leaves its place to another
            for q in range(len(sums)):
                candidates.append({"c": indices[q, column].item(), "q": q, "p": sums[q] + values[q, column].item()})
        candidates = sorted(candidates, key=lambda candidate: -candidate["p"])
        done += [(v["p"], sequences[v["q"]]) for v in candidates[:width] if v["c"] == model.end]
        live = [v for v in candidates if v["c"] != model.end][:width]
        sequences = [sequences[v["q"]] + [v["c"]] for v in live]
        sums = [v["p"] for v in live]
        parents = torch.tensor([v["q"] for v in live])
        words, h, c = torch.tensor([v["c"] for v in live]), h[parents], c[parents]
    total, words = max(done, key=lambda caption: caption[0])
    return words, total


def batched(model, pooled, width):
    """All images at once: (words, total) of each image."""
    images = len(pooled)
    injected = model.injected(pooled)
    best, best_words = torch.full((images,), NEVER), torch.zeros(images, LONGEST, dtype=torch.long)
    best_length = torch.zeros(images, dtype=torch.long)
    alive = torch.arange(images)
    sums, words = torch.zeros(images, 1), torch.full((images, 1), model.start)
    sequences = torch.zeros(images, 1, 0, dtype=torch.long)
    h = c = torch.zeros(images, model.hidden)

    def finish(rows, totals, which, length):
        """Keeps ended captions that are better than the best so far."""
        better = totals > best[alive[rows]]
        rows, totals, which = rows[better], totals[better], which[better]
        best[alive[rows]] = totals
        best_words[alive[rows], :length] = sequences[rows, which]
        best_length[alive[rows]] = length

    for t in range(LONGEST + 1):
        count, beams = sums.shape
        rows = injected[alive].repeat_interleave(beams, 0)
        logits, h, c = model.step(words.flatten(), rows, h, c, t == 0)
        normalizer = torch.logsumexp(logits, 1)
        if t == LONGEST:
            totals, which = (sums + (logits[:, model.end] - normalizer).view(count, beams)).max(1)
            finish(torch.arange(count), totals, which, t)
            break
        logits[:, model.silent] = NEVER
        values, chosen = logits.topk(width + 1, 1)
        totals = sums[:, :, None] + (values - normalizer[:, None]).view(count, beams, width + 1)
        totals, order = totals.view(count, -1).sort(1, descending=True)
        chosen, parents = chosen.view(count, -1).gather(1, order), order // (width + 1)
        ends = chosen == model.end
        # The likeliest end of the step is the only one that can win.
        candidate = torch.where(ends[:, :width], totals[:, :width], NEVER).max(1)
        rows = (candidate.values > NEVER).nonzero().flatten()
        finish(rows, candidate.values[rows], parents[rows, candidate.indices[rows]], t)
        # The first `width` others, in order; images that cannot get better leave.
        places = torch.sort(ends, stable=True, dim=1).indices[:, :width]
        sums = totals.gather(1, places)
        keep = (sums[:, 0] > best[alive]).nonzero().flatten()
        if not len(keep):
            break
        places, alive, sums = places[keep], alive[keep], sums[keep]
        parents, words = parents[keep].gather(1, places), chosen[keep].gather(1, places)
        origin = (keep[:, None] * beams + parents).flatten()
        sequences = torch.cat([sequences.flatten(0, 1)[origin].view(len(keep), width, -1), words[:, :, None]], 2)
        h, c = h[origin], c[origin]
    return [(best_words[k, :best_length[k]].tolist(), best[k].item()) for k in range(images)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("features")
    parser.add_argument("--engine", choices=["loop", "batched"], default="batched")
    parser.add_argument("--beam-width", type=int, default=5)
    parser.add_argument("--batch", type=int, default=250)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model, pooled = Decoder(options.model), load_file(options.features)["features"]
    times = []
    with torch.inference_mode():
        if options.engine == "loop":
            loop(model, pooled[:10], options.beam_width)  # warms
        for repetition in range(options.repetitions + (options.engine != "loop")):
            start = time.perf_counter()
            found = []
            for first in range(0, len(pooled), options.batch):
                part = pooled[first:first + options.batch]
                found += (loop if options.engine == "loop" else batched)(model, part, options.beam_width)
            times.append((time.perf_counter() - start) * 1000)
    captions = [" ".join(model.words[word] for word in words) for words, _ in found]
    print(json.dumps({"engine": f"pytorch ({options.engine})", "precision": "f32", "threads": options.threads,
                      "images": len(pooled), "times": times[options.engine != "loop":], "captions": captions,
                      "log_probs": [total for _, total in found]}))


if __name__ == "__main__":
    main()
