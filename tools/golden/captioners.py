"""Captioners of other projects as their own files hold them, and what they say, by their own equations.

Nothing here knows our model: weights are drawn under each project's names, written as the project writes them, and run as
its code does, in double precision. From the projects' sources:

  neuraltalk2             misc/net_utils.lua (the cnn), misc/LSTM.lua, misc/LanguageModel.lua (`sample`); Torch 7 files
  neuraltalk              imagernn/lstm_generator.py and rnn_generator.py (`predict`); pickles of Python 2, protocols 0 and 2
  LRCN                    examples/coco_caption/lrcn.prototxt and the LSTM layer of Caffe (src/caffe/layers/lstm_layer.cpp,
                          lstm_unit_layer.cpp); Caffe's models and vocabulary.txt
  ImageCaptioning.pytorch captioning/models/FCModel.py, ShowTellModel.py, AttModel.py (NewFCModel, Att2in2, TopDown);
                          `torch.save`
  a-PyTorch-Tutorial-to-Image-Captioning  models.py; `torch.save` of its modules, and WORDMAP.json

Images are [N, 224, 224, 3] as the network reads them, of 7x7 patches each of one colour: `Random(1234, 900)`'s
[N, 7, 7, 3] within 120. `captions.json` has of each case the greedy caption of each image with ln p of each word and of
the end, and ln p of a given caption.

`python3 tools/golden/captioners.py` writes Tests/ModelsTests/Fixtures/captioners.
"""

import argparse
import json
import pickle
import sys

import numpy as np
import torch
import torch.nn.functional as F

import torch7
from attend_and_tell import attend_and_tell
from captioner_parts import GIVEN, TINY, Weights, double, encoder, features, images, maps, speak
from fixtures import destination, write_json, write_tensors
from image_captioning import image_captioning
from lrcn import lrcn
from python2_pickle import python2
from splitmix import he_limit


def lstm(x, h, c, i2h, h2h):
    """One step of neuraltalk2's LSTM.lua."""
    sums = x @ double(i2h[0]).T + double(i2h[1]) + h @ double(h2h[0]).T + double(h2h[1])
    i, f, o, g = sums.chunk(4)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def graph(linears, layers):
    """The gModule of LSTM.lua: nodes that know their children, and tables of them."""
    nodes = []

    def node(parents, module=None, name=None, select=None):
        data = {"annotations": {"name": name} if name else {}, "mapindex": {}, "input": {}}
        if module is not None:
            data["module"] = module
        if select is not None:
            data["selectindex"] = select
        new = torch7.Object("nngraph.Node", {"data": data, "children": [], "id": len(nodes) + 1, "visited": False})
        for place, parent in enumerate(parents, start=1):
            parent.fields["children"].append(new)
            new.fields["data"]["mapindex"][HashedTable(parent.fields["data"])] = place
        nodes.append(new)
        return new

    def nn(name, **fields):
        return torch7.Object("nn." + name, fields | {"gradInput": np.zeros(0, np.float32), "output": np.zeros(0, np.float32)})

    innode = node([])
    inputs = [node([innode], nn("Identity")) for _ in range(1 + 2 * layers)]
    x, outputs = inputs[0], []
    for layer in range(1, layers + 1):
        previous_c, previous_h = inputs[2 * layer - 1], inputs[2 * layer]
        x = x if layer == 1 else node([outputs[-1]], nn("Dropout", p=0.5), f"drop_{layer}")
        i2h = node([x], linears[f"i2h_{layer}"], f"i2h_{layer}")
        h2h = node([previous_h], linears[f"h2h_{layer}"], f"h2h_{layer}")
        split = node([node([node([i2h, h2h], nn("CAddTable"))], nn("Reshape"))], nn("SplitTable"))
        gates = [node([node([split], select=k)], nn("Sigmoid" if k < 4 else "Tanh")) for k in range(1, 5)]
        kept = node([gates[1], previous_c], nn("CMulTable"))
        new = node([gates[0], gates[3]], nn("CMulTable"))
        c = node([kept, new], nn("CAddTable"))
        h = node([gates[2], node([c], nn("Tanh"))], nn("CMulTable"))
        outputs += [c, h]
    last = node([outputs[-1]], nn("Dropout", p=0.5), "drop_final")
    outputs.append(node([node([last], linears["decoder"], "decoder")], nn("LogSoftMax")))
    node(outputs)
    return torch7.Object("nn.gModule", {
        "fg": torch7.Object("graph.Graph", {"nodes": nodes, "edges": []}), "forwardnodes": nodes, "innode": innode,
        "outnode": nodes[-1], "verbose": False, "train": False})


