"""BLEU, ROUGE-L and CIDEr of made-up captions, as pycocoevalcap computes them with its tokenizer (needs Java).

    python3 tools/golden/metrics.py

Writes Tests/CaptionMetricsTests/Fixtures/metrics.json: `sets`, each with `name`, `samples` (`candidate`, `references`: as
people write), `corpus` {metric: score} and `perImage` {metric: [N]}. The sets: a machine's captions against five
references; one human against the others; degenerate captions (empty, one word, very long, not ASCII, repeated); and
some of those alone. All are random sentences of a toy grammar or made up here.
"""

import contextlib
import random
import sys

from fixtures import destination, write_json
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

WHO = {"man": ["A man", "The man", "A guy in a T-shirt", "An older man", "Someone"],
       "dog": ["A dog", "A brown dog", "The brown-and-white dog", "A dog that's wet", "An animal"],
       "girl": ["A girl", "A little girl", "The 5-year-old girl", "A child", "Someone's daughter"],
       "people": ["Two people", "A couple", "Some people", "A man and a woman", "Friends"]}
DOES = {"runs": ["runs", "is running", "is jogging quickly", "races", "doesn't stop running"],
        "jumps": ["jumps", "is jumping", "leaps into the air", "jumps over a log", "is mid-air"],
        "sits": ["sits", "is sitting down", "is resting", "sits and can't move", "is seated"],
        "plays": ["plays with a ball", "is playing", "plays catch", "throws a red ball", "is having fun"]}
WHERE = {"snow": ["in the snow", "in deep, white snow", "outside during winter", "on a snowy hill", "in snow"],
         "beach": ["on the beach", "by the ocean", "on wet sand", "near the water", "at the seashore"],
         "street": ["on a street", "on St. James St.", "in front of a shop (closed)", "in the city", "downtown"],
         "grass": ["in the grass", "through tall grass", "in a field", "on the lawn", "in a park"]}
END = [".", ".", " .", "", "!", "...", " - it's sunny.", ", seen from behind."]


def scene(rng: random.Random) -> tuple:
    return rng.choice(list(WHO)), rng.choice(list(DOES)), rng.choice(list(WHERE))


def human(rng: random.Random, of: tuple) -> str:
    who, does, where = of
    return f"{rng.choice(WHO[who])} {rng.choice(DOES[does])} {rng.choice(WHERE[where])}{rng.choice(END)}"


def machine(rng: random.Random, of: tuple) -> str:
    """Plain words, now and then of another scene."""
    who, does, where = (a if rng.random() < 0.8 else b for a, b in zip(of, scene(rng)))
    return f"{WHO[who][0].lower()} is {DOES[does][0]} {WHERE[where][0]}"


def degenerate(rng: random.Random) -> list:
    usual = [human(rng, scene(rng)) for _ in range(5)]
    other = [human(rng, scene(rng)) for _ in range(3)]
    return [
        ("", usual),
        ("", [""]),
        ("a dog", ["", "a dog"]),
        ("...", other),
        (" ", ["...", "A dog."]),
        ("dog", ["a dog runs", "dog"]),
        ("dog", ["dog"]),
        ("a", usual),
        ("a b c", ["a b c d", "a b"]),
        ("the the the the the the the", ["the cat is on the mat", "there is a cat on the mat"]),
        (" ".join(["a dog and"] * 60), other),
        ("a dog runs", [" ".join(["a dog and"] * 60), "a dog runs"]),
        (" ".join(f"word{n}" for n in range(300)), [" ".join(f"word{n}" for n in range(0, 300, 2))]),
        ("nothing in common here", ["a dog runs", "two cats sleep"]),
        ("A dog runs in the snow.", ["a dog runs in the snow"]),
        ("A dog runs in the snow.", ["a dog runs in the snow"]),
        ("日本の犬 が 走る", ["日本の犬 が 走る 。", "a dog in Japan"]),
        ("Ein Hündchen läuft über die Straße", ["ein hündchen läuft über die strasse", "EIN HÜNDCHEN LÄUFT"]),
        ("собака бежит по снегу", ["Собака бежит по белому снегу.", "собака"]),
        ("a café — “crème brûlée” for £5", ["A cafe's crème brûlée", "a café with crème brûlée for # 5"]),
        ("a dog 😀 runs 👍", ["a dog runs", "a 😀 dog"]),
        ("<unk> <unk> a <unk>", ["<unk> a", "a dog"]),
        ("&amp; % $ #1 @you", ["& % $", "#1 @you"]),
        ("((a)) [b] {c}", ["(a) [b] {c}", "a b c"]),
        ("at 22 3/4 street", ["at 22 3/4 St.", "at 22 street", "3/4 of (555) 123-4567"]),
        ("call 800 555 1234", ["call 800-555-1234", "800 555 1234"]),
        ("a dog, a dog, a dog", ["a dog", "a dog, a dog", "two dogs"] * 4),
    ]


def scored(name: str, samples: list) -> dict:
    with contextlib.redirect_stdout(sys.stderr):
        def tokenized(captions):
            return PTBTokenizer().tokenize({n: [{"caption": text} for text in texts] for n, texts in enumerate(captions)})

        truth = tokenized([references for _, references in samples])
        found = tokenized([[candidate] for candidate, _ in samples])
        bleu, bleus = Bleu(4).compute_score(truth, found, verbose=0)
        rouge, rouges = Rouge().compute_score(truth, found)
        cider, ciders = Cider().compute_score(truth, found)
    names = ["Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "ROUGE_L", "CIDEr"]
    return {
        "name": name,
        "samples": [{"candidate": candidate, "references": references} for candidate, references in samples],
        "corpus": {key: float(value) for key, value in zip(names, [*bleu, rouge, cider])},
        "perImage": {key: [float(v) for v in values] for key, values in zip(names, [*bleus, rouges, ciders])},
    }


def main() -> None:
    rng = random.Random(20)
    scenes = [scene(rng) for _ in range(40)]
    against_five = [(machine(rng, of), [human(rng, of) for _ in range(5)]) for of in scenes]
    among_humans = [(human(rng, of), [human(rng, of) for _ in range(4)]) for of in scenes]
    odd = degenerate(rng)
    sets = {"machine": against_five, "human": among_humans, "degenerate": odd, "all": against_five + among_humans + odd}
    sets |= {f"alone {n}": [sample] for n, sample in enumerate(odd[:8]) if any(sample[1])}
    scores = [scored(name, samples) for name, samples in sets.items()]
    write_json(destination("CaptionMetricsTests", "metrics.json"), {"sets": scores})


if __name__ == "__main__":
    main()
