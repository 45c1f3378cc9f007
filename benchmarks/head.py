"""The interface of a head in one framework, its options and its samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

__all__ = ["Batch", "Head", "HeadConfig"]


@dataclass(frozen=True)
class Batch:
    """Samples in the formats of the frameworks.

    Attributes:
        features: float32 [B, F].
        labels: int64 [B]; class indices.
        one_hot: float32 [B, C]; the same labels.
    """

    features: np.ndarray
    labels: np.ndarray
    one_hot: np.ndarray


@dataclass(frozen=True)
class HeadConfig:
    """The options of a head.

    Attributes:
        features: number of features F.
        classes: number of classes C.
        batch_size: rows of a batch, B.
        momentum: momentum of SGD.
        threads: number of threads.
    """

    features: int
    classes: int
    batch_size: int
    momentum: float = 0.0
    threads: int = 1


class Head(Protocol):
    """A head in one framework."""

    def step(self, batch: Batch, rate: float) -> float:
        """Train on one batch; return the loss before the step."""
        ...

    def weights(self) -> np.ndarray:
        """Return the weights, float32 [C, F]."""
        ...
