"""Checks of the settings of optimizers."""

from __future__ import annotations

import math

from .._arguments import check_number
from ..errors import ConversionError

__all__ = ["check_epsilon", "check_rates", "check_weight_decay"]


def check_rates(learning_rate: float | None, clip_norm: float | None, **decays: float) -> None:
    """Check a learning rate and a norm (above 0, or None), and decays (0 ≤ decay < 1)."""
    for name, value in (("learning_rate", learning_rate), ("clip_norm", clip_norm)):
        if value is None:
            continue
        check_number(value, name, error=ConversionError)
        if not 0 < value < math.inf:
            raise ConversionError(f"{name} must be above 0, got {value}")
    for name, value in decays.items():
        check_number(value, name, error=ConversionError)
        if not 0 <= value < 1:
            raise ConversionError(f"{name} must be at least 0 and below 1, got {value}")


def check_weight_decay(value: float | None) -> None:
    """Check that a weight decay is 0 to 1e6, the range of checkpoints, or None."""
    if value is None:
        return
    check_number(value, "weight_decay", error=ConversionError)
    if not 0 <= value <= 1e6:
        raise ConversionError(f"weight_decay must be 0 to 1e+06, got {value}")


def check_epsilon(optimizer: object, epsilon: float) -> None:
    """Check that an epsilon is above 0 in float32."""
    check_number(epsilon, "epsilon", error=ConversionError)
    if not 1e-38 < epsilon < math.inf:
        raise ConversionError(f"{type(optimizer).__name__}: epsilon must be above 0, got {epsilon}")