class HashedTable:
    """A table as the key of another."""

    def __init__(self, table):
        self.table = table


def flattened(arrays, cuda):
    """The tensors of a network after getParameters: views of one storage."""
    storage = torch7.Storage(np.concatenate([array.reshape(-1) for array in arrays.values()]), cuda)
    views, offset = {}, 0
    for name, array in arrays.items():
        views[name] = torch7.Tensor(storage, list(array.shape), offset=offset, cuda=cuda)
        offset += array.size
    return views


def neuraltalk2(sizes, stream, backend="cudnn", layers=1, rectifies=True, given=GIVEN, pixels=None):
    """A checkpoint and what it says."""
    draw = Weights(stream, 1.5)
    convolutions, linears = encoder(sizes, Weights(stream + 1_000_000))
    E, H, words = sizes["E"], sizes["H"], ["UNK"] + sizes["words"]
    V = len(words)
    projection = (draw(E, sizes["fc"]), draw(E))
    table = draw(V + 1, E, limit=1.0)
    cells = [((draw(4 * H, E if layer == 0 else H), draw(4 * H)), (draw(4 * H, H), draw(4 * H))) for layer in range(layers)]
    output = (draw(V + 1, H) * 1.5, draw(V + 1))
    output[1][0] = -20.0  # UNK
    output[1][-1] += sizes.get("end", 1.0)

    # The image, START = V + 1, then words until END = V + 1.
    v = F.linear(features(convolutions, linears, images() if pixels is None else pixels), double(projection[0]), double(projection[1]))
    v = F.relu(v) if rectifies else v

    def core(x, states):
        new = []
        for (i2h, h2h), (h, c) in zip(cells, states):
            h, c = lstm(x, h, c, i2h, h2h)
            new.append((h, c))
            x = h
        return new, torch.log_softmax(double(output[0]) @ x + double(output[1]), 0)

    def begin(image):
        zero = torch.zeros(H, dtype=torch.double)
        return core(v[image], [(zero, zero)] * layers)[0], V

    says = speak(lambda states, token: core(double(table[token]), states), begin, dict(enumerate(words)), V, given)

    cuda = backend == "cudnn"
    flat = {}
    for index, layer in enumerate(convolutions):
        if layer != "pool":
            weight = layer[0] if cuda else layer[0].reshape(len(layer[0]), -1)
            flat |= {f"w{index}": weight, f"b{index}": layer[1]}
    for index, (weight, bias) in enumerate(linears + [projection]):
        flat |= {f"fw{index}": weight, f"fb{index}": bias}
    flat = flattened({name: np.ascontiguousarray(array) for name, array in flat.items()}, cuda)
    modules, channels = [], 3
    for index, layer in enumerate(convolutions):
        if layer == "pool":
            modules.append(torch7.Object(f"{backend}.SpatialMaxPooling", {
                "kW": 2, "kH": 2, "dW": 2, "dH": 2, "padW": 0, "padH": 0, "ceil_mode": True, "train": False}))
            continue
        width = len(layer[0])
        modules.append(torch7.Object("cudnn.SpatialConvolution" if cuda else "nn.SpatialConvolutionMM", {
            "nInputPlane": channels, "nOutputPlane": width, "kW": 3, "kH": 3, "dW": 1, "dH": 1, "padW": 1, "padH": 1,
            "weight": flat[f"w{index}"], "bias": flat[f"b{index}"], "train": False} | ({"groups": 1} if cuda else {})))
        modules.append(torch7.Object(f"{backend}.ReLU", {"inplace": True}))
        channels = width
    modules.append(torch7.Object("nn.View", {"size": None, "numElements": channels * 49}))
    for index in range(3):
        modules.append(torch7.Object("nn.Linear", {"weight": flat[f"fw{index}"], "bias": flat[f"fb{index}"]}))
        if index < 2 or rectifies:
            modules.append(torch7.Object(f"{backend}.ReLU", {"inplace": True}))
        if index < 2:
            modules.append(torch7.Object("nn.Dropout", {"p": 0.5, "train": False}))
    arrays = {"table": table, "dw": output[0], "db": output[1]}
    for index, ((iw, ib), (hw, hb)) in enumerate(cells):
        arrays |= {f"iw{index}": iw, f"ib{index}": ib, f"hw{index}": hw, f"hb{index}": hb}
    own = flattened({name: np.ascontiguousarray(array) for name, array in arrays.items()}, cuda)

    def linear(name):
        return torch7.Object("nn.Linear", {"weight": own[name.format("w")], "bias": own[name.format("b")]})

    named = {"decoder": linear("d{}")}
    for index in range(layers):
        named |= {f"i2h_{index + 1}": linear("i{}" + str(index)), f"h2h_{index + 1}": linear("h{}" + str(index))}
    model = torch7.Object("nn.LanguageModel", {
        "vocab_size": V, "input_encoding_size": E, "rnn_size": H, "num_layers": layers, "seq_length": 16,
        "core": graph(named, layers), "lookup_table": torch7.Object("nn.LookupTable", {"weight": own["table"]}),
        "num_state": 2 * layers, "init_state": [np.zeros((1, H), np.float32)] * (2 * layers), "train": False})
    checkpoint = {
        "opt": {"rnn_size": H, "input_encoding_size": E, "backend": backend, "drop_prob_lm": 0.5}, "iter": 250000,
        "loss_history": {0: 9.5, 25: 6.25}, "val_predictions": [{"image_id": 1, "caption": "a dog"}],
        "protos": {"lm": model, "cnn": torch7.Object("nn.Sequential", {"modules": modules, "train": False})},
        "vocab": {str(number): word for number, word in enumerate(words, start=1)}}
    return checkpoint, says


