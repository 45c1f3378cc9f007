"""Random masks, in ops that give every runtime the same bits."""

from __future__ import annotations

import numpy as np

from ..errors import ConversionError
from ..graph import Tensor
from ..ops import (
    add,
    cumsum,
    floor,
    minimum,
    mul,
    reduce_sum,
    relu,
    reshape,
    slice_,
    sub,
    zeros_like,
)

__all__ = ["Masks", "check_rate", "first_random_state"]

_MODULI = np.array([2039, 2027, 2003], np.float32)
_PLANES = _MODULI.reshape(3, 1, 1)
_MULTIPLIERS = np.array([702, 1103, 403], np.float32)  # primitive roots of the moduli
_FIRST = np.array([1234, 567, 891], np.float32)


class Masks:
    """The dropout masks of one training step (Srivastava et al., 2014).

    RANDOM_UNIFORM is no help: its stream starts anew with every resize and every process, and
    differs between runtimes. Here the randomness is a function of a variable of the file, so it
    is saved and restored with the rest. It is the sum of three multiplicative generators, as that
    of Wichmann & Hill (1982, AS 183), with smaller moduli `p`: all that is computed is a whole
    number below 2²², which float32 holds exactly whatever the order and rounding of a kernel.

    Each modulus has a state `s ← a · s mod p`, once a step: the three come back after 2.07e9
    steps. Row `n` of a batch has the key `(s + n)⁹ mod p`, a unit the multiplier `c`, drawn at
    conversion; and the unit is dropped where the sum of the three `key · c mod p`, mod 2039, is
    below `rate · 2039`. So a mask depends on the step, the row and the unit alone, and not on how
    many rows there are.

    Args:
        state: [3]; what `first_random_state` gave, or `advanced`.
        features: [N, …]; only how many there are counts.
    """

    def __init__(self, state: Tensor, features: Tensor) -> None:
        self._state = state
        rows = reshape(_row_numbers(features), (1, -1, 1))
        self._keys = _cube(_cube(_mod(add(rows, reshape(state, (3, 1, 1))), _PLANES)))
        self._layers = 0

    def drop(self, x: Tensor, rate: float) -> Tensor:
        """Set a part of the units to 0, and scale the rest so that the mean stays.

        Args:
            x: [N, units].
            rate: the part, 0 < it < 1; taken to the nearest of 2039 steps.
        """
        bound = min(max(round(rate * _MODULI[0]), 1), int(_MODULI[0]) - 1)
        keep = float(_MODULI[0] / (_MODULI[0] - bound))
        draw = reduce_sum(_mod(mul(self._keys, self._units(x.shape[1])), _PLANES), [0])
        kept = minimum(relu(sub(_mod(draw, _MODULI[:1]), float(bound - 1))), 1.0)
        return mul(x, mul(kept, keep))

    def advanced(self) -> Tensor:
        """The state of the next step: [3]."""
        return _mod(mul(self._state, _MULTIPLIERS), _MODULI)

    def _units(self, count: int) -> np.ndarray:
        """The multipliers of a layer's units, others for each layer: [3, 1, units]."""
        self._layers += 1
        rng = np.random.default_rng(self._layers)
        drawn = [rng.integers(1, int(modulus), (1, count)) for modulus in _MODULI]
        return np.asarray(drawn, np.float32)


def first_random_state() -> np.ndarray:
    """What the variable starts with: [3], the same in every file."""
    return _FIRST


def check_rate(rate: float, where: str) -> None:
    """Raise ConversionError unless 0 ≤ rate < 1."""
    if not 0 <= rate < 1:
        raise ConversionError(f"{where} must be at least 0 and below 1, got {rate}")


def _row_numbers(features: Tensor) -> Tensor:
    """1, 2, … of as many rows as there are at run time: [N]."""
    first = slice_(features, [0] * features.rank, [-1] + [1] * (features.rank - 1))
    return cumsum(add(zeros_like(reshape(first, (-1,))), 1.0), 0)


def _mod(x: Tensor, moduli: np.ndarray) -> Tensor:
    """`x mod p` of whole numbers 0 ≤ x < 2²².

    Half a step from the nearest multiple of `p`, no rounding brings the quotient to the next one.
    """
    whole = floor(mul(add(x, 0.5), 1 / moduli))
    return sub(x, mul(whole, moduli))


def _cube(x: Tensor) -> Tensor:
    """`x³ mod p`: another order of the same numbers, as 3 does not divide `p − 1`."""
    return _mod(mul(_mod(mul(x, x), _PLANES), x), _PLANES)
