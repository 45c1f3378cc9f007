"""The protocols of heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from ..graph import Tensor
from ..losses import Loss
from ._dropout import DropoutMasks

__all__ = ["DropoutHead", "Head", "NormalizingHead", "Parameter"]


@dataclass(frozen=True)
class Parameter:
    """A variable of a head.

    Attributes:
        name: for example `weights`; the variable of the file is `head/weights`.
        initial: float32 array; the initial value.
        class_axis: the axis of the classes, or None.
        trainable: training changes it. Otherwise only `set_class` does.
        rate: its learning rate, relative to that of the training, above 0; None for 1.
    """

    name: str
    initial: np.ndarray
    class_axis: int | None = None
    trainable: bool = True
    rate: float | None = None


@runtime_checkable
class Head(Protocol):
    """A head: a frozen dataclass of options that emits graphs.

    Attributes:
        name: name in the manifest.
        flat: the head takes features as rows [N, F]. Otherwise they keep their shape.
        loss: loss that the head is trained with.
        feature_norm: root mean square of the Euclidean norms of its normalized features, from
            which a runtime computes the learning rate. None if the head does not normalize, or
            has hidden layers: the runtime then searches the rate.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def flat(self) -> bool: ...  # noqa: D102
    @property
    def loss(self) -> Loss: ...  # noqa: D102
    @property
    def feature_norm(self) -> float | None: ...  # noqa: D102

    def settings(self) -> Mapping[str, Any]:
        """Return the options for the manifest."""
        ...

    def identity(self) -> Mapping[str, Any]:
        """Return the options that decide whether parameters of another head can be loaded."""
        ...

    def parameters(self, features: Sequence[tuple[int, ...]], capacity: int) -> list[Parameter]:
        """Return the variables for features of these shapes (without the batch axis)."""
        ...

    def logits(self, features: Sequence[Tensor], parameters: Mapping[str, Tensor]) -> Tensor:
        """Emit the logits [N, C] of features [N, …]."""
        ...

    def imprint(
        self,
        features: Sequence[Tensor],
        sample_weights: Tensor,
        parameters: Mapping[str, Tensor],
        other_classes: Tensor,
    ) -> dict[str, Tensor]:
        """Emit the parameters of a class from its samples (Qi et al., 2018).

        Args:
            features: [B, …] each, of samples of the class.
            sample_weights: [B]; 0 for missing rows.
            parameters: current values.
            other_classes: [C]; 1 for the other active classes.

        Returns:
            For each parameter with a class axis the value for the class (shape with 1 at the class
            axis), and for any other that changes its whole value.
        """
        ...


@runtime_checkable
class DropoutHead(Head, Protocol):
    """A head that can be trained with dropout.

    Attributes:
        uses_dropout: dropout is active with the current options.
    """

    @property
    def uses_dropout(self) -> bool: ...  # noqa: D102

    def training_logits(
        self,
        features: Sequence[Tensor],
        parameters: Mapping[str, Tensor],
        masks: DropoutMasks,
    ) -> Tensor:
        """Emit the logits [N, C] of a training step, with dropout masks."""
        ...


@runtime_checkable
class NormalizingHead(Head, Protocol):
    """A head that normalizes features with statistics of the training samples."""

    def normalization_statistics(
        self,
        features: Sequence[Tensor],
        sample_weights: Tensor,
        parameters: Mapping[str, Tensor],
    ) -> dict[str, Tensor]:
        """Emit the statistics of samples of all classes; no class changes.

        Args:
            features: [B, …] each.
            sample_weights: [B]; 0 for missing rows.
            parameters: current values.

        Returns:
            The whole value of each parameter that changes. None of them is trainable or has a
            class axis.
        """
        ...
