"""What every head has to say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from ..graph import Tensor
from ..losses import Loss
from ._dropout import Masks

__all__ = ["Head", "Parameter", "RandomHead", "ViewingHead"]


@dataclass(frozen=True)
class Parameter:
    """A tensor that a head keeps.

    Attributes:
        name: as `weights`; the variable is called `head/weights`.
        initial: float32; its first value.
        class_axis: the axis that runs over classes, or None.
        trained: training changes it; else only `imprint` does.
    """

    name: str
    initial: np.ndarray
    class_axis: int | None = None
    trained: bool = True


@runtime_checkable
class Head(Protocol):
    """What a file needs of a head. A head is a frozen dataclass of settings.

    Attributes:
        name: in the manifest.
        flat: it takes features as rows [N, F]; else in the shape that they are cut in.
        loss: what it is trained with.
        feature_norm: the Euclidean length that it brings features to (the root mean square,
            with a view), or None where it takes them as they are: what a runtime needs to choose
            a learning rate.
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
        """What goes into the manifest."""
        ...

    def identity(self) -> Mapping[str, Any]:
        """The settings that change what the parameters mean: with others they do not load."""
        ...

    def parameters(self, features: Sequence[tuple[int, ...]], capacity: int) -> list[Parameter]:
        """The parameters, for features of these shapes (without the batch)."""
        ...

    def logits(self, features: Sequence[Tensor], parameters: Mapping[str, Tensor]) -> Tensor:
        """Emit the logits [N, C] of features [N, …]."""
        ...

    def penalty(self, parameters: Mapping[str, Tensor]) -> Tensor | None:
        """Emit what regularization adds to the loss, as [1], or return None."""
        ...

    def imprint(
        self,
        features: Sequence[Tensor],
        weights: Tensor,
        parameters: Mapping[str, Tensor],
        others: Tensor,
    ) -> dict[str, Tensor]:
        """Emit the values that make a class of its samples (Qi et al., 2018).

        Args:
            features: [B, …] each, of samples of one class.
            weights: [B]; 0 for a row that is not there.
            parameters: their values.
            others: [C]; 1 for the classes that are active beside this one.

        Returns:
            For each parameter with a class axis its value for the class (the parameter's shape
            with 1 at the class axis), and for any other that changes its whole value.
        """
        ...


@runtime_checkable
class RandomHead(Head, Protocol):
    """A head that may be trained under dropout.

    Attributes:
        is_random: whether it is, with these settings.
    """

    @property
    def is_random(self) -> bool: ...  # noqa: D102

    def training_logits(
        self, features: Sequence[Tensor], parameters: Mapping[str, Tensor], masks: Masks
    ) -> Tensor:
        """Emit the logits [N, C] of one training step, with units dropped by `masks`."""
        ...


@runtime_checkable
class ViewingHead(Head, Protocol):
    """A head that learns from samples of all classes how features are to be seen."""

    def view(self, features: Sequence[Tensor], weights: Tensor) -> dict[str, Tensor]:
        """Emit the values that say how features are seen; no class is changed.

        Args:
            features: [B, …] each, of samples of all classes.
            weights: [B]; 0 for a row that is not there.

        Returns:
            The whole value of each parameter that changes. None of them is trained, or has a
            class axis.
        """
        ...
