"""Files of Caffe and ONNX, written by google.protobuf, onnx and torch.onnx, and what PyTorch makes of their networks.

Tests/WeightFilesTests/Fixtures:
  layers.caffemodel, layers-2014.caffemodel  a convolution and an inner product, as Caffe writes them since 2015
      (with shapes, packed; one layer in double precision) and as it did in 2014 (four extents; here not packed)
  types.onnx      an initializer of every type, in raw_data (TYPE.raw) and elsewhere (TYPE.list), three numbers each; a
      Constant; a tensor of texts; nodes with attributes
  external.onnx   weights in another file
Tests/ModelsTests/Fixtures/foreign: a VGG network of two blocks on 28×28 images with three FC layers,
  vgg.caffemodel, vgg-2014.caffemodel, vgg.onnx (torch.onnx.export), vgg-matmul.onnx (MatMul and Add, transposed weights),
  vgg-bn.onnx (batch normalisation as it is), vgg-bn-folded.onnx, vgg-bn-zero.onnx (as torch.onnx.export's two ways fold it into the weights; the
  second leaves out a bias of zeros), and
  vgg.safetensors: images [2, 28, 28, 3], v [2, 5] after the second FC layer and bn.v of the network with batch
  normalisation, in double precision.

`python3 tools/golden/protobuf_weights.py` writes them.
"""

import os
import tempfile

import ml_dtypes
import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional as F

from caffe_schema import network
from fixtures import destination, write_tensors
from splitmix import Random, he_limit

SEED, STREAM = 1234, 700
# Channels of the convolutions, a pool after each block.
BLOCKS, V, CLASSES, SIDE = [[2, 3], [4]], 5, 6, 28


def write(target: str, name: str, data: bytes) -> None:
    path = destination(target, name)
    path.write_bytes(data)
    print(f"{path}: {len(data)} bytes")


def clean(model: onnx.ModelProto) -> bytes:
    """Without versions, and without where on this machine the code lies."""
    model.producer_version = ""
    graph = model.graph
    for message in [model, graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer]:
        message.doc_string = ""
        del message.metadata_props[:]
    del graph.value_info[:]
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)


def caffe_layers():
    weight = np.arange(8, dtype=np.float32).reshape(2, 1, 2, 2) / 2
    layers = [("conv1", "Convolution", [weight, np.array([0.5, -1.5], np.float32)]), ("relu1", "ReLU", []),
              ("fc2", "InnerProduct", [np.array([[1, 2, 3]], np.float32) / 4, np.array([-0.25], np.float32)])]
    write("WeightFilesTests", "layers.caffemodel", network("layers", layers, doubles=("fc2",)))
    write("WeightFilesTests", "layers-2014.caffemodel", network("layers", layers, 2014))


def onnx_types():
    types = {"float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE, "float16": TensorProto.FLOAT16,
             "int64": TensorProto.INT64, "int32": TensorProto.INT32, "int16": TensorProto.INT16,
             "int8": TensorProto.INT8, "uint8": TensorProto.UINT8, "uint16": TensorProto.UINT16}
    tensors = []
    for name, number in types.items():
        signed = [1, 2, 3] if name.startswith("u") else [1, -2, 3]
        array = (np.array(signed, float) / (2 if name.startswith("f") else 1)).astype(name)
        tensors.append(numpy_helper.from_array(array, f"{name}.raw"))
        tensors.append(helper.make_tensor(f"{name}.list", number, [3], array.tolist()))
    half = np.array([0.5, -1, 1.5], ml_dtypes.bfloat16)
    tensors.append(helper.make_tensor("bfloat16.raw", TensorProto.BFLOAT16, [3], half.tobytes(), raw=True))
    tensors.append(helper.make_tensor("bfloat16.list", TensorProto.BFLOAT16, [3], half.astype(float).tolist()))
    tensors.append(helper.make_tensor("bool.list", TensorProto.BOOL, [3], [True, False, True]))
    tensors.append(helper.make_tensor("texts", TensorProto.STRING, [1], [b"text"]))
    tensors.append(helper.make_tensor("scalar", TensorProto.FLOAT, [], [2.5]))
    nodes = [helper.make_node("Constant", [], ["constant"], value=helper.make_tensor("", TensorProto.FLOAT, [2, 1], [7, 8])),
             helper.make_node("Conv", ["x", "float32.raw"], ["y"], name="first", pads=[1, 1, 1, 1], group=1),
             helper.make_node("Elu", ["y"], ["z"], alpha=0.5)]
    graph = helper.make_graph(nodes, "types", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
                              [helper.make_tensor_value_info("z", TensorProto.FLOAT, [1])], tensors)
    model = helper.make_model(graph, producer_name="golden", opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"made of": "numbers"})
    write("WeightFilesTests", "types.onnx", model.SerializeToString(deterministic=True))
    graph = helper.make_graph([], "elsewhere", [], [], [numpy_helper.from_array(np.ones([64, 64], np.float32), "w")])
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.onnx")
        onnx.save_model(helper.make_model(graph, ir_version=8), path, save_as_external_data=True, location="weights.bin")
        with open(path, "rb") as file:
            write("WeightFilesTests", "external.onnx", file.read())


