"""Dropout masks, from ops that give the same bits in every runtime."""

from __future__ import annotations

import numpy as np

from .._arguments import check_number
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

__all__ = ["DropoutMasks", "check_rate", "initial_random_state"]

_MODULI = np.array([2039, 2027, 2003], np.float32)
_PLANES = _MODULI.reshape(3, 1, 1)
_MULTIPLIERS = np.array([702, 1103, 403], np.float32)  # primitive roots of the moduli
_INITIAL_STATE = np.array([1234, 567, 891], np.float32)


class DropoutMasks:
    """The dropout masks of one training step (Srivastava et al., 2014).

    RANDOM_UNIFORM is not suitable: its stream restarts with every resize and every process, and
    differs between runtimes. Here the masks are a function of a variable of the file, which is
    saved and restored with the others. The generator is the sum of three multiplicative generators
    (Wichmann & Hill, 1982, AS 183) with smaller moduli `p`: all values are integers below 2²²,
    which float32 represents exactly, independent of the order and rounding of a kernel.

    Each modulus has a state `s ← a · s mod p`, updated once per step; the period of the three is
    2.07e9 steps. Row `n` of a batch has the key `(s + n)⁹ mod p`, and a unit the multiplier `c`,
    drawn at conversion. The unit is dropped if the sum of the three `key · c mod p`, mod 2039, is
    below `rate · 2039`. A mask thus depends on the step, the row and the unit, and not on the
    number of rows.

    Args:
        state: [3]; from `initial_random_state` or `next_state`.
        features: [N, …]; only N is used.
    """

    def __init__(self, state: Tensor, features: Tensor) -> None:
        self._state = state
        rows = reshape(_row_numbers(features), (1, -1, 1))
        self._keys = _cube(_cube(_mod(add(rows, reshape(state, (3, 1, 1))), _PLANES)))
        self._layers = 0

    def drop(self, x: Tensor, rate: float) -> Tensor:
        """Set a fraction of the units to 0, and scale the others so that the mean stays equal.

        Args:
            x: [N, units].
            rate: the fraction, 0 < rate < 1; rounded to a multiple of 1/2039.
        """
        bound = min(max(round(rate * _MODULI[0]), 1), int(_MODULI[0]) - 1)
        scale = float(_MODULI[0] / (_MODULI[0] - bound))
        draw = reduce_sum(_mod(mul(self._keys, self._multipliers(x.shape[1])), _PLANES), [0])
        mask = minimum(relu(sub(_mod(draw, _MODULI[:1]), float(bound - 1))), 1.0)
        return mul(x, mul(mask, scale))

    def next_state(self) -> Tensor:
        """Emit the state of the next step: [3]."""
        return _mod(mul(self._state, _MULTIPLIERS), _MODULI)

    def _multipliers(self, count: int) -> np.ndarray:
        """Return the multipliers of the units of the next layer: [3, 1, units]."""
        self._layers += 1
        rng = np.random.default_rng(self._layers)
        multipliers = [rng.integers(1, int(modulus), (1, count)) for modulus in _MODULI]
        return np.asarray(multipliers, np.float32)


def initial_random_state() -> np.ndarray:
    """Return the initial state: [3], the same in every file."""
    return _INITIAL_STATE


def check_rate(rate: float, where: str) -> None:
    """Check that 0 ≤ rate < 1.

    Raises:
        ConversionError: If it is not.
    """
    check_number(rate, where, error=ConversionError)
    if not 0 <= rate < 1:
        raise ConversionError(f"{where} must be at least 0 and below 1, got {rate}")


def _row_numbers(features: Tensor) -> Tensor:
    """Emit 1, 2, …, N, with the number of rows at run time: [N]."""
    first = slice_(features, [0] * features.rank, [-1] + [1] * (features.rank - 1))
    return cumsum(add(zeros_like(reshape(first, (-1,))), 1.0), 0)


def _mod(x: Tensor, moduli: np.ndarray) -> Tensor:
    """Emit `x mod p` for integers 0 ≤ x < 2²².

    Adding 0.5 keeps the quotient away from integers, so that rounding cannot change its floor.
    """
    quotient = floor(mul(add(x, 0.5), 1 / moduli))
    return sub(x, mul(quotient, moduli))


def _cube(x: Tensor) -> Tensor:
    """Emit `x³ mod p`: a permutation of 0…p − 1, since 3 does not divide `p − 1`."""
    return _mod(mul(_mod(mul(x, x), _PLANES), x), _PLANES)
