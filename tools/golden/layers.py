"""Golden values of single layers, losses and the optimisers, forward and backward, from PyTorch in double precision.

Each loss below is sum(y * dy) for a given dy, so that every gradient is the plain backward pass of dy.

  linear.      x [5,7] weight [6,7] bias [6] y [5,6] dy; gradient.x gradient.weight gradient.bias
  embedding.   weight [9,4] ids [8] (with repeats) y [8,4] dy; gradient.weight [9,4]
  lstm.        one step: x [3,5] h [3,6] c [3,6] injected [3,24] (= W_ih v) weight_xh [24,5] weight_hh [24,6]
               bias [24], gates in order [i, f, o, g]; gates [3,24] (before the nonlinearities), next_h, next_c;
               dnext_h, dnext_c; gradient.x .h .c .gates .injected .weight_xh .weight_hh .bias
  entropy.CASE.   logits targets; log_probs (of each target) loss [1] (mean) gradient (of the mean, by logits);
               CASE is plain [6,11], huge [4,11] (logits within 1e4, some equal), wide [2,9567]
  optimizer.   20 steps of torch.optim: start [37], gradients [20,37] (some small, the last column zero), and the
               values [20,37] after each step of sgd (lr 0.05), momentum (SGD, 0.05, 0.9), nesterov (the same),
               adagrad (0.1), rmsprop (0.01), adam (0.01), adamw (0.01), each also with weight_decay=0.1 as NAME.decay
  clip.        clip_grad_norm_(5): a [4], b [2,3] before; norm [1]; clipped.a, clipped.b; small.a and small.norm
               are under the limit and stay as they are

`python3 tools/golden/layers.py` writes Tests/LayersTests/Fixtures/layers.safetensors.
"""

import torch

from fixtures import destination, write_tensors
from splitmix import Random


def uniform(shape, limit, *stream):
    return torch.from_numpy(Random(1234, *stream).tensor(shape, limit)).double()


def backward(prefix, inputs: dict, outputs: dict, stream) -> dict:
    """`inputs`, `outputs`, a random d-output each, and the gradient of every input that asks for one."""
    tensors, loss = {}, 0
    for i, (name, y) in enumerate(outputs.items()):
        dy = uniform(list(y.shape), 1.0, stream, 50 + i)
        tensors[f"{prefix}.d{name}"] = dy
        loss = loss + (y * dy).sum()
    loss.backward()
    tensors |= {f"{prefix}.{name}": value for name, value in (inputs | outputs).items()}
    tensors |= {f"{prefix}.gradient.{name}": value.grad for name, value in inputs.items() if value.requires_grad}
    return tensors


def linear():
    p = {name: uniform(shape, 1.0, 400, i).requires_grad_()
         for i, (name, shape) in enumerate([("x", [5, 7]), ("weight", [6, 7]), ("bias", [6])])}
    return backward("linear", p, {"y": torch.nn.functional.linear(p["x"], p["weight"], p["bias"])}, 400)


def embedding():
    weight = uniform([9, 4], 1.0, 401, 0).requires_grad_()
    ids = torch.tensor([3, 0, 3, 8, 1, 3, 8, 5])
    return backward("embedding", {"weight": weight, "ids": ids}, {"y": weight[ids]}, 401)


def lstm():
    shapes = {"x": [3, 5], "h": [3, 6], "c": [3, 6], "injected": [3, 24], "weight_xh": [24, 5],
              "weight_hh": [24, 6], "bias": [24]}
    p = {name: uniform(shape, 1.0, 402, i).requires_grad_() for i, (name, shape) in enumerate(shapes.items())}
    gates = p["x"] @ p["weight_xh"].T + p["h"] @ p["weight_hh"].T + p["injected"] + p["bias"]
    gates.retain_grad()
    i, f, o, g = gates.chunk(4, 1)
    c = torch.sigmoid(f) * p["c"] + torch.sigmoid(i) * torch.tanh(g)
    tensors = backward("lstm", p, {"next_h": torch.sigmoid(o) * torch.tanh(c), "next_c": c}, 402)
    return tensors | {"lstm.gates": gates, "lstm.gradient.gates": gates.grad}


