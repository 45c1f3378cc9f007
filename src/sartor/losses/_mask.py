"""The class mask in the logits of a softmax."""

from __future__ import annotations

from ..graph import Tensor
from ..ops import add, mul, sub

__all__ = ["masked_logits"]

_OFFSET = 1e9  # subtracted from the logit of an inactive class: its probability is exactly 0


def masked_logits(logits: Tensor, mask: Tensor) -> Tensor:
    """Emit logits whose softmax is a distribution over the active classes only."""
    return add(logits, mul(sub(mask, 1.0), _OFFSET))
