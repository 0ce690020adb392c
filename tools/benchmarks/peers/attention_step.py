"""A training step of decoders with attention in PyTorch, the equations of tools/golden/conditionings.py.

    python3 attention_step.py --way gates|soft|top-down [--images 20] [--compile] [--threads 2] [--repetitions 5]

100 captions of 12 words about 20 photos (or as many as --images says), 7×7 regions, E = H = A = 512, K = 256, C = 512,
V = 2543, v of 4096 numbers made of 2048 by a layer (ReLU, dropout .5) that learns too, W_ih v at every step, dropout .5 on
embeddings and on h before the projection, mean cross-entropy, Adam, clipping to 5. Values and keys are computed once a photo and shared by its captions; what does not depend on the
state is one product for all steps. One JSON line to standard output; the first two steps warm up (with --compile, they
compile).
"""

import argparse
import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

B, T, V, E, H, A, K, C, P, D, R = 100, 12, 2543, 512, 512, 512, 256, 512, 2048, 4096, 49


def lstm(sums, c):
    """One step, gates in the order [i, f, o, g]."""
    i, f, o = torch.sigmoid(sums[:, : 3 * H]).chunk(3, 1)
    c = f * c + i * torch.tanh(sums[:, 3 * H :])
    return o * torch.tanh(c), c


class Decoder(nn.Module):
    def __init__(self, way):
        super().__init__()
        self.way = way
        self.embedding, self.output = nn.Embedding(V, E), nn.Linear(H, V)
        self.words, self.recurrent = nn.Linear(E, 4 * H), nn.Linear(H, 4 * H, bias=False)
        self.head, self.image = nn.Linear(P, D), nn.Linear(D, 4 * H, bias=False)
        if way == "gates":
            return
        self.values, self.keys = nn.Linear(C, A), nn.Linear(A, K)
        self.query, self.scorer = nn.Linear(H, K, bias=False), nn.Parameter(torch.rand(K) - 0.5)
        self.seen = nn.Linear(A, 4 * H, bias=False)
        if way == "top-down":
            self.mean, self.feedback = nn.Linear(A, 4 * H, bias=False), nn.Linear(H, 4 * H, bias=False)
            self.looked, self.recurrent2 = nn.Linear(H, 4 * H), nn.Linear(H, 4 * H, bias=False)

    def attend(self, a, k, h):
        """z [B, A] of captions in photos' order: a [N, R, A], k [N, R, K], h [B, H]."""
        q = self.query(h).view(len(a), -1, 1, K)
        alpha = torch.softmax(torch.tanh(k[:, None] + q) @ self.scorer, -1)  # [N, B / N, R]
        return torch.bmm(alpha, a).view(-1, A)

    def forward(self, pooled, regions, inputs):
        """Logits [T, B, V]."""
        v = F.dropout(torch.relu(self.head(pooled)), 0.5)
        each = B // len(v)
        gates = self.words(F.dropout(self.embedding(inputs), 0.5))
        image = self.image(v)
        a = k = None
        if self.way != "gates":
            a = torch.relu(self.values(regions))
            k = self.keys(a)
        if self.way == "top-down":
            image = image + self.mean(a.mean(1))
        gates = gates + image.repeat_interleave(each, 0)
        h = c = h2 = c2 = v.new_zeros(B, H)
        hidden = []
        for t in range(T):
            sums = gates[t] + self.recurrent(h)
            if self.way == "soft":
                sums = sums + self.seen(self.attend(a, k, h))
            if self.way == "top-down":
                sums = sums + self.feedback(h2)
            h, c = lstm(sums, c)
            if self.way == "top-down":
                h2, c2 = lstm(self.seen(self.attend(a, k, h)) + self.looked(h) + self.recurrent2(h2), c2)
            hidden.append(h2 if self.way == "top-down" else h)
        return self.output(F.dropout(torch.stack(hidden), 0.5))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--way", choices=["gates", "soft", "top-down"], required=True)
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    print(f"pytorch: torch {torch.__version__}", file=sys.stderr)
    model = Decoder(options.way)
    step = torch.compile(model) if options.compile else model
    pooled, regions = torch.rand(options.images, P) * 2 - 1, torch.rand(options.images, R, C) * 2 - 1
    words = torch.randint(4, V, (T, B))
    inputs, targets = torch.cat([torch.ones(1, B, dtype=torch.long), words[:-1]]), words.reshape(-1)
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-4, fused=True)
    times, losses = [], []
    for _ in range(options.repetitions + 2):
        start = time.perf_counter()
        loss = F.cross_entropy(step(pooled, regions, inputs).flatten(0, 1), targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        losses.append(loss.item())
        times.append((time.perf_counter() - start) * 1000)
    print(json.dumps({
        "engine": f"pytorch{' (compiled)' if options.compile else ''}", "precision": "f32",
        "threads": options.threads, "times": [round(t, 1) for t in times[2:]],
        "first_loss": round(losses[0], 3), "last_loss": round(losses[-1], 3)}), flush=True)


if __name__ == "__main__":
    main()
