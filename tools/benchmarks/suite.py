"""The table of benchmarks: what each times, of ours and of its peers, what it takes, and what it reads."""

from typing import Callable, NamedTuple

import inputs

TIMED = "--threads {threads} --repetitions {repetitions}"


class Engine(NamedTuple):
    """A command that is timed. Its first word is a product of ours or a script under peers/, which prints JSON lines;
    words in braces are the run's options and inputs, `{batch}` each size of batch in turn."""
    command: str
    bfloat: bool = False  # only where the CPU multiplies bfloat16
    whole: str | None = None  # timed from start to exit, under this name
    compared: bool = True  # earlier revisions understand it too
    case: str | None = None  # what it is timed on, where a benchmark has several: like is compared with like


class Benchmark(NamedTuple):
    about: str
    unit: str
    engines: list[Engine]
    options: dict = {}  # what it takes beside the common options, and the defaults
    inputs: Callable | None = None  # makes or finds what the engines read
    precision: str = "f32"  # of the engines that are timed as a whole, and of those that are compared first
    packages: bool = True  # whether the peers need more than Python itself


def convolutions(more="") -> list[Engine]:
    """The peers of the encoder."""
    return [Engine(f"encoder.py {more}--engine {engine} --batch {{batch}} {TIMED}", bfloat=engine.endswith("bf16"))
            for engine in ["pytorch", "onnxruntime", "openvino", "openvino-bf16"]]


def attention() -> list[Engine]:
    """A training step by the way the image enters, and by how many photos the 100 captions are of."""
    engines = []
    for images in [20, 100]:
        for conditioning, way in [("gates", "gates"), ("attention", "soft"), ("top-down", "top-down")]:
            case = f"{way}, {images} photos"
            shape = f"--images {images} {TIMED}"
            engines += [
                Engine(f"captioner-benchmarks decoder-step --head --batch 100 --words 2543 --conditioning {conditioning} {shape}",
                       compared=False, case=case),
                *(Engine(f"attention_step.py --way {way} {compiled}{shape}", case=case) for compiled in ["", "--compile "])]
    return engines


def language_models() -> list[Engine]:
    """min-char-rnn beside the NumPy original and PyTorch; and an LSTM layer and three of them beside PyTorch's."""
    gist = f"--steps 400 {TIMED}"
    engines = [
        Engine("captioner-benchmarks language-model {text} --preset min-char-rnn " + gist, compared=False),
        Engine("language_model.py {text} --engine numpy " + gist),
        Engine("language_model.py {text} --engine pytorch --gist " + gist)]
    cases = ["min-char-rnn: RNN of 100, 25 characters, batch 1"] * len(engines)
    for layers, steps in [(1, 4), (3, 2)]:
        shape = f"--cell lstm --layers {layers} --hidden 512 --batch 32 --length 64 --steps {steps} {TIMED}"
        engines += [Engine("captioner-benchmarks language-model {text} " + shape, compared=False),
                    Engine("language_model.py {text} --engine pytorch " + shape)]
        cases += [f"{layers} x LSTM of 512, 64 characters, batch 32"] * 2
    return [engine._replace(case=case) for engine, case in zip(engines, cases)]


