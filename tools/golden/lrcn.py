"""LRCN's captioners, by examples/coco_caption/lrcn.prototxt and Caffe's LSTM layer."""

import numpy as np
import torch

from caffe_schema import network
from captioner_parts import GIVEN, Weights, double, speak


def lrcn(sizes, stream, layers, linears, v, factored=True, inside=True, given=GIVEN):
    """A caffemodel's layers, the words' file, and what it says of features v [N, D]: by their classes (fc8), with the
    network `inside`; else by themselves."""
    draw = Weights(stream, 2.0)
    E, H, words = sizes["E"], sizes["H"], ["<EOS>"] + sizes["words"] + ["<unk>"]
    V, D, classes = len(words), v.shape[1], 7
    fc8 = (draw(classes, D), draw(classes))
    static = classes if inside else D
    share = np.float32(0.3)  # or the image alone decides
    embedding = draw(V, E, limit=1.0)
    lower = [draw(4 * H, E), draw(4 * H)] + ([] if factored else [draw(4 * H, static) * share]) + [draw(4 * H, H)]
    upper = [draw(4 * H, H), draw(4 * H), draw(4 * H, static) * share, draw(4 * H, H)] if factored else None
    predict = [draw(V, H), draw(V)]
    predict[1][0] += sizes.get("end", 1.0)
    predict[1][V - 1] = -20
    seen = v @ double(fc8[0]).T + double(fc8[1]) if inside else v

    def unit(x, image, h, c, blobs):
        """One step of Caffe's LSTM layer, the image its static input."""
        sums = double(blobs[0]) @ x + double(blobs[1]) + double(blobs[-1]) @ h
        if len(blobs) == 4:
            sums = sums + double(blobs[2]) @ image
        i, f, o, g = sums.chunk(4)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c

    def step(states, token):
        image, *states = states
        h, c = unit(double(embedding[token]), image, *states[0], lower)
        states[0], top = (h, c), h
        if factored:
            h, c = unit(top, image, *states[1], upper)
            states[1], top = (h, c), h
        return (image, *states), torch.log_softmax(double(predict[0]) @ top + double(predict[1]), 0)

    def begin(number):
        zero = torch.zeros(H, dtype=torch.double)
        return (seen[number], (zero, zero), (zero, zero)), 0

    says = speak(step, begin, dict(enumerate(words)), 0, given)
    net = []
    if inside:
        block, number = 1, 1
        for layer in layers:
            if layer == "pool":
                block, number = block + 1, 1
                continue
            net.append((f"conv{block}_{number}", "Convolution", list(layer)))
            number += 1
        net += [(name, "InnerProduct", list(arrays)) for name, arrays in zip(("fc6", "fc7", "fc8"), [*linears, fc8])]
    net += [("embedding", "Embed", [embedding]), ("lstm1", "LSTM", lower)]
    net += [("lstm2", "LSTM", upper)] if factored else []
    net.append(("predict", "InnerProduct", predict))
    return network("lrcn", net), "\n".join(words[1:]) + "\n", says
