"""The class mask in the logits of a softmax."""

from __future__ import annotations

from ..graph import Tensor
from ..ops import add, mul, sub

__all__ = ["masked_logits"]

# Subtracted from the logit of an inactive class: its probability is exactly 0, also beside the
# largest logits that a checkpoint can give (see `runtime.saved.adapt`). At the lowest temperature,
# 1e-6, the quotient is still a float32.
_OFFSET = 1e30


def masked_logits(logits: Tensor, mask: Tensor) -> Tensor:
    """Emit logits whose softmax is a distribution over the active classes only."""
    return add(logits, mul(sub(mask, 1.0), _OFFSET))
