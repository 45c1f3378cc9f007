"""Fused activations: their values and gradients, once for all ops that can carry one.

Three run: RELU, RELU_N1_TO_1 and RELU6. The schema also has TANH and SIGN_BIT, but LiteRT's kernels
for reals refuse them or leave them out in silence, so a gradient through one would be that of
another function.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import numpy as np

from ..errors import GradientError
from ..graph import Tensor
from .builder import emit

__all__ = ["OPTION", "Activation", "activate", "activation_of", "derivative_at", "mask_positive"]

OPTION = "fusedActivationFunction"


class Activation(IntEnum):
    """The activations that an op can carry, under the schema's numbers."""

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
    """The activation that the options name.

    Raises:
        GradientError: LiteRT does not run it.
    """
    kind = Activation(options.get(OPTION, 0))
    if kind is not Activation.NONE and kind not in _BOUNDS:
        raise GradientError(
            f"the fused activation {kind.name} is not supported: LiteRT does not run it on reals. "
            "Use an op of its own."
        )
    return kind


def activate(y: np.ndarray, options: Mapping[str, Any]) -> np.ndarray:
    """Apply the activation that the options name, in NumPy.

    Raises:
        GradientError: LiteRT does not run it.
    """
    kind = activation_of(options)
    return y if kind is Activation.NONE else np.asarray(np.clip(y, *_BOUNDS[kind]))


def mask_positive(x: Tensor) -> Tensor:
    """1 where `x` (never negative) is positive, 0 where it is zero.

    `min(x · 1e30, 1)` stays inside XNNPACK, where GREATER and CAST do not.
    """
    return emit("MINIMUM", emit("MUL", x, 1e30), 1.0)


def derivative_at(y: Tensor, kind: Activation) -> Tensor:
    """The derivative of RELU, RELU_N1_TO_1 or RELU6, from its output `y`; 0 at a kink."""
    if kind is Activation.RELU:
        return mask_positive(y)
    if kind is Activation.RELU6:
        return mask_positive(emit("MUL", y, emit("SUB", 6.0, y)))
    return mask_positive(emit("SUB", 1.0, emit("SQUARE", y)))
