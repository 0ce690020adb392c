"""What the FC head is made of beside products and ReLU: activations from PyTorch, normalisations of its input from PyTorch
and numpy, all in double precision.

Each loss below is sum(y * dy) for a given dy, so that every gradient is the plain backward pass of dy.

  activations.safetensors (LayersTests): of NAME among leaky-relu, prelu, elu, maxout, tanh and sigmoid
    NAME.x [5,7] .weight [6,7] .bias [6] .y [5,6] .dy [5,6]; .gradient.x .weight .bias; prelu.slope [1], its gradient;
    maxout has two pieces: weight [12,7], bias [12], of which rows k and k + 6 are unit k's
  normalization.safetensors (ModelsTests), of x [40,12], three channels of 2x2:
    mean.mean [3] .y [40,12]
    standardize.y .dy .gradient.x: torch's layer_norm without weights, epsilon 1e-5
    whiten.mean [12] .components [5,12] .y [40,5] .dy .gradient.x: of numpy's eigh of the covariance (n - 1), divided by
    sqrt(value + 0.01 * mean variance), the entry of each component that is furthest from zero positive
  eigen.safetensors (KernelsTests): matrix [40,40], values [40] descending, vectors [40,40], signs as above

`python3 tools/golden/head.py` writes them.
"""

import numpy as np
import torch
from torch.nn import functional as F

from fixtures import destination, write_tensors
from splitmix import Random

ACTIVATIONS = {
    "leaky-relu": lambda x, slope: F.leaky_relu(x, 0.01),
    "prelu": F.prelu,
    "elu": lambda x, slope: F.elu(x),
    "maxout": lambda x, slope: torch.maximum(*x.chunk(2, 1)),
    "tanh": lambda x, slope: torch.tanh(x),
    "sigmoid": lambda x, slope: torch.sigmoid(x),
}


def uniform(shape, limit, *stream):
    return torch.from_numpy(Random(1234, 500, *stream).tensor(shape, limit)).double()


def activations() -> dict:
    tensors = {}
    for number, (name, function) in enumerate(ACTIVATIONS.items()):
        pieces = 2 if name == "maxout" else 1
        shapes = {"x": [5, 7], "weight": [6 * pieces, 7], "bias": [6 * pieces]} | ({"slope": [1]} if name == "prelu" else {})
        p = {key: uniform(shape, 1.0, number, i).requires_grad_() for i, (key, shape) in enumerate(shapes.items())}
        y = function(F.linear(p["x"], p["weight"], p["bias"]), p.get("slope"))
        dy = uniform([5, 6], 1.0, number, 50)
        (y * dy).sum().backward()
        tensors |= {f"{name}.{key}": value for key, value in p.items()} | {f"{name}.y": y, f"{name}.dy": dy}
        tensors |= {f"{name}.gradient.{key}": value.grad for key, value in p.items()}
    return tensors


def signed(vectors: np.ndarray) -> np.ndarray:
    """Rows whose entry furthest from zero is positive."""
    furthest = vectors[np.arange(len(vectors)), np.abs(vectors).argmax(1)]
    return vectors * np.sign(furthest)[:, None]


def eigen(matrix: np.ndarray):
    values, vectors = np.linalg.eigh(matrix)
    return values[::-1], signed(vectors.T[::-1])


def normalizations() -> dict:
    # Directions of unlike variance, as those of averaged maps.
    x = (uniform([40, 12], 1.0, 10) * torch.linspace(0.2, 3, 12).double() + uniform([12], 2.0, 11)) @ uniform([12, 12], 1.0, 12)
    x = x.float().double()
    mean = x.reshape(40, 3, 4).mean((0, 2))
    tensors = {"x": x, "mean.mean": mean, "mean.y": x - mean.repeat_interleave(4)}
    given = x.clone().requires_grad_()
    y, dy = F.layer_norm(given, (12,), eps=1e-5), uniform([40, 12], 1.0, 13)
    (y * dy).sum().backward()
    tensors |= {"standardize.y": y, "standardize.dy": dy, "standardize.gradient.x": given.grad}
    covariance = np.cov(x.numpy().T)
    values, vectors = eigen(covariance)
    components = torch.from_numpy(vectors[:5] / np.sqrt(values[:5] + 0.01 * np.trace(covariance) / 12)[:, None])
    given = x.clone().requires_grad_()
    y, dy = (given - x.mean(0)) @ components.T, uniform([40, 5], 1.0, 14)
    (y * dy).sum().backward()
    return tensors | {"whiten.mean": x.mean(0), "whiten.components": components, "whiten.y": y, "whiten.dy": dy,
                      "whiten.gradient.x": given.grad}


def eigenvectors() -> dict:
    factor = uniform([40, 40], 1.0, 20).numpy()
    matrix = (factor @ np.diag(np.linspace(-1, 2, 40)) @ factor.T).astype(np.float32).astype(np.float64)
    matrix = np.tril(matrix) + np.tril(matrix, -1).T
    values, vectors = eigen(matrix)
    return {"matrix": matrix, "values": values, "vectors": vectors}


def main():
    torch.set_num_threads(1)
    write_tensors(destination("LayersTests", "activations.safetensors"), activations(), __doc__)
    write_tensors(destination("ModelsTests", "normalization.safetensors"), normalizations(), __doc__)
    write_tensors(destination("KernelsTests", "eigen.safetensors"), eigenvectors(), __doc__)


if __name__ == "__main__":
    main()