class GraphWriter(torch7.Writer):
    """A writer that knows tables as keys."""

    def write(self, value):
        super().write(value.table if isinstance(value, HashedTable) else value)


def neuraltalk(sizes, stream, v, generator="lstm", tanh=0, once=0, given=GIVEN):
    """A checkpoint and what it says of features v [N, D]."""
    draw = Weights(stream, 1.5)
    E, H, words = sizes["E"], sizes["H"], ["."] + sizes["words"]
    E, V, D = H, len(words), v.shape[1]
    model = {"We": draw(D, E, limit=1.5 * he_limit(D)), "be": draw(1, E, limit=0.2), "Ws": draw(V, E, limit=1.0),
             "Wd": draw(H, V, limit=1.5 * he_limit(H)), "bd": draw(1, V, limit=0.2)}
    model["bd"][0, 0] += sizes.get("end", 1.0)
    if generator == "lstm":
        model["WLSTM"] = draw(1 + E + H, 4 * H, limit=1.5 * he_limit(E))
    else:
        model |= {"Wxh": draw(E, H, limit=he_limit(E)), "bxh": draw(1, H, limit=0.2), "Whh": draw(H, H, limit=0.7 * he_limit(H)),
                  "bhh": draw(1, H, limit=0.2)}
    model = {name: array.astype(np.float64) for name, array in model.items()}
    p = {name: torch.from_numpy(array) for name, array in model.items()}
    encoded = v @ p["We"] + p["be"][0]

    def tick(x, h, c):
        sums = torch.cat([torch.ones(1, dtype=torch.double), x, h]) @ p["WLSTM"]
        i, f, o = torch.sigmoid(sums[: 3 * H]).chunk(3)
        c = i * torch.tanh(sums[3 * H :]) + f * c
        h = o * torch.tanh(c) if tanh else o * c
        return h, c

    def step(states, token):
        x = p["Ws"][token]
        if generator == "lstm":
            h, c = tick(x, *states)
            states = (h, c)
        else:
            image, h, first = states
            shown = image if first or not once else 0
            h = torch.relu(shown + x @ p["Wxh"] + p["bxh"][0] + h @ p["Whh"] + p["bhh"][0])
            states = (image, h, False)
        y = torch.exp(torch.log_softmax(h @ p["Wd"] + p["bd"][0], 0))
        return states, torch.log(1e-20 + y)

    def begin(image):
        zero = torch.zeros(H, dtype=torch.double)
        return (tick(encoded[image], zero, zero) if generator == "lstm" else (encoded[image], zero, True)), 0

    says = speak(step, begin, dict(enumerate(words)), 0, given)
    checkpoint = {
        "it": 100, "epoch": 1.5, "model": model, "perplexity": np.float64(15.7).item(),
        "params": {"generator": generator, "tanhC_version": tanh, "rnn_feed_once": once, "rnn_relu_encoders": 0, "dataset": "flickr8k"},
        "wordtoix": {"#START#": 0} | {word: number for number, word in enumerate(words) if number},
        "ixtoword": dict(enumerate(words))}
    return checkpoint, says


class Unheard:
    """A class that no reader knows."""


