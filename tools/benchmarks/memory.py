"""Memory of `captioner train` for sets of several sizes: does it grow with the data?

Each set is made up for the run: links to a few small JPEGs, five captions of 8 to 14 of 800 words an image, the same 100
images to validate on; a VGG of five narrow convolutions, whose features are as wide as the real one's (2,048 numbers an
image), one view, a small decoder. So what differs between the rows is the data alone. The process is looked at in
/proc four times a second. Training counts from the first line of the log on, after the features; since validation takes
some memory and gives it back, its second and its last quarter are told by their medians.
"""

import itertools
import json
import math
import os
import pathlib
import random
import shutil
import statistics
import struct
import subprocess
import sys
import time

WORDS = ["".join(letters) for letters in itertools.product("bdfgklmt", "aeiou", "nprs", "aeiou")]
CHANNELS = [3, 16, 16, 16, 16, 512]  # each convolution 3x3 and followed by a pool
OPTIONS = ["--views", "1", "--epochs", "3", "--feature-size", "128", "--embedding-size", "128", "--hidden-size", "128",
           "--learning-rate", "1e-3"]


def encoder(path):
    """Convolutions as torchvision names them, drawn at random."""
    draw, header, data = random.Random(1), {}, bytearray()
    for number, (inputs, outputs) in enumerate(itertools.pairwise(CHANNELS)):
        limit = (6 / (9 * inputs)) ** 0.5
        for name, shape in [("weight", [outputs, inputs, 3, 3]), ("bias", [outputs])]:
            start, count = len(data), math.prod(shape)
            data += struct.pack(f"<{count}f", *(draw.uniform(-limit, limit) for _ in range(count)))
            header[f"features.{3 * number}.{name}"] = {
                "dtype": "F32", "shape": shape, "data_offsets": [start, len(data)]}
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def dataset(folder, sources, name, images):
    """Links to the photos, and their captions in COCO's form."""
    draw, files, notes = random.Random(1), [], []
    for number in range(images):
        os.link(sources[number % len(sources)], folder / f"{name}-{number}.jpg")
        files.append({"id": number, "file_name": f"{name}-{number}.jpg"})
        for _ in range(5):
            caption = " ".join(draw.choices(WORDS, k=draw.randint(8, 14)))
            notes.append({"id": len(notes), "image_id": number, "caption": caption})
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"images": files, "annotations": notes}))
    return path


def status(pid) -> dict:
    """Megabytes of the process; nothing once it has ended."""
    try:
        rows = (line.split() for line in open(f"/proc/{pid}/status"))
        return {row[0].rstrip(":"): int(row[1]) / 1000 for row in rows if row[0].startswith(("VmHWM", "RssAnon"))}
    except (FileNotFoundError, ProcessLookupError):
        return {}


def measured(captioner, photos, images, threads, scratch) -> dict:
    folder = scratch / f"memory-{images}"
    folder.mkdir()
    sources = [shutil.copy(photo, folder) for photo in photos]  # links must stay within a file system
    train, validation = dataset(folder, sources, "train", images), dataset(folder, sources, "val", 100)
    encoder(folder / "encoder.safetensors")
    command = [captioner, "train", "--captions", train, "--images", folder, "--validation-captions", validation,
               "--encoder", folder / "encoder.safetensors", "--output", folder / "run", "--threads", threads, *OPTIONS]
    start, peak, training = time.perf_counter(), 0, []
    log, errors = folder / "run" / "log.jsonl", folder / "errors.txt"
    with errors.open("w") as file:
        process = subprocess.Popen(list(map(str, command)), stderr=file)
    while process.poll() is None:
        sample = status(process.pid)
        peak = max(peak, sample.get("VmHWM", 0))
        if "RssAnon" in sample and log.exists() and log.stat().st_size:
            training.append(sample["RssAnon"])
        time.sleep(0.25)
    seconds = time.perf_counter() - start
    if process.returncode:
        sys.exit(f"captioner train failed: {errors.read_text()}")
    quarter = len(training) // 4
    if quarter < 3:
        sys.exit(f"{images} images: training was over too soon to be looked at; name more images")
    shutil.rmtree(folder)
    return {"images": images, "captions": 5 * images, "seconds": seconds, "peak": peak,
            "second_quarter": statistics.median(training[quarter : 2 * quarter]),
            "last_quarter": statistics.median(training[-quarter:])}


def table(rows) -> str:
    text = ["| images | captions | seconds | peak resident MB | anonymous MB, second quarter of training | last quarter |",
            "|---|---|---|---|---|---|"]
    for row in rows:
        text.append(f"| {row['images']:,} | {row['captions']:,} | {row['seconds']:.0f} | {row['peak']:.0f} "
                    f"| {row['second_quarter']:.0f} | {row['last_quarter']:.0f} |")
    least, most = (pick(rows, key=lambda row: row["images"]) for pick in (min, max))
    if most["images"] > least["images"]:
        more = (most["peak"] - least["peak"]) * 1000 / (most["images"] - least["images"])
        text.append(f"\n{more:.1f} KB more at the peak for each further image with its captions, "
                    f"whose features are {CHANNELS[-1] * 4 * 4 / 1000:.1f} KB")
    return "\n".join(text)
