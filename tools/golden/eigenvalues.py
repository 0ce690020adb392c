"""Golden eigenvalues of matrices that are not symmetric, from numpy.

  NAME.matrix [n,n], .real [n], .imaginary [n], of NAME among
    uniform    uniform entries
    rotation   1.5 times an orthogonal matrix: all on a circle
    defective  a triple eigenvalue with one eigenvector
    companion  of x^12 - 1: the roots of one, on which the usual shift stands still

The order of the eigenvalues means nothing. `python3 tools/golden/eigenvalues.py` writes
Tests/KernelsTests/Fixtures/eigenvalues.safetensors.
"""

import numpy as np

from fixtures import destination, write_tensors
from splitmix import Random


def uniform(n, stream):
    return Random(1234, 440, stream).tensor([n, n], 1.0).astype(np.float64)


def main():
    companion = np.eye(12, k=-1)
    companion[0, -1] = 1
    matrices = {
        "uniform": uniform(33, 0),
        "rotation": 1.5 * np.linalg.qr(uniform(20, 1))[0],
        "defective": np.diag([2.0, 2, 2, -1]) + np.diag([1.0, 1, 0], k=1),
        "companion": companion,
    }
    tensors = {}
    for name, matrix in matrices.items():
        matrix = matrix.astype(np.float32).astype(np.float64)
        values = np.linalg.eigvals(matrix)
        # Of conjugates in one order, for tools/golden/check.
        values = values[np.lexsort((np.round(values.imag, 9), np.round(values.real, 9)))]
        tensors |= {f"{name}.matrix": matrix, f"{name}.real": values.real, f"{name}.imaginary": values.imag}
    write_tensors(destination("KernelsTests", "eigenvalues.safetensors"), tensors, __doc__)


if __name__ == "__main__":
    main()
