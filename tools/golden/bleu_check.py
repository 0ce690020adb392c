"""Scores a COCO results file against COCO captions with pycocoevalcap, as one JSON object.

    python3 tools/golden/bleu_check.py RESULTS.json REFERENCES.json

Both sides pass the Penn Treebank tokenizer of Stanford CoreNLP (Java). METEOR and SPICE are left out.
`distinct` is the share of different captions among the results. Images of the references without a result
are refused: they would raise the score.
"""

import contextlib
import json
import sys

from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer


def scores(results: list, references: dict) -> dict:
    """pycocoevalcap's names to numbers in 0...1 (CIDEr 0...10)."""
    truth = {}
    for annotation in references["annotations"]:
        truth.setdefault(annotation["image_id"], []).append({"caption": annotation["caption"]})
    found = {result["image_id"]: [{"caption": result["caption"]}] for result in results}
    if len(found) != len(results):
        sys.exit("some image has two results")
    if found.keys() != truth.keys():
        sys.exit(f"{len(truth.keys() - found.keys())} images without a result, "
                 f"{len(found.keys() - truth.keys())} results without references")
    with contextlib.redirect_stdout(sys.stderr):
        tokenizer = PTBTokenizer()
        truth, found = tokenizer.tokenize(truth), tokenizer.tokenize(found)
        bleu, _ = Bleu(4).compute_score(truth, found, verbose=0)
        rouge, _ = Rouge().compute_score(truth, found)
        cider, _ = Cider().compute_score(truth, found)
    table = {f"Bleu_{n + 1}": value for n, value in enumerate(bleu)}
    table |= {"ROUGE_L": float(rouge), "CIDEr": float(cider)}
    table |= {"distinct": len({captions[0] for captions in found.values()}) / len(found), "images": len(found)}
    return table


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1]) as results, open(sys.argv[2]) as references:
        print(json.dumps(scores(json.load(results), json.load(references))))


if __name__ == "__main__":
    main()
