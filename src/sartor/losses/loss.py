"""The protocol of a loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from ..graph import Tensor

__all__ = ["Loss"]


@runtime_checkable
class Loss(Protocol):
    """What a file needs of a loss, and of the output that goes with it.

    Attributes:
        name: in the manifest.
        task: `classification` (one class a sample), `multi_label` or `regression`.
        weights_per_output: `rows` gives [B, C], and a sample has a weight for each output.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def task(self) -> str: ...  # noqa: D102
    @property
    def weights_per_output(self) -> bool: ...  # noqa: D102

    def settings(self) -> Mapping[str, Any]:
        """What goes into the manifest."""
        ...

    def output(self, logits: Tensor, mask: Tensor) -> Tensor:
        """Emit what the user sees: [B, C], and 0 where the mask [C] is 0."""
        ...

    def rows(self, logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        """Emit the loss of each sample [B], or of each output [B, C].

        Inactive classes take no part in the loss of a sample; that of an output is not counted
        where its class is inactive, and has only to be finite there.
        """
        ...
