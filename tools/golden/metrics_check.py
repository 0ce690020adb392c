#!/usr/bin/env python3
"""Holds `captioner metrics` against pycocoevalcap and its tokenizer (Java) on files of one's own.

    python3 tools/golden/metrics_check.py scores REFERENCES.json RESULTS.json...   scores, and how far ours are from them
    python3 tools/golden/metrics_check.py tokens CAPTIONS.json...                  captions that get other words
    python3 tools/golden/metrics_check.py meteor CAPTIONS.json... [--count 5000]   METEOR of each caption against the others
                                                                                   of its image, and how long it takes

Common: [--captioner PATH] (.build/release/captioner). SPICE is left out. Images without a result are left out, as
pycocoevalcap does when told to take the results' images. Exits 1 if a score is off by more than 1e-6 (METEOR: 1e-4), or a
caption's words differ.
"""

import argparse
import contextlib
import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.meteor import meteor
from pycocoevalcap.rouge.rouge import Rouge
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = ["Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "ROUGE_L", "CIDEr"]


def captions(references: dict) -> dict:
    """Image ids to captions."""
    found = {}
    for annotation in references["annotations"]:
        found.setdefault(annotation["image_id"], []).append({"caption": annotation["caption"]})
    return found


def scores(references: dict, results: list) -> tuple:
    """pycocoevalcap's names to numbers, and those of each image, by its id."""
    truth = captions(references)
    truth = {result["image_id"]: truth[result["image_id"]] for result in results}
    found = {result["image_id"]: [{"caption": result["caption"]}] for result in results}
    with contextlib.redirect_stdout(sys.stderr):
        tokenizer = PTBTokenizer()
        truth, found = tokenizer.tokenize(truth), tokenizer.tokenize(found)
        bleu, bleus = Bleu(4).compute_score(truth, found, verbose=0)
        rouge, rouges = Rouge().compute_score(truth, found)
        cider, ciders = Cider().compute_score(truth, found)
    corpus = {name: float(value) for name, value in zip(NAMES, [*bleu, rouge, cider])}
    each = {image: dict(zip(NAMES, map(float, values))) for image, values in zip(truth, zip(*bleus, rouges, ciders))}
    return corpus, each


def ours(captioner: str, references: dict, results: list, *options) -> tuple:
    """As `scores`, from `captioner metrics`; each image's row as it is."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [pathlib.Path(folder) / name for name in ("references.json", "results.json", "rows.json")]
        paths[0].write_text(json.dumps(references))
        paths[1].write_text(json.dumps(results))
        command = [captioner, "metrics", "--references", paths[0], "--results", paths[1], "--per-image", paths[2],
                   "--resamples", "0",
                   "--tokenizer", "coco", "--format", "json", *options]
        corpus = json.loads(subprocess.check_output(command))
        return corpus, {row["image_id"]: row for row in json.loads(paths[2].read_text())}


def check_scores(captioner: str, references: str, paths: list) -> bool:
    references = json.loads(pathlib.Path(references).read_text())
    worst = 0.0
    for path in paths:
        results = json.loads(pathlib.Path(path).read_text())
        (theirs, each), (corpus, rows) = scores(references, results), ours(captioner, references, results)
        print(f"{path}: {len(results)} images\n{'':8} pycocoevalcap  captioner      off by  one image by")
        for name in NAMES:
            off = abs(theirs[name] - corpus[name])
            row_off = max(abs(values[name] - rows[image][name]) for image, values in each.items())
            worst = max(worst, off, row_off)
            print(f"{name:8} {theirs[name]:13.9f} {corpus[name]:10.9f} {off:10.1e} {row_off:10.1e}")
    return worst <= 1e-6


def check_tokens(captioner: str, paths: list) -> bool:
    total = 0
    for path in paths:
        texts = [annotation["caption"] for annotation in json.loads(pathlib.Path(path).read_text())["annotations"]]
        with contextlib.redirect_stdout(sys.stderr):
            theirs = PTBTokenizer().tokenize({n: [{"caption": text}] for n, text in enumerate(texts)})
        # Every caption is an image of its own here.
        references = {"images": [{"id": n} for n in range(len(texts))],
                      "annotations": [{"image_id": n, "caption": "a"} for n in range(len(texts))]}
        results = [{"image_id": n, "caption": text} for n, text in enumerate(texts)]
        _, rows = ours(captioner, references, results)
        different = [n for n in range(len(texts)) if rows[n]["tokens"] != [w for w in theirs[n][0].split(" ") if w]]
        total += len(different)
        print(f"{path}: {len(texts)} captions, {len(different)} with other words")
        for n in different:
            print(f"  {texts[n]!r}\n    pycocoevalcap {theirs[n][0]}\n    captioner     {' '.join(rows[n]['tokens'])}")
    return total == 0


class Stopwatch:
    """Seconds that have passed, and those that processors worked in child processes, which must have ended."""

    def __init__(self):
        self.start = time.monotonic(), self.worked()

    @staticmethod
    def worked() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    def read(self) -> tuple:
        return time.monotonic() - self.start[0], self.worked() - self.start[1]


def check_meteor(captioner: str, paths: list, count: int) -> bool:
    worst = 0.0
    data = pathlib.Path(meteor.__file__).parent
    for path in paths:
        # Every caption is an image of its own, whose references are the others of its image.
        annotations, results = [], []
        for texts in captions(json.loads(pathlib.Path(path).read_text())).values():
            for text in texts if len(texts) > 1 else []:
                if len(results) < count:
                    others = [other["caption"] for other in texts if other is not text]
                    annotations += [{"image_id": len(results), "caption": other} for other in others]
                    results.append({"image_id": len(results), "caption": text["caption"]})
        references = {"images": [{"id": result["image_id"]} for result in results], "annotations": annotations}
        with contextlib.redirect_stdout(sys.stderr):
            tokenizer = PTBTokenizer()
            truth = tokenizer.tokenize(captions(references))
            found = tokenizer.tokenize({result["image_id"]: [{"caption": result["caption"]}] for result in results})
        watch = Stopwatch()
        scorer = meteor.Meteor()
        theirs, each = scorer.compute_score(truth, found)
        del scorer
        their_time = watch.read()
        watch = Stopwatch()
        corpus, rows = ours(captioner, references, results, "--meteor", data)
        our_time = watch.read()
        watch = Stopwatch()
        ours(captioner, references, results)
        without = watch.read()
        off = [abs(score - rows[image]["METEOR"]) for image, score in zip(truth, each)]
        worst = max(worst, abs(theirs - corpus["METEOR"]), *off)
        print(f"{path}: {len(results)} captions, {len(annotations)} references\n"
              f"{'':8} pycocoevalcap  captioner      off by  one caption by  captions off by 1e-9, 1e-4\n"
              f"{'METEOR':8} {theirs:13.9f} {corpus['METEOR']:10.9f} {abs(theirs - corpus['METEOR']):10.1e} {max(off):15.1e}"
              f"  {sum(value > 1e-9 for value in off)}, {sum(value > 1e-4 for value in off)}")
        for what, their, our, rest in zip(["seconds", "of processors"], their_time, our_time, without):
            print(f"{what:14} pycocoevalcap's METEOR {their:.1f}, captioner metrics with METEOR {our:.1f} ({their / our:.1f}x), "
                  f"without {rest:.1f}: METEOR {our - rest:.1f} ({their / (our - rest):.1f}x)")
    return worst <= 1e-4


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["scores", "tokens", "meteor"])
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--captioner", default=str(ROOT / ".build/release/captioner"))
    parser.add_argument("--count", type=int, default=5000, help="captions of each file, at most (meteor)")
    options = parser.parse_args()
    if options.what == "meteor":
        return 0 if check_meteor(options.captioner, options.files, options.count) else 1
    if options.what == "tokens":
        return 0 if check_tokens(options.captioner, options.files) else 1
    if len(options.files) < 2:
        parser.error("scores: expected references and results")
    return 0 if check_scores(options.captioner, options.files[0], options.files[1:]) else 1


if __name__ == "__main__":
    sys.exit(main())
