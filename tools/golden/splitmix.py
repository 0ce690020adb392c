"""The numpy twin of Sources/Support/Random.swift, bit for bit, so that both sides can make the same big
tensors from a seed and no fixture has to hold them.

`python3 tools/golden/splitmix.py` writes Tests/SupportTests/Fixtures/random.json.
"""

import numpy as np

from fixtures import destination, write_json

MASK = (1 << 64) - 1
GAMMA = 0x9E3779B97F4A7C15


def _mixed(z: int) -> int:
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


class Random:
    """`Random(seed, *stream)` is Swift's `Random(seed:stream:)`, or `Random(seed:)` without keys."""

    def __init__(self, seed: int, *stream: int):
        self.state = seed & MASK
        for key in stream:
            self.state = _mixed((self.state + GAMMA) & MASK) ^ _mixed((key + 1) & MASK)

    def bits(self, count: int) -> np.ndarray:
        """The next `count` values of `next()`, as uint64."""
        with np.errstate(over="ignore"):
            z = np.arange(1, count + 1, dtype=np.uint64)
            z *= np.uint64(GAMMA)
            z += np.uint64(self.state)
            z ^= z >> np.uint64(30)
            z *= np.uint64(0xBF58476D1CE4E5B9)
            z ^= z >> np.uint64(27)
            z *= np.uint64(0x94D049BB133111EB)
            z ^= z >> np.uint64(31)
        self.state = (self.state + count * GAMMA) & MASK
        return z

    def uniform(self, count: int) -> np.ndarray:
        """`uniform()`, `count` times, as float32."""
        return (self.bits(count) >> np.uint64(40)).astype(np.float32) * np.float32(2**-24)

    def tensor(self, shape, limit) -> np.ndarray:
        """`Tensor(uniform: shape, limit: limit)`: scalar i is draw i."""
        uniform = self.uniform(int(np.prod(shape)))
        return ((uniform * np.float32(2) - np.float32(1)) * np.float32(limit)).reshape(shape)


def he_limit(fan_in: int) -> np.float32:
    """Swift's `(6 / Float(fanIn)).squareRoot()`."""
    return np.sqrt(np.float32(6) / np.float32(fan_in))


def main():
    streams = [(0, []), (1, []), (1234, []), (MASK, []), (1234, [0]), (1234, [16, 3]), (1234, [16, 1000]),
               (7, [MASK, 0, 5])]
    cases = []
    for seed, keys in streams:
        cases.append({
            # Strings: not every JSON reader keeps 64 bits of a number.
            "seed": str(seed),
            "stream": [str(key) for key in keys],
            "next": [str(value) for value in Random(seed, *keys).bits(8)],
            "uniform": [float(value) for value in Random(seed, *keys).uniform(8)],
            "tensor_limit_0.3": [float(value) for value in Random(seed, *keys).tensor([8], 0.3)],
        })
    write_json(destination("SupportTests", "random.json"), {"cases": cases})


if __name__ == "__main__":
    main()
