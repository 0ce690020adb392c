"""Training steps of a language model of characters, in NumPy as min-char-rnn has them or in PyTorch.

    python3 language_model.py TEXT --engine numpy|pytorch [--cell rnn|lstm|gru] [--layers 1] [--hidden 100] [--batch 1]
        [--length 25] [--steps 100] [--gist] [--threads 2] [--repetitions 5]

numpy: the gist's own loop (tools/golden/min_char_rnn.py has its equations): hidden 100, 25 characters, Adagrad 0.1, in
double precision as the original. pytorch: nn.RNN, nn.LSTM or nn.GRU over one-hot characters and a linear layer, the
state carried over, with --gist the loss summed, clipped by value, Adagrad; else its mean, clipping the norm to 5, Adam.
One JSON line to standard output: milliseconds for 1,000 characters; the first --steps steps warm up.
"""

import argparse
import json
import pathlib
import sys
import time

import numpy as np


def numpy_steps(data, vocabulary, options):
    """A generator that takes a step each time."""
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "golden"))
    from min_char_rnn import MinCharRNN

    network = MinCharRNN(vocabulary, options.hidden)
    p, length, hprev = 0, options.length, np.zeros((options.hidden, 1))
    data = data.tolist()
    while True:
        if p + length + 1 >= len(data):
            p, hprev = 0, np.zeros((options.hidden, 1))
        loss, gradients, hprev = network.loss(data[p:p + length], data[p + 1:p + length + 1], hprev)
        network.update(gradients)
        p += length
        yield loss / length


def pytorch_steps(data, vocabulary, options):
    import torch
    from torch import nn
    from torch.nn import functional as F

    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    layer = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[options.cell](vocabulary, options.hidden, options.layers)
    output = nn.Linear(options.hidden, vocabulary)
    parameters = [*layer.parameters(), *output.parameters()]
    if options.gist:
        optimizer = torch.optim.Adagrad(parameters, lr=0.1, initial_accumulator_value=1e-8)
    else:
        optimizer = torch.optim.Adam(parameters, lr=2e-3, fused=True)
    streams = (len(data) - 1) // options.batch
    inputs = torch.from_numpy(data[:streams * options.batch]).view(options.batch, streams).t()
    targets = torch.from_numpy(data[1:streams * options.batch + 1]).view(options.batch, streams).t()
    state, p = None, 0
    while True:
        if p + options.length >= streams:
            state, p = None, 0
        x = F.one_hot(inputs[p:p + options.length], vocabulary).float()
        h, state = layer(x, state)
        state = tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()
        loss = F.cross_entropy(output(h).view(-1, vocabulary), targets[p:p + options.length].reshape(-1),
                               reduction="sum" if options.gist else "mean")
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if options.gist:
            nn.utils.clip_grad_value_(parameters, 5)
        else:
            nn.utils.clip_grad_norm_(parameters, 5)
        optimizer.step()
        p += options.length
        yield loss.item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("text")
    parser.add_argument("--engine", choices=["numpy", "pytorch"], required=True)
    parser.add_argument("--cell", choices=["rnn", "lstm", "gru"], default="rnn")
    parser.add_argument("--layers", type=int, default=1)
    parser.add_argument("--hidden", type=int, default=100)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--length", type=int, default=25)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--gist", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    text = open(options.text, encoding="utf-8").read()
    characters = sorted(set(text))
    places = {character: place for place, character in enumerate(characters)}
    data = np.array([places[character] for character in text], np.int64)
    steps = {"numpy": numpy_steps, "pytorch": pytorch_steps}[options.engine](data, len(characters), options)
    times, loss = [], 0
    for _ in range(options.repetitions + 1):
        start = time.perf_counter()
        for _ in range(options.steps):
            loss = next(steps)
        seconds = time.perf_counter() - start
        times.append(seconds * 1e6 / (options.steps * options.batch * options.length))
    name = "numpy (min-char-rnn)" if options.engine == "numpy" else f"pytorch (nn.{options.cell.upper()})"
    print(json.dumps({"engine": name, "precision": "f64" if options.engine == "numpy" else "f32",
                      "threads": options.threads, "times": times[1:], "last_loss": loss}), flush=True)


if __name__ == "__main__":
    main()
