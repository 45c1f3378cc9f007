"""Check the head, the loss and the optimizer of a conversion."""

from __future__ import annotations

from .._protocols import check_protocol
from ..heads import Head
from ..losses import check_loss
from ..optimizers import Optimizer, check_optimizer

__all__ = ["check_parts"]


def check_parts(head: Head, optimizer: Optimizer) -> None:
    """Check a head, its loss and an optimizer against their protocols.

    Raises:
        ConversionError: If one of them lacks an attribute or has a wrong value.
    """
    check_protocol(head, Head, "head", "SoftmaxClassifier()")
    check_loss(head.loss, f"{type(head).__name__}: loss")
    check_optimizer(optimizer, "optimizer")