class VGG(nn.Module):
    """torchvision's VGG in small."""

    def __init__(self, normalized: bool):
        super().__init__()
        layers, channels = [], 3
        for block in BLOCKS:
            for width in block:
                layers += [nn.Conv2d(channels, width, 3, padding=1)] + [nn.BatchNorm2d(width)] * normalized
                layers += [nn.ReLU(inplace=True)]
                channels = width
            layers.append(nn.MaxPool2d(2, 2))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(7)
        self.classifier = nn.Sequential(nn.Linear(49 * channels, V), nn.ReLU(True), nn.Dropout(), nn.Linear(V, V),
                                        nn.ReLU(True), nn.Dropout(), nn.Linear(V, CLASSES))
        for i, (name, value) in enumerate(self.state_dict().items()):
            if value.dtype != torch.float32:
                continue
            limit = he_limit(value[0].numel()) if value.dim() > 1 else 0.3
            drawn = torch.from_numpy(Random(SEED, STREAM + normalized, i).tensor(value.shape, limit))
            value.copy_(drawn.abs() + 0.5 if "running_var" in name else drawn + 1 if value.dim() == 1 and
                        name.endswith("weight") else drawn)
        if normalized:  # Exporters leave out a bias of zeros.
            self.classifier[3].bias.data.zero_()
        self.eval()

    def forward(self, x):
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))

    def v(self, x):
        x = torch.flatten(self.avgpool(self.features(x)), 1)
        return F.relu(self.classifier[3](F.relu(self.classifier[0](x))))


def exported(model: nn.Module, **options) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.onnx")
        torch.onnx.export(model, (torch.zeros(1, 3, SIDE, SIDE),), path, input_names=["pixels"], **options)
        return clean(onnx.load(path))


def matmul(model: VGG) -> bytes:
    """As some converters write it: MatMul and Add, weights transposed before or by a node, constants as nodes."""
    nodes, tensors, x = [], [], "pixels"
    for i, layer in enumerate(model.features):
        if isinstance(layer, nn.Conv2d):
            tensors += [numpy_helper.from_array(layer.weight.detach().numpy(), f"{3 * i}"),
                        numpy_helper.from_array(layer.bias.detach().numpy(), f"{3 * i + 1}")]
            nodes.append(helper.make_node("Conv", [x, f"{3 * i}", f"{3 * i + 1}"], [f"y{i}"], pads=[1, 1, 1, 1]))
        elif isinstance(layer, nn.ReLU):
            nodes.append(helper.make_node("Relu", [x], [f"y{i}"]))
        else:
            nodes.append(helper.make_node("MaxPool", [x], [f"y{i}"], kernel_shape=[2, 2], strides=[2, 2]))
        x = f"y{i}"
    nodes.append(helper.make_node("Flatten", [x], ["flat"]))
    w = [model.classifier[i].weight.detach().numpy() for i in (0, 3, 6)]
    b = [model.classifier[i].bias.detach().numpy() for i in (0, 3, 6)]
    tensors += [numpy_helper.from_array(np.ascontiguousarray(w[0].T), "w0"), numpy_helper.from_array(b[0], "b0"),
                numpy_helper.from_array(w[1], "w1"), numpy_helper.from_array(b[1], "b1")]
    nodes += [helper.make_node("MatMul", ["flat", "w0"], ["p0"]), helper.make_node("Add", ["b0", "p0"], ["s0"]),
              helper.make_node("Relu", ["s0"], ["r0"]), helper.make_node("Transpose", ["w1"], ["w1t"], perm=[1, 0]),
              helper.make_node("MatMul", ["r0", "w1t"], ["p1"]), helper.make_node("Identity", ["b1"], ["b1i"]),
              helper.make_node("Add", ["p1", "b1i"], ["s1"]), helper.make_node("Relu", ["s1"], ["r1"]),
              helper.make_node("Constant", [], ["w2"], value=numpy_helper.from_array(np.ascontiguousarray(w[2].T))),
              helper.make_node("Constant", [], ["b2"], value=numpy_helper.from_array(b[2])),
              helper.make_node("Gemm", ["r1", "w2", "b2"], ["s2"]), helper.make_node("Softmax", ["s2"], ["p"])]
    graph = helper.make_graph(nodes, "vgg", [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])],
                              [helper.make_tensor_value_info("p", TensorProto.FLOAT, ["n", CLASSES])], tensors)
    return clean(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8))


