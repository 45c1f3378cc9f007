"""Random numbers that every language can reproduce."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["random_numbers"]

_BITS = 0xFFFFFFFF


def random_numbers(seed: int) -> Iterator[int]:
    """Yield numbers 0…65535 of SplitMix with 32 bits.

    All modulo 2³²: `state ← state + 0x9E3779B9`, starting at the seed; `z = state`,
    `z ← (z ⊕ z/2¹⁶) · 0x85EBCA6B`, `z ← (z ⊕ z/2¹³) · 0xC2B2AE35`, `z ← z ⊕ z/2¹⁶` (the
    finalizer of MurmurHash3); the number is `z/2¹⁶`.

    Args:
        seed: start of the sequence. Only its lowest 32 bits are used.
    """
    state = seed & _BITS
    while True:
        state = (state + 0x9E3779B9) & _BITS
        z = ((state ^ (state >> 16)) * 0x85EBCA6B) & _BITS
        z = ((z ^ (z >> 13)) * 0xC2B2AE35) & _BITS
        yield (z ^ (z >> 16)) >> 16
