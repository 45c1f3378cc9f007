"""The random numbers of trainings and augmentations: the same in every language."""

from __future__ import annotations

import numpy as np

__all__ = ["RandomNumbers"]

_MASK = 0xFFFFFFFF
_INCREMENT = 0x9E3779B9  # 2³² divided by the golden ratio


class RandomNumbers:
    """SplitMix (Steele, Lea and Flood, 2014) with 32 bits.

    Number k = 1, 2, … of a seed is `mix(seed + k · 0x9E3779B9)`, where `mix(z)` is the finalizer of
    MurmurHash3 (Appleby, 2011), all modulo 2³²:

        z ← (z ⊕ ⌊z/2¹⁶⌋) · 0x85EBCA6B,    z ← (z ⊕ ⌊z/2¹³⌋) · 0xC2B2AE35,    z ← z ⊕ ⌊z/2¹⁶⌋

    This needs products of 32 bits only (`Math.imul` in JavaScript; PCG32 and SplitMix64 need 64).
    Each number depends on its position only, so that NumPy computes many at once; xoshiro and sfc32
    would need a loop. `mix` is a bijection: 2³² numbers in succession differ from each other.

    Args:
        seed: start of the sequence. Only its lowest 32 bits are used.
    """

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def draw(self, count: int) -> np.ndarray:
        """Return the next numbers, uniform in 0…2³² − 1: uint32 [count]."""
        steps = np.arange(1, count + 1, dtype=np.uint32)
        z = steps * np.uint32(_INCREMENT) + np.uint32(self._state)
        self._state = (self._state + count * _INCREMENT) & _MASK
        z = (z ^ (z >> 16)) * np.uint32(0x85EBCA6B)
        z = (z ^ (z >> 13)) * np.uint32(0xC2B2AE35)
        return np.asarray(z ^ (z >> 16), np.uint32)

    def permutation(self, count: int) -> np.ndarray:
        """Return 0…count − 1 in random order, int64 [count]: sorted by the next `count` numbers.

        No two of these numbers are equal, so the order needs no rule for ties.
        """
        return np.asarray(self.draw(count).argsort(), np.int64)