def batch_norm(model: VGG) -> bytes:
    """Every layer a node, batch normalisation too."""
    nodes, tensors, x = [], [], "pixels"
    layers = list(model.features) + [nn.Flatten()] + list(model.classifier)
    for i, layer in enumerate(layers):
        names = []
        for key in ("weight", "bias", "running_mean", "running_var"):
            if isinstance(getattr(layer, key, None), torch.Tensor):
                names.append(f"t{i}.{key}")
                tensors.append(numpy_helper.from_array(getattr(layer, key).detach().numpy(), names[-1]))
        kind, options = {nn.Conv2d: ("Conv", {"pads": [1, 1, 1, 1], "kernel_shape": [3, 3]}),
                         nn.BatchNorm2d: ("BatchNormalization", {"epsilon": 1e-5}), nn.ReLU: ("Relu", {}),
                         nn.MaxPool2d: ("MaxPool", {"kernel_shape": [2, 2], "strides": [2, 2]}),
                         nn.Flatten: ("Flatten", {}), nn.Dropout: ("Dropout", {}),
                         nn.Linear: ("Gemm", {"transB": 1})}[type(layer)]
        nodes.append(helper.make_node(kind, [x, *names], [f"y{i}"], **options))
        x = f"y{i}"
    graph = helper.make_graph(nodes, "vgg", [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])],
                              [helper.make_tensor_value_info(x, TensorProto.FLOAT, ["n", CLASSES])], tensors)
    return clean(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8))


def networks():
    plain, normalized = VGG(False), VGG(True)
    layers = []
    for block, widths in enumerate(BLOCKS, start=1):
        for number in range(1, len(widths) + 1):
            layers.append(f"conv{block}_{number}")
    convolutions = [layer for layer in plain.features if isinstance(layer, nn.Conv2d)]
    named = list(zip(layers, convolutions)) + [("fc6", plain.classifier[0]), ("fc7", plain.classifier[3]),
                                               ("fc8", plain.classifier[6])]
    caffe = []
    for name, layer in named:
        kind = "Convolution" if name.startswith("conv") else "InnerProduct"
        caffe.append((name, kind, [layer.weight.detach().numpy(), layer.bias.detach().numpy()]))
        if name != "fc8":
            caffe.append((f"relu{name[-3:]}", "ReLU", []))
    folder = "foreign"
    write("ModelsTests", f"{folder}/vgg.caffemodel", network("VGG", caffe))
    write("ModelsTests", f"{folder}/vgg-2014.caffemodel", network("VGG", caffe, 2014))
    write("ModelsTests", f"{folder}/vgg.onnx", exported(plain, dynamo=True, external_data=False))
    write("ModelsTests", f"{folder}/vgg-matmul.onnx", matmul(plain))
    write("ModelsTests", f"{folder}/vgg-bn.onnx", batch_norm(normalized))
    write("ModelsTests", f"{folder}/vgg-bn-folded.onnx", exported(normalized, dynamo=False))
    write("ModelsTests", f"{folder}/vgg-bn-zero.onnx", exported(normalized, dynamo=True, external_data=False))
    images = torch.from_numpy(Random(SEED, STREAM, 1000).tensor([2, SIDE, SIDE, 3], 1))
    x = images.double().permute(0, 3, 1, 2)
    with torch.inference_mode():
        write_tensors(destination("ModelsTests", f"{folder}/vgg.safetensors"),
                      {"images": images, "v": plain.double().v(x), "bn.v": normalized.double().v(x)}, __doc__)


def main():
    torch.set_num_threads(1)
    caffe_layers()
    onnx_types()
    networks()


if __name__ == "__main__":
    main()
