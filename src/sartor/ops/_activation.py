"""Fused activations: values and gradients, for all ops that can have one.

LiteRT runs three: RELU, RELU_N1_TO_1 and RELU6. The schema also has TANH and SIGN_BIT, but
LiteRT's kernels for floats refuse them or silently leave them out, so a gradient through one would
be the gradient of another function.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import numpy as np

from ..errors import GradientError
from ..graph import Tensor
from .builder import emit

__all__ = [
    "OPTION",
    "Activation",
    "activate",
    "activation_of",
    "derivative_at",
    "mask_positive",
    "sign",
]

OPTION = "fusedActivationFunction"


class Activation(IntEnum):
    """The fused activations, with the schema's numbers."""

    NONE = 0
    RELU = 1
    RELU_N1_TO_1 = 2
    RELU6 = 3
    TANH = 4
    SIGN_BIT = 5


_BOUNDS = {
    Activation.RELU: (0.0, np.inf),
    Activation.RELU_N1_TO_1: (-1.0, 1.0),
    Activation.RELU6: (0.0, 6.0),
}


def activation_of(options: Mapping[str, Any]) -> Activation:
    """Return the fused activation that the options name.

    Raises:
        GradientError: If LiteRT does not run it.
    """
    activation = Activation(options.get(OPTION, 0))
    if activation is not Activation.NONE and activation not in _BOUNDS:
        raise GradientError(
            f"the fused activation {activation.name} is not supported: LiteRT does not run it on "
            "floats. Use a separate op for it."
        )
    return activation


def activate(y: np.ndarray, options: Mapping[str, Any]) -> np.ndarray:
    """Apply the fused activation that the options name, in NumPy.

    Raises:
        GradientError: If LiteRT does not run it.
    """
    activation = activation_of(options)
    return y if activation is Activation.NONE else np.asarray(np.clip(y, *_BOUNDS[activation]))


def mask_positive(x: Tensor) -> Tensor:
    """Return 1 where `x` (never negative) is positive, and 0 where it is zero.

    XNNPACK runs `min(x · 1e30, 1)`, but not GREATER and CAST.
    """
    return emit("MINIMUM", emit("MUL", x, 1e30), 1.0)


def sign(x: Tensor) -> Tensor:
    """Return 1 where `x` is positive, −1 where it is negative, and 0 where it is zero.

    XNNPACK runs `max(min(x · 1e30, 1), −1)`, but not SIGN.
    """
    return emit("MAXIMUM", emit("MINIMUM", emit("MUL", x, 1e30), 1.0), -1.0)


def derivative_at(y: Tensor, activation: Activation) -> Tensor:
    """Return the derivative of an activation, from its output `y`; 0 at a kink."""
    if activation is Activation.RELU:
        return mask_positive(y)
    if activation is Activation.RELU6:
        return mask_positive(emit("MUL", y, emit("SUB", 6.0, y)))
    return mask_positive(emit("SUB", 1.0, emit("SQUARE", y)))
