"""What benchmarks read: found in the repository, or made for the run. Each function adds to the run's values."""

import json
import pathlib
import struct
import sys
import tempfile

import machine

ROOT = pathlib.Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "datasets" / "sample" / "images"
MODEL = ROOT / "models" / "captioner.safetensors"


def photo(run):
    found = run.values["photo"] or next(iter(sorted(SAMPLE.glob("*.jpg"))), None)
    run.values["photo"] = found or sys.exit("no photo found: name one with --photo")


def model(run):
    run.values["model"] = run.values["model"] or MODEL
    if not pathlib.Path(run.values["model"]).exists():
        sys.exit(f"{run.values['model']}: no model found: name one with --model")


def model_and_photo(run):
    model(run)
    photo(run)


def captions(run):
    """A file of COCO's size."""
    if not run.values["captions"]:
        run.values["captions"] = run.scratch / "captions.json"
        run.call(ROOT / "tools" / "datasets" / "coco_size.py", run.values["captions"])


def jpeg(run):
    photo(run)
    for name, file in [("jpeg", "photo.jpg"), ("ours", "ours.raw"), ("peers", "peers.raw")]:
        run.values[name] = run.scratch / file
    run.call("photos.py", "one", run.values["photo"], run.values["jpeg"], "--size", run.values["size"])


def text(run):
    """This project's own sources, one after the other."""
    if not run.values["text"]:
        run.values["text"] = run.scratch / "sources.txt"
        sources = sorted((ROOT / "Sources").rglob("*.swift"))
        run.values["text"].write_text("".join(path.read_text() for path in sources))


def folder(run):
    """A folder of JPEGs: 200, unless told otherwise."""
    model(run)
    run.values["count"] = run.values["images"][0]
    if run.values["photos"]:
        run.values["count"] = len(list(pathlib.Path(run.values["photos"]).iterdir()))
        return
    run.values["photos"] = run.scratch / "photos"
    run.call("photos.py", "folder", SAMPLE, run.values["photos"], "--size", run.values["size"], "--images",
             run.values["count"])


def service(run):
    """The same, and the program whose service is asked."""
    folder(run)
    run.values["captioner"] = machine.built("captioner")


def scored_captions(run):
    """Made-up references and results, kept for the next time."""
    images = run.values["images"][0]
    kept = pathlib.Path(tempfile.gettempdir()) / f"captioner-benchmark-captions-{images}"
    run.call(ROOT / "tools" / "datasets" / "captions.py", images, kept)
    run.values["references"] = kept / "references.json"
    run.values["results"] = kept / "results.json"


def attends(model):
    """Whether its decoder looks at regions, not at v alone."""
    with open(model, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        return "attention" in json.loads(json.loads(file.read(length))["__metadata__"]["architecture"])


def features(run):
    """The maps of 1,000 images out of the sample's photos."""
    model(run)
    if not run.values["features"]:
        photos = run.scratch / "photos.safetensors"
        run.values["features"] = run.scratch / "features.safetensors"
        run.call("captioner", "features", SAMPLE, "--encoder", run.values["model"], "--tap",
                 "map7x7" if attends(run.values["model"]) else "map2x2", "--output", photos)
        run.call("photos.py", "mix", photos, run.values["features"])
