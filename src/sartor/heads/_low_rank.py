"""Low-rank updates of the weights of a layer (LoRA: Hu et al., 2022)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..graph import Op, Tensor
from ..ops import add, matmul, reshape
from ._trainable import TrainableConstant
from .head import Parameter

__all__ = ["LowRankUpdate", "has_low_rank_update"]

_CODES = ("CONV_2D", "FULLY_CONNECTED")  # weights [out, …]; those of a depthwise one have no rank


@dataclass(frozen=True)
class LowRankUpdate:
    """The weights `W + B · A` of a layer: W stays as it is, A and B are trained.

    A is random and B is 0, so that the layer starts as it is in the base.

    Attributes:
        weights: the weights W [out, …] of a layer.
        rank: rank of the update, r.
    """

    weights: TrainableConstant
    rank: int

    @property
    def largest_rank(self) -> int:
        """The largest rank at which A and B have fewer numbers than the weights."""
        units, size = self._matrix_shape()
        return (units * size - 1) // (units + size)

    @property
    def is_smaller(self) -> bool:
        """Whether A and B have fewer numbers than the weights."""
        return self.rank <= self.largest_rank

    def parameters(self) -> list[Parameter]:
        """Return A [r, inputs] and B [out, r]."""
        units, size = self._matrix_shape()
        rank = min(self.rank, units, size)
        random = np.random.default_rng([units, size, rank])
        a = random.normal(scale=size**-0.5, size=(rank, size)).astype(np.float32)
        b = np.zeros((units, rank), np.float32)
        return [Parameter(f"{self.weights.name}/a", a), Parameter(f"{self.weights.name}/b", b)]

    def value(self, parameters: Mapping[str, Tensor]) -> Tensor:
        """Emit the weights."""
        a, b = (parameters[f"{self.weights.name}/{name}"] for name in "ab")
        constant = self.weights.constant
        update = matmul(b, a)
        if constant.shape != update.shape:
            update = reshape(update, constant.shape)
        return add(update, constant.value)

    def _matrix_shape(self) -> tuple[int, int]:
        """Return the shape of the weights as a matrix: outputs, and inputs of each."""
        constant = self.weights.constant
        return constant.shape[0], constant.size // constant.shape[0]


def has_low_rank_update(op: Op) -> bool:
    """Return whether the weights of a layer can have a low-rank update."""
    return op.code in _CODES
