"""A training step of the decoder alone in PyTorch: captions of one length over given features, W_ih v at every step.

    python3 decoder_step.py [--variant loop|function|lstm] [--bf16] [--threads 2] [--repetitions 5]

B = 64, T = 12, E = H = 512, D = 4096, V = 9567, dropout .5 on embeddings and on h before the projection, mean
cross-entropy, Adam, clipping to 5. Model and formulations are those of training.py; with --bf16 the forward pass runs
under autocast. One JSON line to standard output; the first two steps warm up.
"""

import argparse
import contextlib
import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

from training import Captioner, D

B, T, V = 64, 12, 9567


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--variant", choices=["loop", "function", "lstm"], default="function")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    print(f"pytorch: torch {torch.__version__}", file=sys.stderr)
    model, v = Captioner(options.variant, words=V, head=False), torch.rand(B, D) * 2 - 1
    words = torch.randint(4, V, (T, B))
    inputs, targets = torch.cat([torch.ones(1, B, dtype=torch.long), words[:-1]]), words.reshape(-1)
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-4, fused=True)
    half = torch.autocast("cpu", dtype=torch.bfloat16) if options.bf16 else contextlib.nullcontext()
    times, losses = [], []
    for _ in range(options.repetitions + 2):
        start = time.perf_counter()
        with half:
            loss = F.cross_entropy(model(v, inputs, None, [B] * T), targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        losses.append(loss.item())
        times.append((time.perf_counter() - start) * 1000)
    print(json.dumps({
        "engine": f"pytorch ({options.variant})", "precision": "bf16" if options.bf16 else "f32",
        "threads": options.threads, "times": [round(t, 1) for t in times[2:]],
        "first_loss": round(losses[0], 3), "last_loss": round(losses[-1], 3)}), flush=True)


if __name__ == "__main__":
    main()