BENCHMARKS = {
    "encoder": Benchmark(
        "milliseconds an image; ratio to the fastest f32 peer", "ms/image", [
            Engine("captioner-benchmarks encoder --batch {batch} " + TIMED),
            Engine("captioner-benchmarks encoder --batch {batch} --arithmetic bfloat16 " + TIMED, bfloat=True),
            *convolutions()],
        {"batch": [1, 8]}),
    "vgg16": Benchmark(
        "milliseconds an image to FC-4096", "ms/image", [
            Engine("captioner-benchmarks encoder --head float32 --batch {batch} " + TIMED),
            Engine("captioner-benchmarks encoder --head float16 --batch {batch} " + TIMED),
            *convolutions("--full ")],
        {"batch": [1]}),
    "decoder-step": Benchmark(
        "milliseconds a training step, V = 9567", "ms/step", [
            Engine("captioner-benchmarks decoder-step " + TIMED),
            Engine("captioner-benchmarks decoder-step --bf16 " + TIMED, bfloat=True),
            *(Engine(f"decoder_step.py --variant {variant} {precision}{TIMED}")
              for variant in ["loop", "function", "lstm"] for precision in ["", "--bf16 "])]),
    "attention-step": Benchmark(
        "milliseconds a training step of 100 captions, FC head included, with attention to 7x7 regions and W_ih v, V = 2543", "ms/step",
        attention()),
    "train-epoch": Benchmark(
        "seconds an epoch", "s/epoch", [
            Engine("captioner-benchmarks train-epoch --threads {threads} --batches {batches}"),
            *(Engine(f"training.py --variant {variant} --threads {{threads}} --batches {{batches}}")
              for variant in ["loop", "function", "lstm"])],
        {"batches": 30}),
    "ranks": Benchmark(
        "seconds an epoch by two processes of one thread each, beside one of two threads", "s/epoch", [
            Engine("captioner-benchmarks train-epoch --threads 2 --batches {batches}"),
            Engine("pair captioner-benchmarks train-epoch --threads 1 --batches {batches}"),
            Engine("ranks.py --processes 1 --threads 2 --batches {batches}"),
            Engine("ranks.py --processes 2 --threads 1 --batches {batches}")],
        {"batches": 30}),
    "fine-tune": Benchmark(
        "milliseconds a step", "ms/step", [
            Engine(f"captioner-benchmarks fine-tune --batch {{batch}} --from {{from}} {TIMED}"),
            *(Engine(f"fine_tune.py --layout {layout} --batch {{batch}} --from {{from}} {TIMED}")
              for layout in ["channels_last", "contiguous"])],
        {"batch": [8], "from": "conv4_1"}),
    "language-model": Benchmark(
        "milliseconds of training for 1,000 characters", "ms/1000 characters", language_models(), {"text": None},
        inputs.text),
    "captions": Benchmark(
        "seconds from a caption file to batches", "s", [
            Engine("captioner-benchmarks captions {captions} --threads {threads}"),
            Engine("captions.py {captions}")],
        {"captions": None}, inputs.captions, packages=False),
    "jpeg": Benchmark(
        "milliseconds from a JPEG to a tensor, every pixel decoded and no finer than twice the side that is read", "ms", [
            Engine("captioner-benchmarks jpeg {jpeg} --exact-decoding --repetitions {repetitions} --output {ours}",
                   compared=False),
            Engine("captioner-benchmarks jpeg {jpeg} --repetitions {repetitions} --output {ours}.scaled"),
            Engine("jpeg.py time {jpeg} --repetitions {repetitions} --output {peers}"),
            Engine("jpeg.py time {jpeg} --repetitions {repetitions} --output {peers}.scaled --draft")],
        {"photo": None, "size": "640x480"}, inputs.jpeg, precision="whole"),
    "caption": Benchmark(
        "milliseconds of the whole process", "ms", [
            Engine("captioner caption {photo} --model {model} --threads {threads}", whole="captioner"),
            Engine("caption.py {model} {photo} --threads {threads}", whole="pytorch")],
        {"model": None, "photo": None}, inputs.model_and_photo),
    "folder": Benchmark(
        "milliseconds of the whole process, a folder of JPEGs", "ms", [
            Engine("captioner caption {photos} --model {model} --threads {threads}", whole="captioner"),
            Engine("captioner-benchmarks folder-encoder --model {model} --images {count} " + TIMED),
            Engine("folder.py {model} {photos} --threads {threads} --batch {batch}",
                   whole="pytorch (batches of {batch})"),
            Engine("folder.py {model} {photos} --threads {threads} --batch {batch} --draft",
                   whole="pytorch, draft (batches of {batch})")],
        {"model": None, "photos": None, "size": "640x480", "images": [200], "batch": [8, 32]}, inputs.folder),
    "serve": Benchmark(
        "milliseconds for a folder of JPEGs: `caption` of it, and `serve` asked for each photo over connections", "ms", [
            Engine("captioner caption {photos} --model {model} --threads {threads}", whole="captioner"),
            *(Engine(f"load.py {service} {{model}} {{photos}} --connections {connections} {TIMED}")
              for connections in [1, 8, 64] for service in ["{captioner}", "service.py"])],
        {"model": None, "photos": None, "size": "640x480", "images": [200]}, inputs.service),
    "metrics": Benchmark(
        "milliseconds of the whole process, made-up captions, intervals included in ours (needs Java)", "ms", [
            Engine("captioner metrics --references {references} --results {results} --format json "
                   "--threads {threads}", whole="captioner"),
            Engine("metrics.py {references} {results}", whole="pycocoevalcap")],
        {"images": [5000]}, inputs.scored_captions, precision="f64"),
    "beam": Benchmark(
        "milliseconds for 1,000 images; width 5", "ms", [
            Engine("captioner-benchmarks beam --model {model} --features {features} " + TIMED),
            Engine("beam.py {model} {features} --engine batched " + TIMED),
            Engine("beam.py {model} {features} --engine loop --threads {threads} --repetitions 1")],
        {"model": None, "features": None}, inputs.features),
    "memory": Benchmark(
        "megabytes of `captioner train`; no peer, one round", "MB", [], {"images": [2000, 16000]}, packages=False),
}
