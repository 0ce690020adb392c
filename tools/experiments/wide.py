"""What embedded-model and ablation share: photos of three kinds, parts of them held back, and how models are judged on those."""

import collections
import json
import os
import random
import subprocess
import sys

from experiment import ROOT, Experiment, captioner, program

class Wide(Experiment):
    """Flickr8k, COCO pairs, labelled photos and text, prepared in `output`; 150 COCO photos and 400 labelled ones are held back."""

    def __init__(self, flickr8k, wide, encoder, output):
        output = output.resolve()
        super().__init__(flickr8k, encoder, output)
        if not (output / "labels_held.json").exists():
            hold_back(wide, output)
        # All photos in one folder: the teacher's scores are of one, and no two are called alike.
        self.photos = output / "photos"
        self.photos.mkdir(exist_ok=True)
        for folder in [flickr8k, wide / "coco", wide / "labelled"]:
            for photo in (folder / "images").resolve().iterdir():
                if not (self.photos / photo.name).is_symlink():
                    os.symlink(photo, self.photos / photo.name)
        self.flickr8k = flickr8k
        self.text = [word for path in sorted((wide / "text").glob("*.txt")) for word in ("--text", path)]
        self.names, self.labels = output / "names.tsv", output / "labels_train.json"
        self.label_captions, self.scores = output / "label_captions.json", output / "scores.safetensors"
        written(self.names, ROOT / "tools/datasets/everyday-names", "--labels", wide / "labelled/labels.json", *self.text)
        written(self.label_captions, ROOT / "tools/datasets/label-captions", "--labels", self.labels, "--names", self.names,
                *self.text)
        lists = [flickr8k / "captions_train.json", output / "coco_train.json", self.labels]
        if not self.scores.exists():
            subprocess.run([sys.executable, ROOT / "tools/teacher/scores", "--images", self.photos, "--output", self.scores,
                            *[word for path in lists for word in ("--list", path)]], check=True)
        self.naming = ["--labels", self.labels, "--label-images", self.photos, "--label-names", self.names]
        self.teacher = ["--teacher-scores", self.scores, "--teacher-images", self.photos]
        # Only --encoder and validation are the same for all runs.
        self.data = ["--images", self.photos, "--validation-captions", flickr8k / "captions_val.json", "--encoder", encoder]

    def pairs(self, label_captions, *weights) -> list:
        """--captions and --weight of Flickr8k, COCO and captions of labelled photos, as many as there are weights."""
        files = [self.flickr8k / "captions_train.json", self.output / "coco_train.json", label_captions]
        shares = [word for weight in weights for word in ("--weight", weight)] if len(weights) > 1 else []
        return [word for file in files[:len(weights)] for word in ("--captions", file)] + shares

    def forced_captions(self, model):
        """What the model says of the labelled photos when it must name their things."""
        path = self.output / "forced_captions.json"
        written(path, ROOT / "tools/datasets/forced-captions", "--labels", self.labels, "--names", self.names,
                "--images", self.photos, "--model", model, "--program", program())
        return path

    def calibration(self) -> list:
        """Home ground, and the COCO photos held back that have five captions: with one, CIDEr says another thing."""
        path = self.output / "coco_calibration.json"
        coco = json.loads((self.output / "coco_held.json").read_text())
        count = collections.Counter(annotation["image_id"] for annotation in coco["annotations"])
        path.write_text(json.dumps({
            "images": [image for image in coco["images"] if count[image["id"]] >= 5],
            "annotations": [one for one in coco["annotations"] if count[one["image_id"]] >= 5]}))
        return ["--captions", self.flickr8k / "captions_val.json", "--captions", path, "--images", self.photos]

    def judged(self, model) -> dict:
        """Scores in percent on Flickr8k's validation split and on what was held back."""
        kept = model.parent / "judged.json"
        if not kept.exists():
            scores = {}
            for name, captions in [("flickr8k", self.flickr8k / "captions_val.json"), ("coco", self.output / "coco_held.json")]:
                # The convolutions of all models are the same unless they learn: then a file of their own.
                features = (model.parent if "learning" in model.parent.name else self.output) / f"{name}.features"
                result = json.loads(captioner("evaluate", "--captions", captions, "--images", self.photos, "--model", model,
                                              "--features", features, "--format", "json"))
                scores[name] = {key: result[key] for key in ("CIDEr", "Bleu_4", "Bleu_1", "perplexity")}
            said = subprocess.run([ROOT / "tools/experiments/things", self.output / "labels_held.json", self.photos, "--names",
                                   self.names, "--model", model, "--program", program()],
                                  check=True, stdout=subprocess.PIPE, text=True).stdout
            scores["named"] = [float(word.rstrip("%,")) for word in said.split() if word.rstrip(",").endswith("%")]
            kept.write_text(json.dumps(scores))
        return json.loads(kept.read_text())


def hold_back(wide, output):
    """Splits the COCO pairs, half of those held back with five captions each, and the labelled photos."""
    chance = random.Random(1)
    coco = json.loads((wide / "coco/captions_train.json").read_text())
    count = collections.Counter(annotation["image_id"] for annotation in coco["annotations"])
    five, fewer = [i for i in sorted(count) if count[i] >= 5], [i for i in sorted(count) if count[i] < 5]
    held = set(chance.sample(five, 75) + chance.sample(fewer, 75))
    for name, is_kept in [("coco_train", lambda i: i not in held), ("coco_held", lambda i: i in held)]:
        part = {"images": [image for image in coco["images"] if is_kept(image["id"])],
                "annotations": [one for one in coco["annotations"] if is_kept(one["image_id"])]}
        (output / f"{name}.json").write_text(json.dumps(part))
    labels = json.loads((wide / "labelled/labels.json").read_text())
    count = collections.Counter(photo["label"] for photo in labels)
    known = sorted((photo for photo in labels if count[photo["label"]] > 1), key=lambda photo: photo["file_name"])
    held = {photo["file_name"] for photo in chance.sample(known, 400)}
    (output / "labels_train.json").write_text(json.dumps([p for p in labels if p["file_name"] not in held]))
    (output / "labels_held.json").write_text(json.dumps([p for p in labels if p["file_name"] in held]))


def written(path, *command):
    """Keeps what a script prints."""
    if not path.exists():
        path.write_bytes(subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, check=True).stdout)
