"""Golden curves of min-char-rnn (Karpathy 2015, gist.github.com/karpathy/d4dee566867f8291f086): its equations in NumPy's
double precision, from weights that both sides draw from one seed, on a text that this script makes up.

  text                  what is learned; the state begins anew where less than a chunk is left of it
  curves[].rate         the learning rate
  curves[].losses, smooth   the loss of each step, summed over its 25 characters, and its running mean (0.999)

At the gist's own rate, 0.1, the first updates move every weight by a tenth of what a tanh can bear, and training is
chaotic: a start that differs by 1e-15 has another loss after ten steps, in double precision too (`--chaos` shows it). So
that curve is only as long as rounding allows, and 1,000 steps are at 0.01. That each step at 0.1 is the gist's is tested
from the weights that the steps before have left.

`python3 tools/golden/min_char_rnn.py` writes Tests/LanguageModelsTests/Fixtures/min_char_rnn.json.
"""

import sys

import numpy as np

from fixtures import destination, write_json
from splitmix import Random

HIDDEN, LENGTH, RATE, CLIP, DEVIATION, SEED = 100, 25, 0.1, 5, 0.01, 7


def normal(random: Random, shape) -> np.ndarray:
    """`Tensor(normal: shape, standardDeviation: DEVIATION)`: two draws a scalar (Box-Muller)."""
    bits = (random.bits(2 * int(np.prod(shape))) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    values = np.sqrt(-2 * np.log(1 - bits[0::2])) * np.cos(2 * np.pi * bits[1::2])
    return (values.astype(np.float32) * np.float32(DEVIATION)).reshape(shape)


class MinCharRNN:
    """The gist's network, loss and update; `number` is what it computes in."""

    def __init__(self, vocabulary: int, hidden: int = HIDDEN, seed: int = SEED, number=np.float64):
        # Drawn in the order in which the layers of captioner ask: W_xh, W_hh, W_hy.
        random = Random(seed, 1)
        self.Wxh = normal(random, (hidden, vocabulary)).astype(number)
        self.Whh = normal(random, (hidden, hidden)).astype(number)
        self.Why = normal(random, (vocabulary, hidden)).astype(number)
        self.bh = np.zeros((hidden, 1), number)
        self.by = np.zeros((vocabulary, 1), number)
        self.memory = [np.zeros_like(parameter) for parameter in self.parameters]
        self.hidden, self.vocabulary, self.number = hidden, vocabulary, number

    @property
    def parameters(self):
        return [self.Wxh, self.Whh, self.Why, self.bh, self.by]

    def loss(self, inputs, targets, hprev):
        """The loss of a chunk, its clipped gradients and the last state, as the gist's lossFun."""
        xs, hs, ys, ps = {}, {}, {}, {}
        hs[-1] = np.copy(hprev)
        loss = 0
        for t in range(len(inputs)):
            xs[t] = np.zeros((self.vocabulary, 1), self.number)
            xs[t][inputs[t]] = 1
            hs[t] = np.tanh(np.dot(self.Wxh, xs[t]) + np.dot(self.Whh, hs[t - 1]) + self.bh)
            ys[t] = np.dot(self.Why, hs[t]) + self.by
            ps[t] = np.exp(ys[t]) / np.sum(np.exp(ys[t]))
            loss += -np.log(ps[t][targets[t], 0])
        dWxh, dWhh, dWhy = np.zeros_like(self.Wxh), np.zeros_like(self.Whh), np.zeros_like(self.Why)
        dbh, dby = np.zeros_like(self.bh), np.zeros_like(self.by)
        dhnext = np.zeros_like(hs[0])
        for t in reversed(range(len(inputs))):
            dy = np.copy(ps[t])
            dy[targets[t]] -= 1
            dWhy += np.dot(dy, hs[t].T)
            dby += dy
            dh = np.dot(self.Why.T, dy) + dhnext
            dhraw = (1 - hs[t] * hs[t]) * dh
            dbh += dhraw
            dWxh += np.dot(dhraw, xs[t].T)
            dWhh += np.dot(dhraw, hs[t - 1].T)
            dhnext = np.dot(self.Whh.T, dhraw)
        gradients = [dWxh, dWhh, dWhy, dbh, dby]
        for gradient in gradients:
            np.clip(gradient, -CLIP, CLIP, out=gradient)
        return loss, gradients, hs[len(inputs) - 1]

    def update(self, gradients, rate=RATE):
        """Adagrad, as the gist has it."""
        for parameter, gradient, memory in zip(self.parameters, gradients, self.memory):
            memory += gradient * gradient
            parameter += -rate * gradient / np.sqrt(memory + 1e-8)


def curve(text: str, steps: int, rate=RATE, number=np.float64, nudge=0.0):
    """The losses of some steps on a text, and their running means; `nudge`: what share the start is off by."""
    characters = sorted(set(text))
    data = [characters.index(character) for character in text]
    network = MinCharRNN(len(characters), number=number)
    for parameter in network.parameters:
        parameter *= 1 + nudge
    smooth = -np.log(1.0 / len(characters)) * LENGTH
    losses, smoothed = [], []
    p = 0
    for n in range(steps):
        if p + LENGTH + 1 >= len(data) or n == 0:
            hprev = np.zeros((HIDDEN, 1), number)
            p = 0
        loss, gradients, hprev = network.loss(data[p:p + LENGTH], data[p + 1:p + LENGTH + 1], hprev)
        smooth = smooth * 0.999 + loss * 0.001
        network.update(gradients, rate)
        losses.append(float(loss))
        smoothed.append(float(smooth))
        p += LENGTH
    return losses, smoothed


def sentences(count: int) -> str:
    """A made-up text: sentences of a small grammar, some of them quoted, some in brackets."""
    random = Random(SEED, 2)

    def one(words):
        return words[int(random.bits(1)[0] % np.uint64(len(words)))]

    def sentence():
        subject = f"{one(['the', 'a', 'one'])} {one(['red', 'small', 'old', 'quick', 'odd'])} {one(['dog', 'fox', 'bird', 'cat'])}"
        rest = f"{one(['runs', 'sleeps', 'waits', 'sings'])} {one(['by the river', 'on a hill', 'at noon', 'alone'])}"
        return f"{subject} {rest}"

    lines = []
    for _ in range(count):
        said = sentence()
        lines.append(one([f"{said}.", f'"{said}," it said.', f"{said} ({sentence()}).", f"{said}; {sentence()}!"]))
    return "\n".join(lines) + "\n"


def chaos(text: str):
    """How far curves come apart that begin all but alike."""
    for rate in [0.01, 0.1]:
        exact, _ = curve(text, 1000, rate)
        for name, other in [("a start off by 1e-15", curve(text, 1000, rate, nudge=1e-15)),
                            ("single precision", curve(text, 1000, rate, np.float32))]:
            apart = np.abs(np.array(exact) - other[0])
            shown = ", ".join(f"{apart[step]:.1e} at step {step + 1}" for step in [1, 4, 9, 99, 999])
            print(f"rate {rate}, {name}: {shown}; {apart.max():.1e} at most")


def main():
    text = sentences(60)
    if "--chaos" in sys.argv:
        return chaos(text)
    curves = []
    for rate, steps in [(0.01, 1000), (0.1, 3)]:
        losses, smooth = curve(text, steps, rate)
        curves.append({"rate": rate, "losses": [round(value, 5) for value in losses],
                       "smooth": [round(value, 5) for value in smooth]})
    write_json(destination("LanguageModelsTests", "min_char_rnn.json"), {"text": text, "seed": SEED, "curves": curves})


if __name__ == "__main__":
    main()
