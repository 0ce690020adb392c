"""BLEU of made-up captions, as pycocoevalcap computes it.

    python3 tools/golden/bleu.py

Writes Tests/MetricsTests/Fixtures/bleu.json: `sets`, each with `samples` (`candidate`, `references`: tokens between
spaces), `corpus` [4] and `perSample` [N][4]. The captions are random sentences of a toy grammar and degenerate ones.
"""

import random

from fixtures import destination, write_json
from pycocoevalcap.bleu.bleu import Bleu

WHO = "a man|a woman|two dogs|a brown dog|three children|a boy in a red shirt|people|a little girl".split("|")
DOES = "runs|is standing|jumps|are playing|sits|is walking|rides a bike|plays with a ball|swims".split("|")
WHERE = "in the snow|on the beach|in a field|near the water|on a street|through tall grass|in front of a house".split("|")


def sentence(rng: random.Random) -> str:
    words = f"{rng.choice(WHO)} {rng.choice(DOES)} {rng.choice(WHERE)}"
    if rng.random() < 0.3:
        words += f" with {rng.choice(WHO)}"
    return words


def scored(samples: list) -> dict:
    truth = {n: references for n, (_, references) in enumerate(samples)}
    found = {n: [candidate] for n, (candidate, _) in enumerate(samples)}
    corpus, each = Bleu(4).compute_score(truth, found, verbose=0)
    return {
        "samples": [{"candidate": candidate, "references": references} for candidate, references in samples],
        "corpus": corpus,
        "perSample": [list(row) for row in zip(*each)],
    }


def main() -> None:
    rng = random.Random(20)
    usual = [(sentence(rng), [sentence(rng) for _ in range(5)]) for _ in range(40)]
    odd = [
        ("", ["a dog runs"]),
        ("dog", ["a dog runs", "dog"]),
        ("a", ["a dog runs in the snow"]),
        ("a dog", ["a dog"]),
        ("a b c", ["a b c d", "a b"]),
        ("the the the the the the the", ["the cat is on the mat", "there is a cat on the mat"]),
        (" ".join(["a dog and"] * 60), [sentence(rng), sentence(rng)]),
        ("nothing in common here", ["a dog runs", "two cats sleep"]),
        ("a dog runs in the snow", ["a dog runs in the snow"]),
        ("", [""]),
        ("a dog", [""]),
    ]
    sets = [usual, odd, usual + odd, *([sample] for sample in odd)]
    write_json(destination("MetricsTests", "bleu.json"), {"sets": [scored(samples) for samples in sets]})


if __name__ == "__main__":
    main()
