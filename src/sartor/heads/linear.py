"""What heads that end in one linear layer have in common."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..errors import ConversionError
from ..graph import Tensor
from ..ops import add, mul, reduce_sum, reshape, square, to_length
from ._rows import as_rows, row_size
from ._view import LENGTH, seen, seen_through, view_of, view_parameters
from .head import Parameter

__all__ = ["LinearLayer"]


@dataclass(frozen=True)
class LinearLayer:
    """`x · Wᵀ + b`, with `x` as the head sees features; a head adds loss and imprint.

    Several features are flattened and joined, and with `normalize` each sample is brought to one
    length. All are then seen about a center and at one size (`view`), so that neither offset nor
    scale of what a base gives makes a difference. Weights and bias start at zero, so that training
    is deterministic and a class without samples is as likely as any other.

    Attributes:
        normalize: bring each sample to one length first: classes then differ by direction alone.
        scale: the length that normalized features get; > 0. Small, so that the bias learns as
            fast as the weights, and few samples are not believed too much.
        l2: λ of the penalty `λ/2 · ‖W‖²`; the bias goes free. The default training stops early
            enough to need none: no single λ is right for both ten and two hundred samples.
    """

    normalize: bool = False
    scale: float = 0.4
    l2: float = 0.0

    flat = True

    def __post_init__(self) -> None:
        of = type(self).__name__
        if not 0 < self.scale < math.inf:
            raise ConversionError(f"{of}: scale must be above 0, got {self.scale}")
        if not 0 <= self.l2 < math.inf:
            raise ConversionError(f"{of}: l2 must be at least 0, got {self.l2}")

    @property
    def feature_norm(self) -> float:
        """The root mean square of the lengths that features are seen with."""
        return self.scale if self.normalize else LENGTH

    def settings(self) -> Mapping[str, Any]:
        """What goes into the manifest."""
        return asdict(self)

    def identity(self) -> Mapping[str, Any]:
        """Whether features are normalized, and to what length."""
        return {"normalize": self.normalize, "scale": self.scale if self.normalize else 1.0}

    def parameters(self, features: Sequence[tuple[int, ...]], capacity: int) -> list[Parameter]:
        """`weights` [C, F] and `bias` [C], zero; and the view: `center` [F] and `scale` [1]."""
        return [*self._layer(row_size(features), capacity), *view_parameters(features)]

    def view(self, features: Sequence[Tensor], weights: Tensor) -> dict[str, Tensor]:
        """The center of some samples, and what brings them to one size (see `view_of`)."""
        return view_of(self._given(features), weights, self.feature_norm)

    def logits(self, features: Sequence[Tensor], parameters: Mapping[str, Tensor]) -> Tensor:
        """`x · Wᵀ + b`."""
        products = seen_through(self._given(features), parameters["weights"], parameters)
        return add(products, parameters["bias"])

    def penalty(self, parameters: Mapping[str, Tensor]) -> Tensor | None:
        """`λ/2 · ‖W‖²`."""
        if not self.l2:
            return None
        return mul(self._squares(parameters), self.l2 / 2)

    def _layer(self, size: int, capacity: int) -> list[Parameter]:
        """`weights` [C, size] and `bias` [C], zero."""
        return [
            Parameter("weights", np.zeros((capacity, size), np.float32), class_axis=0),
            Parameter("bias", np.zeros(capacity, np.float32), class_axis=0),
        ]

    def _squares(self, parameters: Mapping[str, Tensor]) -> Tensor:
        """`‖W‖²`, as [1]."""
        return reshape(reduce_sum(square(parameters["weights"]), [0, 1]), (1,))

    def _rows(self, features: Sequence[Tensor], parameters: Mapping[str, Tensor]) -> Tensor:
        """What the layer takes: features as rows [N, F], as they are seen."""
        return seen(self._given(features), parameters)

    def _given(self, features: Sequence[Tensor]) -> Tensor:
        """Features as rows [N, F], joined and, if asked, normalized."""
        rows = as_rows(features)
        return to_length(rows, self.scale) if self.normalize else rows
