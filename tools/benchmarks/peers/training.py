"""One training epoch of the captioner in PyTorch on the CPU, float32: the recipe of the embedded model.

    python3 training.py [--variant loop|function|lstm]... [--batches 30] [--threads 2]

30,000 captions of 6,000 cached features [2048], made up, with the lengths of Flickr8k's training captions; the
trained compact head (2048 -> 4096, ReLU, dropout .5), H = E = 512, V = 2540, W_ih v at every step, dropout .5
on embeddings and on h before the projection, batches of 100 captions drawn at random, mean cross-entropy over
live positions, Adam 4e-4, clipping to 5. Three formulations; the fastest is the one to compare with:

  loop      gates of all steps in one product, W_ih v once a caption; a Python loop over packed steps, autograd
  function  the same, with the loop's backward written out: one product a weight matrix after the loop
  lstm      nn.LSTM on packed [embedding, v]

Versions go to standard error; one JSON line a variant to standard output. The first batches (2) warm up;
an epoch is extrapolated from the median of the `batches` timed after them:
{"engine": …, "seconds_per_epoch": …, "batches": timed, "batches_per_epoch": 300, "times": [milliseconds each]}.
"""

import argparse
import json
import statistics
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

IMAGES, FEATURES, D, H, E, V, BATCH = 6000, 2048, 4096, 512, 512, 2540, 100
# Flickr8k's training captions by their number of words, from 2; without punctuation.
LENGTHS = [15, 126, 346, 862, 1958, 2537, 2926, 3320, 3318, 3131, 2779, 2318, 1849, 1329, 977, 662, 513, 367, 204,
           136, 110, 74, 52, 33, 20, 11, 7, 9, 4, 3, 1, 2, 0, 0, 1]


def captions(random):
    """(image, [<s>, words, </s>]) of each caption; frequent words are the small numbers."""
    lengths = np.repeat(np.arange(len(LENGTHS)) + 2, LENGTHS)
    random.shuffle(lengths)
    ranks = np.minimum(4 + (V - 4) ** random.random(int(lengths.sum())), V - 1).astype(np.int64)
    words = np.split(ranks, np.cumsum(lengths)[:-1])
    return [(i % IMAGES, np.concatenate([[1], w, [2]])) for i, w in enumerate(words)]


def packed(batch):
    """Images and sizes of the batch, longest caption first, and its inputs and targets, time-major."""
    batch = sorted(batch, key=lambda caption: -len(caption[1]))
    lengths = np.array([len(words) - 1 for _, words in batch])
    table = np.zeros((lengths[0] + 1, len(batch)), np.int64)
    for k, (_, words) in enumerate(batch):
        table[: len(words), k] = words
    live = np.arange(lengths[0])[:, None] < lengths[None]
    caption = np.broadcast_to(np.arange(len(batch)), live.shape)[live]
    return (torch.tensor([image for image, _ in batch]), torch.from_numpy(table[:-1][live]),
            torch.from_numpy(table[1:][live]), torch.from_numpy(caption), live.sum(1).tolist())


class Recurrence(torch.autograd.Function):
    """h of every step from the gates' inputs [P,4H], packed; order [i, f, o, g]."""

    @staticmethod
    def forward(ctx, gates, weight, sizes):
        transposed = weight.t()
        activations, start = torch.empty_like(gates), 0
        cells = gates.new_empty(gates.shape[0], H)
        tanhs, hidden = torch.empty_like(cells), torch.empty_like(cells)
        h = c = gates.new_zeros(sizes[0], H)
        for n in sizes:
            rows = slice(start, start + n)
            sums = torch.addmm(gates[rows], h[:n], transposed)
            a = activations[rows]
            torch.sigmoid(sums[:, : 3 * H], out=a[:, : 3 * H])
            torch.tanh(sums[:, 3 * H :], out=a[:, 3 * H :])
            i, f, o, g = a.chunk(4, 1)
            c = torch.mul(f, c[:n], out=cells[rows]).addcmul_(i, g)
            h = torch.mul(o, torch.tanh(c, out=tanhs[rows]), out=hidden[rows])
            start += n
        ctx.save_for_backward(activations, cells, tanhs, hidden, weight)
        ctx.sizes = sizes
        return hidden

    @staticmethod
    def backward(ctx, dhidden):
        activations, cells, tanhs, hidden, weight = ctx.saved_tensors
        sizes = ctx.sizes
        dgates, end, dh, dc = torch.empty_like(activations), hidden.shape[0], None, None
        previous = []
        for t in reversed(range(len(sizes))):
            n, rows = sizes[t], slice(end - sizes[t], end)
            before = slice(end - n - sizes[t - 1], end - sizes[t - 1]) if t else None
            dy = dhidden[rows].clone()
            if dh is not None:
                dy[: dh.shape[0]] += dh
            i, f, o, g = activations[rows].chunk(4, 1)
            tanh = tanhs[rows]
            cell = dy * o * (1 - tanh * tanh)
            if dc is not None:
                cell[: dc.shape[0]] += dc
            d = dgates[rows]
            torch.mul(cell * g, i * (1 - i), out=d[:, :H])
            if t:
                torch.mul(cell * cells[before][:n], f * (1 - f), out=d[:, H : 2 * H])
                previous.append(hidden[before][:n])
            else:
                d[:, H : 2 * H] = 0
            torch.mul(dy * tanh, o * (1 - o), out=d[:, 2 * H : 3 * H])
            torch.mul(cell * i, 1 - g * g, out=d[:, 3 * H :])
            if t:
                dh, dc = d @ weight, cell * f
            end -= n
        return dgates, dgates[sizes[0] :].t() @ torch.cat(previous[::-1]), None


