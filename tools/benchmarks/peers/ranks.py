"""The epoch of training.py (its fastest formulation, `function`) by several processes: PyTorch's DistributedDataParallel over gloo.

    python3 ranks.py [--processes 2] [--threads 1] [--batches 30]

Each process takes every second caption of each batch of 100, longest first; gradients are averaged as they are made, in
DDP's buckets. One JSON line as training.py's, of the first process.
"""

import argparse
import json
import os
import statistics
import time

import numpy as np
import torch
import torch.distributed
import torch.multiprocessing
from torch import nn
from torch.nn import functional as F

import training
from training import BATCH, FEATURES, IMAGES, LENGTHS, Captioner, captions, packed


def work(rank, options):
    torch.set_num_threads(options.threads)
    if options.processes > 1:
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(options.port))
        torch.distributed.init_process_group("gloo", rank=rank, world_size=options.processes)
    torch.manual_seed(1)
    random = np.random.default_rng(1)
    features = torch.from_numpy(random.random((IMAGES, FEATURES), np.float32))
    data = captions(random)
    order = random.permutation(len(data))
    model = Captioner("function")
    trained = nn.parallel.DistributedDataParallel(model) if options.processes > 1 else model
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-4, fused=True)
    times, losses, warm = [], [], 2
    for k in range(warm + options.batches):
        start = time.perf_counter()
        batch = sorted((data[i] for i in order[k * BATCH : (k + 1) * BATCH]), key=lambda caption: -len(caption[1]))
        words = sum(len(words) - 1 for _, words in batch)
        images, inputs, targets, caption, sizes = packed(batch[rank :: options.processes])
        logits = trained(features[images], inputs, caption, sizes)
        # DDP takes the mean of the processes' gradients: of sums over words, times the processes, it is the whole's mean.
        loss = F.cross_entropy(logits, targets, reduction="sum") * (options.processes / words)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        losses.append(loss.item())
        times.append((time.perf_counter() - start) * 1000)
    if rank == 0:
        epoch = sum(LENGTHS) // BATCH
        shared = f", {options.processes} processes" if options.processes > 1 else ""
        print(json.dumps({
            "engine": f"pytorch (function{shared})", "precision": "f32", "threads": options.threads,
            "seconds_per_epoch": round(statistics.median(times[warm:]) * epoch / 1000, 2),
            "batches": options.batches, "batches_per_epoch": epoch, "times": [round(t, 1) for t in times[warm:]],
            "first_loss": round(losses[0], 3), "last_loss": round(losses[-1], 3)}), flush=True)
    if options.processes > 1:
        torch.distributed.destroy_process_group()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--batches", type=int, default=30)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--port", type=int, default=29511)
    options = parser.parse_args()
    training.check()
    if options.processes == 1:
        work(0, options)
    else:
        torch.multiprocessing.spawn(work, (options,), nprocs=options.processes)


if __name__ == "__main__":
    main()
