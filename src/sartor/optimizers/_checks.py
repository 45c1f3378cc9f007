"""What the settings of optimizers may be."""

from __future__ import annotations

import math

from ..errors import ConversionError

__all__ = ["check_epsilon", "check_not_negative", "check_rates"]


def check_rates(learning_rate: float | None, clip_norm: float | None, **decays: float) -> None:
    """Refuse what is no rate or norm (above 0, or None), or no decay (0 ≤ it < 1)."""
    for name, value in (("learning_rate", learning_rate), ("clip_norm", clip_norm)):
        if value is not None and not 0 < value < math.inf:
            raise ConversionError(f"{name} must be above 0, got {value}")
    for name, value in decays.items():
        if not 0 <= value < 1:
            raise ConversionError(f"{name} must be at least 0 and below 1, got {value}")


def check_not_negative(**values: float) -> None:
    """Refuse what is below 0 or not finite."""
    for name, value in values.items():
        if not 0 <= value < math.inf:
            raise ConversionError(f"{name} must be at least 0, got {value}")


def check_epsilon(of: object, epsilon: float) -> None:
    """Refuse what float32 cannot tell from 0."""
    if not 1e-38 < epsilon < math.inf:
        raise ConversionError(f"{type(of).__name__}: epsilon must be above 0, got {epsilon}")
