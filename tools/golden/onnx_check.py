"""Compares what `captioner convert --to onnx`, `torch` and `npz` write with captioner itself.

    python3 tools/golden/onnx_check.py MODEL PHOTO... [--captioner .build/release/captioner]
    python3 tools/golden/onnx_check.py --kinds [--captioner …]

Photos are resized by Pillow and saved as PNG, so that all read the same pixels. tools/export/greedy.py runs the ONNX
networks with ONNX Runtime, tools/export/captioner_torch.py the weights with PyTorch; both must give the captions of
`captioner caption --beam-width 1`, and the log-probability of each of their words within 1e-4. numpy.load must give the
weights. --kinds makes models of random weights, one of each decoder that is written, and pictures of noise.
Needs onnxruntime, torch, safetensors, numpy and Pillow.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch
from PIL import Image, ImageOps
from safetensors.numpy import load_file, save_file

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "export"))
from captioner_torch import Captioner  # noqa: E402
from greedy import Captioner as Greedy  # noqa: E402

WORDS = ["<pad>", "<s>", "</s>", "<unk>"] + [f"word{k}" for k in range(16)]
E, H, D, A, K, SIDE = 6, 8, 10, 5, 3, 44
WIDTHS = [4, 5]
LIMIT = 1e-4
# What differs from an LSTM with W_ih v at every step; `torch`: whether captioner_torch speaks it too.
KINDS = {
    "lstm": {}, "lstm first step": {"injection": "firstStep"}, "lstm bgr crop": {"crop": True}, "gru": {"cell": "gru"},
    "rnn": {"cell": "rnn"}, "first input": {"conditioning": "first-input", "injection": "never"},
    "first input, gru": {"conditioning": "first-input", "injection": "never", "cell": "gru"},
    "attention": {"conditioning": "attention"},
    "gated attention alone": {"conditioning": "attention", "injection": "never", "gated": True},
    "attention, first step, gru": {"conditioning": "attention", "injection": "firstStep", "cell": "gru"},
    "hard attention": {"conditioning": "hard-attention"}, "top-down": {"conditioning": "top-down"},
    "top-down, first step": {"conditioning": "top-down", "injection": "firstStep"},
    "top-down alone, rnn": {"conditioning": "top-down", "injection": "never", "cell": "rnn"},
    "full head": {"head": "full"}, "mean of features": {"feature_normalization": "mean"},
    "standardized, elu": {"feature_normalization": "standardize", "activation": "elu"},
    "whitened, maxout": {"feature_normalization": "whiten", "whitening_components": 7, "activation": "maxout"},
    "prelu, two layers": {"head": "compact2", "activation": "prelu"},
    "leaky-relu": {"activation": "leaky-relu"}, "tanh": {"activation": "tanh"}, "sigmoid": {"activation": "sigmoid"},
    "batch normalisation": {"batch_normalization": True},
    "three layers": {"layers": 3}, "residual, image above": {"layers": 3, "residual": True, "context_layer": 1},
    "two layers, attention": {"layers": 2, "conditioning": "attention", "context_layer": 1},
    "two layers, first input": {"layers": 2, "conditioning": "first-input", "injection": "never"},
    "attention by ReLU, gates each": {"conditioning": "attention", "gated": True, "gates_each": True, "comparison": "relu"},
    "mean head": {"head": "mean", "feature_size": WIDTHS[-1], "feature_scale": 0.7},
}
TORCHS = {"cell", "injection", "conditioning", "gated", "gates_each", "comparison", "head", "feature_size", "feature_scale", "crop"}


def model(kind: dict, path: str, seed: int) -> None:
    """A model file of random weights."""
    kind = dict(kind)
    rng, crop = np.random.default_rng(seed), kind.pop("crop", False)
    gated, more = kind.pop("gated", False), {key: kind.pop(key) for key in ("gates_each", "comparison") if key in kind}
    said = {"convolutions": ",".join(f"{width},pool" for width in WIDTHS), "head": "compact", "feature_size": D,
            "embedding_size": E, "hidden_size": H, "injection": "everyStep"} | kind
    way, cell, layers = said.get("conditioning", "gates"), said.get("cell", "lstm"), said.get("layers", 1)
    gates = {"lstm": 4, "gru": 3, "rnn": 1}[cell] * H
    shapes, channels, index = {}, 3, 0
    for width in WIDTHS:
        shapes |= {f"encoder.features.{index}.weight": [width, channels, 3, 3], f"encoder.features.{index}.bias": [width]}
        if said.get("batch_normalization"):
            shapes |= {f"encoder.features.{index + 1}.{name}": [width]
                       for name in ("weight", "bias", "running_mean", "running_var")}
        index, channels = index + (4 if said.get("batch_normalization") else 3), width
    inputs = channels * (49 if said["head"] == "full" else 4)
    if said.get("feature_normalization") == "mean":
        shapes["encoder.normalization.mean"] = [channels]
    if said.get("feature_normalization") == "whiten":
        shapes |= {"encoder.normalization.mean": [inputs], "encoder.normalization.components": [7, inputs]}
        inputs = 7
    for layer in range({"mean": 0, "compact": 1}.get(said["head"], 2)):
        rows = D * (2 if said.get("activation") == "maxout" else 1)
        shapes |= {f"encoder.classifier.{3 * layer}.weight": [rows, inputs], f"encoder.classifier.{3 * layer}.bias": [rows]}
        if said.get("activation") == "prelu":
            shapes[f"encoder.classifier.{3 * layer + 1}.weight"] = [1]
        inputs = D
    shapes["decoder.embedding.weight"] = [len(WORDS), E]
    for layer in range(2 if way == "top-down" else layers):
        read = E if layer == 0 else A + H if way == "top-down" else H
        name = f"decoder.{cell}{layer or ''}"
        shapes |= {f"{name}.weight_xh": [gates, read], f"{name}.weight_hh": [gates, H], f"{name}.bias": [gates]}
    if said["injection"] != "never":
        shapes["decoder.image_to_hidden.weight"] = [gates, said["feature_size"]]
    if way == "first-input":
        shapes |= {"decoder.image_to_input.weight": [E, D], "decoder.image_to_input.bias": [E]}
    if way in ("attention", "hard-attention", "top-down"):
        said["attention"] = {"channels": channels, "value_size": A, "key_size": K, "gated": gated, "scale": 0.5} | more
        at = "decoder.attention"
        shapes |= {f"{at}.regions.weight": [A, channels], f"{at}.regions.bias": [A], f"{at}.keys.weight": [K, A],
                   f"{at}.keys.bias": [K], f"{at}.query.weight": [K, H], f"{at}.scorer.weight": [1, K]}
        shapes |= {f"{at}.mean_to_hidden.weight": [gates, A], "decoder.feedback.weight": [gates, H]} if way == "top-down" else {
            f"{at}.to_hidden.weight": [gates, A]}
        if gated:
            count = A if more.get("gates_each") else 1
            shapes |= {f"{at}.gate.weight": [count, H], f"{at}.gate.bias": [count]}
    shapes |= {"decoder.output.weight": [len(WORDS), H], "decoder.output.bias": [len(WORDS)]}
    tensors = {}
    for name, shape in shapes.items():
        wide = 1.5 if name.startswith("decoder.output") else 1
        limit = wide * 3 / np.sqrt(np.prod(shape[1:])) if len(shape) > 1 else 0.5
        drawn = rng.uniform(-limit, limit, shape).astype(np.float32)
        tensors[name] = np.abs(drawn) + 0.5 if name.endswith("running_var") else drawn
    preprocessing = {"width": SIDE, "height": SIDE, "resize": "stretch", "channelOrder": "rgb", "scale": "0..1",
                     "mean": [0.5, 0.4, 0.3], "standardDeviation": [0.25, 0.2, 0.3]}
    if crop:
        preprocessing |= {"resize": "shortSideThenCenterCrop", "shortSide": 51, "channelOrder": "bgr", "scale": "0..255",
                          "mean": [100, 110, 120], "standardDeviation": [60, 70, 80]}
    metadata = {"format": "captioner", "format_version": "1", "tokenizer": "ptb-caption", "training": "{}",
                "architecture": json.dumps(said), "preprocessing": json.dumps(preprocessing),
                "vocabulary": json.dumps(WORDS)}
    save_file(tensors, path, metadata=metadata)


def captioned(captioner: str, path: str, photos: list) -> list:
    """Words and their log-probabilities, the end's too, of each photo."""
    command = [captioner, "caption", *photos, "--model", path, "--beam-width", "1", "--format", "json"]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.splitlines()
    found = []
    for line in map(json.loads, lines):
        words = line["captions"][0]["words"]
        found.append(([word["word"] for word in words[:-1]], [word["log_prob"] for word in words]))
    return found