def entropy():
    huge = uniform([4, 11], 1e4, 403, 1)
    huge[1] = 1e4  # all equal
    huge[2, :] = -1e4
    huge[2, 4] = 1e4
    huge[3] = uniform([11], 3, 403, 2) + 1e4
    huge = huge.float().double()
    cases = {"plain": (uniform([6, 11], 4, 403, 0), [0, 3, 3, 10, 7, 1]), "huge": (huge, [2, 5, 4, 9]),
             "wide": (uniform([2, 9567], 8, 403, 3), [9566, 17])}
    tensors = {}
    for name, (logits, targets) in cases.items():
        logits.requires_grad_()
        log_probs = torch.log_softmax(logits, 1)[torch.arange(len(targets)), torch.tensor(targets)]
        loss = -log_probs.mean()
        loss.backward()
        tensors |= {f"entropy.{name}.logits": logits, f"entropy.{name}.targets": targets,
                    f"entropy.{name}.log_probs": log_probs, f"entropy.{name}.loss": loss.reshape(1),
                    f"entropy.{name}.gradient": logits.grad}
    return tensors


def optimizers():
    start = uniform([37], 1.0, 404, 0)
    gradients = uniform([20, 37], 1.0, 404, 1)
    gradients[:, 12:24] *= 1e-3
    gradients[:, 36] = 0  # a gradient that never comes must not move its value, nor divide by zero
    gradients = gradients.float().double()
    rules = {
        "sgd": (torch.optim.SGD, {"lr": 0.05}),
        "momentum": (torch.optim.SGD, {"lr": 0.05, "momentum": 0.9}),
        "nesterov": (torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
        "adagrad": (torch.optim.Adagrad, {"lr": 0.1}),
        "rmsprop": (torch.optim.RMSprop, {"lr": 0.01}),
        "adam": (torch.optim.Adam, {"lr": 0.01}),
        "adamw": (torch.optim.AdamW, {"lr": 0.01}),
    }
    tensors = {"optimizer.start": start, "optimizer.gradients": gradients}
    for name, (rule, options) in rules.items():
        for suffix, decay in (("", 0.0), (".decay", 0.1)):
            value = start.clone().requires_grad_()
            optimizer, values = rule([value], weight_decay=decay, **options), []
            for gradient in gradients:
                value.grad = gradient.clone()
                optimizer.step()
                values.append(value.detach().clone())
            tensors[f"optimizer.{name}{suffix}"] = torch.stack(values)
    return tensors


def clip():
    tensors = {"clip.a": uniform([4], 10, 405, 0), "clip.b": uniform([2, 3], 10, 405, 1),
               "clip.small.a": uniform([4], 1, 405, 2)}

    def clipped(names):
        parameters = [torch.zeros_like(tensors[name]) for name in names]
        for parameter, name in zip(parameters, names):
            parameter.grad = tensors[name].clone()
        norm = torch.nn.utils.clip_grad_norm_(parameters, 5.0)
        return norm.reshape(1), [parameter.grad for parameter in parameters]

    norm, (a, b) = clipped(["clip.a", "clip.b"])
    small, (same,) = clipped(["clip.small.a"])
    assert torch.equal(same, tensors["clip.small.a"]) and norm > 5 > small
    return tensors | {"clip.norm": norm, "clip.clipped.a": a, "clip.clipped.b": b, "clip.small.norm": small}


def main():
    torch.set_num_threads(1)
    tensors = linear() | embedding() | lstm() | entropy() | optimizers() | clip()
    write_tensors(destination("LayersTests", "layers.safetensors"), tensors, __doc__)


if __name__ == "__main__":
    main()
