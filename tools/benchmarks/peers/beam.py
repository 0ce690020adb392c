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
import time

import torch
from model import Model
from safetensors.torch import load_file
from torch.nn import functional as F

LONGEST = 20
NEVER = float("-inf")


def loop(model, maps, width):
    """As ImageCaptioning.pytorch: (words, total) of each image of maps [N, C, h, w]."""
    return [best_of_one(model, model.see(maps[k:k + 1]), width) for k in range(len(maps))]


def best_of_one(model, seen, width):
    states = model.states(1)
    words, sums, sequences, done = torch.tensor([model.start]), [0.0], [[]], []
    for t in range(LONGEST + 1):
        logits, states = model.step(words[None], seen, states, t == 0)
        log_probs = F.log_softmax(logits[0], 1)
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
        words, states = torch.tensor([v["c"] for v in live]), [state[:, parents] for state in states]
    total, words = max(done, key=lambda caption: caption[0])
    return words, total


def batched(model, maps, width):
    """All images at once: (words, total) of each image of maps [N, C, h, w]."""
    images = len(maps)
    seen = model.see(maps)
    best, best_words = torch.full((images,), NEVER), torch.zeros(images, LONGEST, dtype=torch.long)
    best_length = torch.zeros(images, dtype=torch.long)
    alive = torch.arange(images)
    sums, words = torch.zeros(images, 1), torch.full((images, 1), model.start)
    sequences = torch.zeros(images, 1, 0, dtype=torch.long)
    states = model.states(images)

    def finish(rows, totals, which, length):
        """Keeps ended captions that are better than the best so far."""
        better = totals > best[alive[rows]]
        rows, totals, which = rows[better], totals[better], which[better]
        best[alive[rows]] = totals
        best_words[alive[rows], :length] = sequences[rows, which]
        best_length[alive[rows]] = length

    for t in range(LONGEST + 1):
        count, beams = sums.shape
        told = {name: part if count == images else part[alive] for name, part in seen.items()}
        logits, states = model.step(words, told, states, t == 0)
        logits = logits.flatten(0, 1)
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
        states = [state.flatten(0, 1)[origin].view(len(keep), width, -1) for state in states]
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
    model, maps = Model(options.model), load_file(options.features)["features"]
    # Of the head alone 2×2, of regions 7×7.
    side = 7 if model.attention else 2
    maps = maps.view(len(maps), -1, side, side)
    times = []
    with torch.inference_mode():
        if options.engine == "loop":
            loop(model, maps[:10], options.beam_width)  # warms
        for repetition in range(options.repetitions + (options.engine != "loop")):
            start = time.perf_counter()
            found = []
            for first in range(0, len(maps), options.batch):
                part = maps[first:first + options.batch]
                found += (loop if options.engine == "loop" else batched)(model, part, options.beam_width)
            times.append((time.perf_counter() - start) * 1000)
    captions = [" ".join(model.words[word] for word in words) for words, _ in found]
    print(json.dumps({"engine": f"pytorch ({options.engine})", "precision": "f32", "threads": options.threads,
                      "images": len(maps), "times": times[options.engine != "loop":], "captions": captions,
                      "log_probs": [total for _, total in found]}))


if __name__ == "__main__":
    main()
