"""Fused activations: their values and gradients, once for all ops that can carry one."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import numpy as np

from ..graph import Tensor
from .builder import emit

__all__ = ["OPTION", "Activation", "activate", "derivative_at", "mask_positive"]

OPTION = "fusedActivationFunction"


class Activation(IntEnum):
    """The activations that an op can carry, under the schema's numbers."""

    NONE = 0
    RELU = 1
    RELU_N1_TO_1 = 2
    RELU6 = 3
    TANH = 4
    SIGN_BIT = 5


def activate(y: np.ndarray, options: Mapping[str, Any]) -> np.ndarray:
    """Apply the activation that the options name, in NumPy."""
    kind = Activation(options.get(OPTION, 0))
    if kind is Activation.NONE:
        return y
    if kind is Activation.TANH:
        return np.asarray(np.tanh(y))
    low, high = {
        Activation.RELU: (0.0, np.inf),
        Activation.RELU_N1_TO_1: (-1.0, 1.0),
        Activation.RELU6: (0.0, 6.0),
    }[kind]
    return np.asarray(np.clip(y, low, high))


def mask_positive(x: Tensor) -> Tensor:
    """1 where `x` (never negative) is positive, 0 where it is zero.

    `min(x · 1e30, 1)` stays inside XNNPACK, where GREATER and CAST do not.
    """
    return emit("MINIMUM", emit("MUL", x, 1e30), 1.0)


def derivative_at(y: Tensor, kind: Activation) -> Tensor:
    """The derivative of an activation, from its output `y`."""
    if kind is Activation.RELU:
        return mask_positive(y)
    if kind is Activation.RELU6:
        return mask_positive(emit("MUL", y, emit("SUB", 6.0, y)))
    one_minus_square = emit("SUB", 1.0, emit("SQUARE", y))
    return one_minus_square if kind is Activation.TANH else mask_positive(one_minus_square)
