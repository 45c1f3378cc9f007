"""Weight decay that is part of the gradient, the gradient of `λ/2 · ‖w‖²`."""

from __future__ import annotations

from ..graph import Tensor
from ..ops import add, mul

__all__ = ["add_weight_decay"]


def add_weight_decay(gradient: Tensor, parameter: Tensor, weight_decay: Tensor | None) -> Tensor:
    """Return `gradient + weight_decay · parameter`; without a weight decay, the gradient."""
    if weight_decay is None:
        return gradient
    return add(gradient, mul(parameter, weight_decay))