def refused(infos, checkpoint, place):
    """Files of the projects that hold what our decoders are not."""
    def change(name, **options):
        changed = argparse.Namespace(**vars(infos["opt"]) | options)
        place(name).write_bytes(pickle.dumps(infos | {"opt": changed}, protocol=2))

    change("other.pkl", caption_model="transformer")
    change("normalized.pkl", use_bn=2)
    change("gru.pkl", caption_model="show_tell", rnn_type="gru")
    relu = checkpoint | {"params": checkpoint["params"] | {"rnn_relu_encoders": 1}}
    place("relu.p").write_bytes(python2(relu, 2))
    Unheard.__module__ = "captioners"
    sys.modules["captioners"] = sys.modules[__name__]
    place("unknown.p").write_bytes(pickle.dumps({"model": {}, "ixtoword": Unheard()}, protocol=2))

def write_torch7(path, checkpoint):
    writer = GraphWriter()
    writer.write(checkpoint)
    path.write_bytes(bytes(writer.out))


def write_encoder(path, layers, linears):
    tensors, number = {}, 0
    for layer in layers:
        if layer != "pool":
            tensors |= {f"features.{number}.weight": layer[0], f"features.{number}.bias": layer[1]}
        number += 1 if layer == "pool" else 2
    for index, (weight, bias) in enumerate(linears):
        tensors |= {f"classifier.{3 * index}.weight": weight, f"classifier.{3 * index}.bias": bias}
    write_tensors(path, tensors, "a VGG network")




def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    says = {}

    def place(name):
        return destination("ModelsTests", "captioners/" + name)

    def tried(name, first, make):
        """The first stream from a place on that says something of both images."""
        for stream in range(first, first + 3000):
            try:
                made = make(stream)
            except AssertionError:
                continue
            said = made[-1]
            if all(3 <= len(case["words"]) for case in said) and said[0]["words"] != said[1]["words"]:
                says[name] = said
                print(f"{name}: stream {stream}: {[' '.join(case['words']) for case in said]}")
                return made
        sys.exit(f"{name}: no stream")

    layers, linears = encoder(TINY, Weights(901))
    write_encoder(place("encoder.safetensors"), layers, linears)
    v = features(layers, linears, images())
    regions = maps(layers, images()).flatten(2).transpose(1, 2)
    checkpoint, _ = tried("neuraltalk2-cudnn", 10_000, lambda stream: neuraltalk2(TINY, stream))
    write_torch7(place("neuraltalk2-cudnn.t7"), checkpoint)
    checkpoint, _ = tried("neuraltalk2-nn", 20_000, lambda stream: neuraltalk2(TINY, stream, "nn", layers=2, rectifies=False))
    write_torch7(place("neuraltalk2-nn.t7"), checkpoint)
    for name, protocol, options in (("neuraltalk-lstm", 0, {}), ("neuraltalk-tanh", 2, {"tanh": 1}),
                                    ("neuraltalk-rnn", 2, {"generator": "rnn"}),
                                    ("neuraltalk-once", 2, {"generator": "rnn", "once": 1})):
        checkpoint, _ = tried(name, 30_000, lambda stream: neuraltalk(TINY, stream, v, **options))
        place(name + ".p").write_bytes(python2(checkpoint, protocol))
    for name, options in (("lrcn-2f", {}), ("lrcn-1u", {"factored": False}), ("lrcn-features", {"inside": False})):
        model, words, _ = tried(name, 80_000, lambda stream: lrcn(TINY, stream, layers, linears, v, **options))
        place(name + ".caffemodel").write_bytes(model)
        place("lrcn.txt").write_text(words)
    infos_of = {}
    # Whole modules, and their state dictionaries.
    checkpoint_of_attention, numbers, _ = tried("attend", 90_000, lambda stream: attend_and_tell(TINY, stream, regions))
    decoder = checkpoint_of_attention["decoder"]
    for name, saved in (("attend", checkpoint_of_attention), ("attend-state", {"decoder": decoder.state_dict()})):
        with open(place(name + ".pth"), "wb") as file:
            torch.save(saved, file)
    says["attend-state"] = says["attend"]
    place("attend.json").write_text(json.dumps(numbers))
    for number, name in enumerate(("fc", "newfc", "show_tell", "att2in2", "topdown"), start=4):
        state, infos, _ = tried(name, number * 10_000, lambda stream: image_captioning(TINY, stream, name, v, regions))
        # With the file's name in the archive, which else is the path's.
        with open(place(name + ".pth"), "wb") as file:
            torch.save(state, file)
        with open(place(name + ".pkl"), "wb") as file:
            pickle.dump(infos, file, protocol=2)
        infos_of[name] = infos
    refused(infos_of["att2in2"], checkpoint, place)
    write_json(place("captions.json"), says)


if __name__ == "__main__":
    main()
