"""VGG-16's 13 convolutions and 5 pools at 224x224 in other engines, on random weights of the real shapes.

    python3 encoder.py [--engine pytorch|onnxruntime|openvino|openvino-bf16]... [--batch N]...
                       [--threads 2] [--repetitions 10] [--full]

With --full VGG-16's two FC layers follow, 25088 -> 4096 -> 4096, each with ReLU.

Versions go to standard error; one JSON line an engine and batch to standard output:
{"engine": …, "precision": …, "batch": …, "threads": …, "milliseconds_per_image": median, "min": …, "max": …,
"times": [each]}.
"""

import argparse
import importlib.metadata
import json
import statistics
import sys
import time

import numpy as np

LAYERS = [64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool", 512, 512, 512, "pool", 512, 512, 512, "pool"]
SIDE = 224


def weights():
    """(weight [K,C,3,3], bias [K]) of each convolution, He-scaled so that no activation dies or explodes."""
    random, channels, result = np.random.default_rng(1), 3, []
    for outputs in LAYERS:
        if outputs != "pool":
            weight = random.standard_normal((outputs, channels, 3, 3), np.float32) * np.sqrt(2 / (9 * channels))
            result.append((weight.astype(np.float32), np.zeros(outputs, np.float32)))
            channels = outputs
    return result


def fully_connected():
    """(weight [K,C], bias [K]) of the two FC layers."""
    random = np.random.default_rng(3)
    return [((random.random((4096, c), np.float32) - 0.5) * np.float32(2 * np.sqrt(6 / c)), np.zeros(4096, np.float32))
            for c in (25088, 4096)]


def onnx_model(full=False) -> bytes:
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes, tensors, last, pairs = [], [], "images", iter(weights())
    for i, layer in enumerate(LAYERS):
        if layer == "pool":
            nodes.append(helper.make_node("MaxPool", [last], [f"pool{i}"], kernel_shape=[2, 2], strides=[2, 2]))
            last = f"pool{i}"
        else:
            for name, value in zip((f"weight{i}", f"bias{i}"), next(pairs)):
                tensors.append(numpy_helper.from_array(value, name))
            nodes.append(helper.make_node("Conv", [last, f"weight{i}", f"bias{i}"], [f"conv{i}"],
                                          kernel_shape=[3, 3], pads=[1, 1, 1, 1]))
            nodes.append(helper.make_node("Relu", [f"conv{i}"], [f"relu{i}"]))
            last = f"relu{i}"
    shape = ["batch", 512, 7, 7]
    if full:
        nodes.append(helper.make_node("Flatten", [last], ["flat"]))
        last, shape = "flat", ["batch", 4096]
        for i, pair in enumerate(fully_connected()):
            for name, value in zip((f"fc_weight{i}", f"fc_bias{i}"), pair):
                tensors.append(numpy_helper.from_array(value, name))
            nodes.append(helper.make_node("Gemm", [last, f"fc_weight{i}", f"fc_bias{i}"], [f"fc{i}"], transB=1))
            nodes.append(helper.make_node("Relu", [f"fc{i}"], [f"fc_relu{i}"]))
            last = f"fc_relu{i}"
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])
    output = helper.make_tensor_value_info(last, TensorProto.FLOAT, shape)
    graph = helper.make_graph(nodes, "vgg16", [images], [output], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def pytorch(threads, full):
    import torch
    from torch.nn import functional as F

    torch.set_num_threads(threads)
    layers = iter([(torch.from_numpy(w).contiguous(memory_format=torch.channels_last), torch.from_numpy(b))
                   for w, b in weights()])
    layers = [layer if layer == "pool" else next(layers) for layer in LAYERS]

    pairs = [(torch.from_numpy(w), torch.from_numpy(b)) for w, b in fully_connected()] if full else []

    def run(x):
        for layer in layers:
            x = F.max_pool2d(x, 2) if layer == "pool" else F.conv2d(x, *layer, padding=1).relu_()
        if full:
            x = x.flatten(1)
            for pair in pairs:
                x = F.linear(x, *pair).relu_()
        return x

    def prepared(images):
        x = torch.from_numpy(images).contiguous(memory_format=torch.channels_last)

        def call():
            with torch.inference_mode():
                return run(x).numpy()

        return call

    return prepared


def onnxruntime(threads, full):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = ort.InferenceSession(onnx_model(full), options, providers=["CPUExecutionProvider"])
    return lambda images: lambda: session.run(None, {"images": images})[0]


def openvino(threads, full, precision="f32"):
    import openvino as ov

    core = ov.Core()
    model = core.read_model(onnx_model(full))

    def prepared(images):
        model.reshape(list(images.shape))
        compiled = core.compile_model(model, "CPU", {
            "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": precision})
        request = compiled.create_infer_request()
        return lambda: request.infer([images], share_inputs=True, share_outputs=True)[0]

    return prepared


ENGINES = {
    "pytorch": (pytorch, "torch"),
    "onnxruntime": (onnxruntime, "onnxruntime"),
    "openvino": (openvino, "openvino"),
    "openvino-bf16": (lambda threads, full: openvino(threads, full, "bf16"), "openvino"),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", action="append", choices=ENGINES)
    parser.add_argument("--batch", action="append", type=int)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repetitions", type=int, default=10)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--check", action="store_true", help="compare the engines' outputs instead")
    options = parser.parse_args()
    reference = None
    for engine in options.engine or ENGINES:
        make, package = ENGINES[engine]
        print(f"{engine}: {package} {importlib.metadata.version(package)}", file=sys.stderr)
        prepared = make(options.threads, options.full)
        for batch in options.batch or [1, 8]:
            images = np.random.default_rng(2).standard_normal((batch, 3, SIDE, SIDE), np.float32)
            call = prepared(images)
            output = call().copy()
            if options.check:
                reference = output if reference is None or reference.shape != output.shape else reference
                print(engine, batch, np.linalg.norm(output - reference) / np.linalg.norm(reference))
                continue
            call()
            times = []
            for _ in range(options.repetitions):
                start = time.perf_counter()
                call()
                times.append((time.perf_counter() - start) * 1000 / batch)
            print(json.dumps({
                "engine": package if package != "torch" else "pytorch",
                "precision": "bf16" if engine.endswith("bf16") else "f32", "batch": batch,
                "threads": options.threads, "milliseconds_per_image": round(statistics.median(times), 2),
                "min": round(min(times), 2), "max": round(max(times), 2),
                "times": [round(t, 2) for t in times]}), flush=True)


if __name__ == "__main__":
    main()