class Captioner(nn.Module):
    """Of `words` words; without a head it is given v itself."""

    def __init__(self, variant, words=V, head=True):
        super().__init__()
        self.variant = variant
        self.head = nn.Linear(FEATURES, D) if head else None
        self.embedding = nn.Embedding(words, E)
        self.output = nn.Linear(H, words)
        if variant == "lstm":
            self.lstm = nn.LSTM(E + D, H)
        else:
            self.words = nn.Linear(E, 4 * H)
            self.image = nn.Linear(D, 4 * H, bias=False)
            self.recurrent = nn.Linear(H, 4 * H, bias=False)

    def forward(self, features, inputs, caption, sizes):
        """Logits of packed inputs [P], or, caption None, of inputs [T, B]: captions of one length."""
        v = features if self.head is None else F.dropout(F.relu(self.head(features)), 0.5)
        x = F.dropout(self.embedding(inputs), 0.5)

        def spread(rows):
            return rows.expand(*x.shape[:-1], -1) if caption is None else rows.index_select(0, caption)

        if self.variant != "lstm":
            gates = self.words(x) + spread(self.image(v))
            hidden = getattr(self, self.variant)(gates.flatten(0, -2), sizes)
        elif caption is None:
            hidden = self.lstm(torch.cat([x, spread(v)], 2))[0].flatten(0, -2)
        else:
            x = torch.cat([x, spread(v)], 1)
            hidden = self.lstm(nn.utils.rnn.PackedSequence(x, torch.tensor(sizes)))[0].data
        return self.output(F.dropout(hidden, 0.5))

    def function(self, gates, sizes):
        return Recurrence.apply(gates, self.recurrent.weight.to(gates.dtype), sizes)

    def loop(self, gates, sizes):
        h = c = gates.new_zeros(sizes[0], H)
        hidden = []
        for step, n in zip(gates.split(sizes), sizes):
            a = torch.addmm(step, h[:n], self.recurrent.weight.t())
            i, f, o = torch.sigmoid(a[:, : 3 * H]).chunk(3, 1)
            c = f * c[:n] + i * torch.tanh(a[:, 3 * H :])
            h = o * torch.tanh(c)
            hidden.append(h)
        return torch.cat(hidden)


def timed(variant, batches, warm=2):
    """Milliseconds of each batch, and the losses."""
    torch.manual_seed(1)
    random = np.random.default_rng(1)
    features = torch.from_numpy(random.random((IMAGES, FEATURES), np.float32))
    data = captions(random)
    order = random.permutation(len(data))
    model = Captioner(variant)
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-4, fused=True)
    times, losses = [], []
    for k in range(warm + batches):
        start = time.perf_counter()
        images, inputs, targets, caption, sizes = packed([data[i] for i in order[k * BATCH : (k + 1) * BATCH]])
        loss = F.cross_entropy(model(features[images], inputs, caption, sizes), targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        losses.append(loss.item())
        times.append((time.perf_counter() - start) * 1000)
    return times[warm:], losses


def check():
    """The hand-written backward must be autograd's."""
    torch.manual_seed(1)
    model, sizes = Captioner("loop").double(), [5, 4, 4, 1]
    gates, gradients = torch.randn(14, 4 * H, dtype=torch.double, requires_grad=True), []
    for variant in ("loop", "function"):
        out = getattr(model, variant)(gates, sizes)
        gradients.append(torch.autograd.grad((out * torch.arange(H)).sum(), [gates, model.recurrent.weight]))
    for a, b in zip(*gradients):
        assert torch.allclose(a, b), (a - b).abs().max()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--variant", action="append", choices=["loop", "function", "lstm"])
    parser.add_argument("--batches", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    check()
    print(f"pytorch: torch {torch.__version__}", file=sys.stderr)
    for variant in options.variant or ["loop", "function", "lstm"]:
        times, losses = timed(variant, options.batches)
        epoch = sum(LENGTHS) // BATCH
        print(json.dumps({
            "engine": f"pytorch ({variant})", "precision": "f32", "threads": options.threads,
            "seconds_per_epoch": round(statistics.median(times) * epoch / 1000, 2), "batches": len(times),
            "batches_per_epoch": epoch, "times": [round(t, 1) for t in times],
            "first_loss": round(losses[0], 3), "last_loss": round(losses[-1], 3)}), flush=True)


if __name__ == "__main__":
    main()
