"""What the experiments share: the program, the data set, and training runs that are resumed or skipped."""

import argparse
import functools
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "captioner.safetensors"


def arguments(doc, *names) -> argparse.ArgumentParser:
    """A parser that shows the script's docstring, with arguments of these names."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in names:
        parser.add_argument(name, type=pathlib.Path)
    return parser


@functools.cache
def program() -> pathlib.Path:
    """The program: built, or what CAPTIONER names, so that a long experiment is not disturbed by what is built meanwhile."""
    if "CAPTIONER" in os.environ:
        return pathlib.Path(os.environ["CAPTIONER"])
    subprocess.run(["swift", "build", "-c", "release", "--package-path", ROOT, "--product", "captioner"], check=True,
                   stdout=sys.stderr)
    return ROOT / ".build" / "release" / "captioner"


def captioner(*words) -> str:
    """Runs the command; what it prints. A command that fails ends the experiment."""
    done = subprocess.run([program(), *map(str, words)], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout


class Experiment:
    """Runs on Flickr8k, each in a folder of its own under `output`."""

    def __init__(self, data, encoder, output):
        self.output = output
        self.validation = ["--captions", data / "captions_val.json", "--images", data / "images"]
        self.data = ["--captions", data / "captions_train.json", "--images", data / "images",
                     "--validation-captions", data / "captions_val.json", "--encoder", encoder]
        output.mkdir(parents=True, exist_ok=True)
        program()  # built before several runs ask for it

    def train(self, name, *options) -> pathlib.Path:
        """The folder of a run: resumed if it was stopped, left alone if it is done."""
        folder = self.output / name
        folder.mkdir(exist_ok=True)
        if not (folder / "done").exists():
            # What the frozen layers make of the images is the same for all runs: one copy serves them.
            for features in [*self.output.glob("*/features-*"), *self.output.glob("*/photos-*")]:
                if not (folder / features.name).exists():
                    os.link(features, folder / features.name)
            resume = ["--resume"] if (folder / "config.json").exists() else []
            captioner("train", *self.data, "--output", folder, *resume, *options)
            (folder / "done").touch()
        return folder
