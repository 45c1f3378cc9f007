"""The protocol of a loss."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from .._protocols import check_protocol
from ..errors import ConversionError
from ..graph import Tensor

__all__ = ["Loss", "check_loss"]


@runtime_checkable
class Loss(Protocol):
    """A loss, and the output that belongs to it.

    Attributes:
        name: name in the manifest.
        task: `classification` (one class for each sample), `multi_label` or `regression`.
        weights_per_output: True if each output of a sample has a weight: then `rows` returns
            [B, C], and the loss of a batch is the mean over its outputs. False if each sample has
            one weight.
        curvature: upper bound of the second derivative of an element of `rows` by a logit; above
            0. The default learning rate is inversely proportional to it.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def task(self) -> str: ...  # noqa: D102
    @property
    def weights_per_output(self) -> bool: ...  # noqa: D102
    @property
    def curvature(self) -> float: ...  # noqa: D102

    def settings(self) -> Mapping[str, Any]:
        """Return the settings for the manifest: name → JSON value."""
        ...

    def output(self, logits: Tensor, mask: Tensor) -> Tensor:
        """Emit the output [B, C] for logits [B, C]; 0 where the mask [C] is 0."""
        ...

    def rows(self, logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        """Emit the loss of each sample [B], or of each output [B, C].

        The loss of a sample must not depend on inactive classes. The loss of an output of an
        inactive class is not used, but must be finite.
        """
        ...


def check_loss(loss: object, name: str) -> None:
    """Check a loss against the protocol.

    Args:
        loss: loss of a head.
        name: name of the argument, for the error.

    Raises:
        ConversionError: If it lacks an attribute, or its curvature is not above 0 and finite.
    """
    check_protocol(loss, Loss, name, "Huber()")
    if isinstance(loss, Loss) and not 0 < loss.curvature < math.inf:
        raise ConversionError(
            f"{name}: curvature must be above 0 and finite, got {loss.curvature!r} of {loss!r}"
        )