def difference(ours: list, theirs: list) -> tuple[int, float]:
    """Captions that are the same, and the largest difference of log-probabilities among those."""
    same = [(a[1], b[1]) for a, b in zip(ours, theirs, strict=True) if a[0] == b[0]]
    return len(same), max((float(np.abs(np.subtract(a, b)).max()) for a, b in same), default=0.0)


def check(captioner: str, path: str, photos: list, folder: str, title: str, with_torch: bool) -> bool:
    for kind in ["onnx", "torch", "npz"]:
        pathlib.Path(folder, kind).mkdir(exist_ok=True)
        subprocess.run([captioner, "convert", path, f"{folder}/{kind}", "--to", kind], check=True)
    ours = captioned(captioner, path, photos)
    greedy = Greedy(f"{folder}/onnx")
    pixels = np.stack([greedy.pixels(photo) for photo in photos])
    results = {"onnxruntime": greedy.captions(pixels)}
    if with_torch:
        speaker = Captioner.load(f"{folder}/torch/weights.safetensors")
        rules = speaker.preprocessing
        x = pixels[:, ::-1] if rules["channelOrder"] == "bgr" else pixels
        x = x / (255 if rules["scale"] == "0..1" else 1) - np.array(rules["mean"], np.float32)[:, None, None]
        x = (x / np.array(rules["standardDeviation"], np.float32)[:, None, None]).astype(np.float32)
        results["torch"] = [speaker.caption(torch.from_numpy(image.copy())) for image in x]
    arrays, weights = np.load(f"{folder}/npz/weights.npz"), load_file(path)
    good = set(arrays.files) == set(weights) and all(
        arrays[name].dtype == np.float32 and np.array_equal(arrays[name], value.astype(np.float32))
        for name, value in weights.items())
    text = [f"numpy.load: {len(arrays.files)} arrays {'the same' if good else 'DIFFER'}"]
    for name, theirs in results.items():
        same, worst = difference(ours, theirs)
        good &= same == len(photos) and worst <= LIMIT
        text.append(f"{name}: {same} of {len(photos)} captions the same, log-probs within {worst:.1e}")
    print(f"{title}: {'; '.join(text)}", flush=True)
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?")
    parser.add_argument("photos", nargs="*")
    parser.add_argument("--kinds", action="store_true")
    parser.add_argument("--captioner", default=".build/release/captioner")
    options = parser.parse_args()
    torch.set_num_threads(2)
    with tempfile.TemporaryDirectory() as folder:
        if not options.kinds:
            rules = Captioner.load(options.model).preprocessing
            size = rules["width"], rules["height"]
            photos = []
            for number, photo in enumerate(options.photos):
                photos.append(f"{folder}/{number}.png")
                image = ImageOps.exif_transpose(Image.open(photo)).convert("RGB")
                image.resize(size, Image.Resampling.BILINEAR).save(photos[-1])
            return int(not check(options.captioner, options.model, photos, folder, options.model, True))
        photos, rng = [], np.random.default_rng(1)
        for number in range(8):
            photos.append(f"{folder}/{number}.png")
            coarse = Image.fromarray(rng.integers(0, 256, (6, 6, 3), np.uint8))
            coarse.resize((60, 52) if number % 2 else (SIDE, SIDE), Image.Resampling.BICUBIC).save(photos[-1])
        good = True
        for seed, (name, kind) in enumerate(KINDS.items()):
            path = f"{folder}/model.safetensors"
            model(kind, path, seed)
            good &= check(options.captioner, path, photos, folder, name, TORCHS.issuperset(kind))
        return int(not good)


if __name__ == "__main__":
    sys.exit(main())
