"""What `captioner metrics` does, by pycocoevalcap (needs Java): its tokenizer, BLEU, ROUGE-L and CIDEr.

    python3 metrics.py REFERENCES.json RESULTS.json

Prints the scores as one JSON object.
"""

import contextlib
import json
import sys

from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer


def main() -> None:
    with open(sys.argv[1]) as references, open(sys.argv[2]) as results:
        references, results = json.load(references), json.load(results)
    truth = {}
    for annotation in references["annotations"]:
        truth.setdefault(annotation["image_id"], []).append(annotation)
    found = {result["image_id"]: [result] for result in results}
    with contextlib.redirect_stdout(sys.stderr):
        tokenizer = PTBTokenizer()
        truth, found = tokenizer.tokenize(truth), tokenizer.tokenize(found)
        bleu, _ = Bleu(4).compute_score(truth, found, verbose=0)
        rouge, _ = Rouge().compute_score(truth, found)
        cider, _ = Cider().compute_score(truth, found)
    scores = {f"Bleu_{n + 1}": value for n, value in enumerate(bleu)}
    print(json.dumps(scores | {"ROUGE_L": float(rouge), "CIDEr": float(cider)}))


if __name__ == "__main__":
    main()
