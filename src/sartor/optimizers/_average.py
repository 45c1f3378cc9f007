"""Running averages."""

from __future__ import annotations

from ..graph import Tensor
from ..ops import add, mul

__all__ = ["average"]


def average(old: Tensor, new: Tensor | float, decay: float) -> Tensor:
    """Emit `decay · old + (1 − decay) · new`."""
    return add(
        mul(old, decay), new * (1 - decay) if isinstance(new, float) else mul(new, 1 - decay)
    )
