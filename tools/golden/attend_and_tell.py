"""a-PyTorch-Tutorial-to-Image-Captioning's checkpoints, by its models.py."""

import sys

import numpy as np
import torch
import torch.nn.functional as F

from captioner_parts import GIVEN, Weights, double, speak


def module(name, **parts):
    """A module under a class's name in its models.py."""
    models = sys.modules.setdefault("models", type(sys)("models"))
    kind = type(name, (torch.nn.Module,), {"__module__": "models"})
    setattr(models, name, kind)
    made = kind()
    for key, part in parts.items():
        setattr(made, key, part)
    return made


def attend_and_tell(sizes, stream, regions, given=GIVEN):
    """A checkpoint, whole modules as train.py saves them, the words, and what the model says of regions [N, R, C]."""
    draw = Weights(stream, 1.5)
    E, H, A, words = sizes["E"], sizes["H"], sizes.get("A", 5), sizes["words"]
    C = regions.shape[2]
    # As create_input_files.py: words from 1, and four more.
    numbers = {word: number for number, word in enumerate(words, start=1)}
    numbers |= {"<unk>": len(words) + 1, "<start>": len(words) + 2, "<end>": len(words) + 3, "<pad>": 0}
    V = len(numbers)

    def filled(layer, scale=1.0):
        with torch.no_grad():
            for _, parameter in sorted(layer.named_parameters()):
                drawn = draw(*parameter.shape) if parameter.dim() > 1 else draw(*parameter.shape, limit=0.2)
                parameter.copy_(torch.from_numpy(np.ascontiguousarray(drawn)) * scale)
        return layer

    attention = module("Attention", encoder_att=filled(torch.nn.Linear(C, A)), decoder_att=filled(torch.nn.Linear(H, A)),
                       full_att=filled(torch.nn.Linear(A, 1), 2.0), relu=torch.nn.ReLU(), softmax=torch.nn.Softmax(dim=1))
    decoder = module("DecoderWithAttention", attention=attention, embedding=filled(torch.nn.Embedding(V, E)), dropout=torch.nn.Dropout(0.5),
                     decode_step=filled(torch.nn.LSTMCell(E + C, H)), init_h=filled(torch.nn.Linear(C, H)),
                     init_c=filled(torch.nn.Linear(C, H)), f_beta=filled(torch.nn.Linear(H, C)), sigmoid=torch.nn.Sigmoid(),
                     fc=filled(torch.nn.Linear(H, V), 1.5))
    with torch.no_grad():
        decoder.fc.bias[numbers["<end>"]] += sizes.get("end", 1.0)
        for name in ("<unk>", "<start>", "<pad>"):
            decoder.fc.bias[numbers[name]] -= 3
    blocks = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 1), torch.nn.BatchNorm2d(2), torch.nn.ReLU())
    for part in blocks.parameters():
        torch.nn.init.constant_(part, 0.5)
    checkpoint = {"epoch": 3, "bleu-4": 0.2, "encoder": module("Encoder", resnet=blocks, adaptive_pool=torch.nn.AdaptiveAvgPool2d(14)),
                  "decoder": decoder, "encoder_optimizer": None}
    w = {key: double(value.numpy()) for key, value in decoder.state_dict().items()}
    cell = torch.nn.LSTMCell(E + C, H).double()
    cell.load_state_dict({key[12:]: value for key, value in w.items() if key.startswith("decode_step.")})

    def linear(name, x):
        return F.linear(x, w[name + ".weight"], w[name + ".bias"])

    def begin(number):
        mean = regions[number].mean(0)
        return (number, linear("init_h", mean), linear("init_c", mean)), numbers["<start>"]

    def step(states, token):
        number, h, c = states
        compared = torch.relu(linear("attention.encoder_att", regions[number]) + linear("attention.decoder_att", h))
        alpha = torch.softmax(linear("attention.full_att", compared)[:, 0], 0)
        seen = torch.sigmoid(linear("f_beta", h)) * (alpha[:, None] * regions[number]).sum(0)
        with torch.no_grad():
            h, c = cell(torch.cat([w["embedding.weight"][token], seen])[None], (h[None], c[None]))
        return (number, h[0], c[0]), torch.log_softmax(linear("fc", h[0]), 0)

    named = {number: word for word, number in numbers.items() if word not in ("<start>", "<end>", "<pad>")}
    return checkpoint, numbers, speak(step, begin, named, numbers["<end>"], given)
