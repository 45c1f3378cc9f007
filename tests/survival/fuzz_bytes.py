"""Damage the bytes of a file without knowledge of its format."""

from __future__ import annotations

import numpy as np

__all__ = ["damage"]

_BLOCKS = (1, 8, 64, 512, 4096)  # bytes


def damage(content: bytes, random: np.random.Generator) -> bytes:
    """Truncate a file, change a few bits or bytes, or fill a block with zeros."""
    data = bytearray(content)
    kind = random.choice(["cut", "bits", "bytes", "block"], p=[0.1, 0.45, 0.35, 0.1])
    if kind == "cut" or not data:
        return bytes(data[: random.integers(len(data) + 1)])
    if kind == "block":
        start = int(random.integers(len(data)))
        end = min(len(data), start + int(random.choice(_BLOCKS)))
        data[start:end] = bytes(end - start)
        return bytes(data)
    for _ in range(random.choice([1, 1, 1, 2, 3, 8])):
        position = int(random.integers(len(data)))
        if kind == "bits":
            data[position] ^= 1 << int(random.integers(8))
        else:
            data[position] = random.choice([0, 1, 2, 127, 128, 254, 255])
    return bytes(data)
