"""The options of a training."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..._arguments import check_flag, check_integer, check_number
from ...contract.manifest import Manifest
from ...errors import DataError
from .schedule import DECAYS

__all__ = ["TrainingConfig"]


_DEPTHS = ("auto", "head", "layers")


@dataclass(frozen=True)
class TrainingConfig:
    """The options of a training; `PersonalModel.fit` describes each of them.

    Raises:
        DataError: If an option is out of range.
    """

    epochs: int | None = None
    seconds: float | None = None
    patience: int | None = None
    learning_rate: float | None = None
    weight_decay: float | None = None
    decay: str = "cosine"
    warm_start: bool = False
    seed: int = 0
    depth: str = "auto"

    def __post_init__(self) -> None:
        for name, count in (("epochs", self.epochs), ("patience", self.patience)):
            if count is not None:
                check_integer(count, name, 1)
        check_integer(self.seed, "seed", 0)
        check_flag(self.warm_start, "warm_start")
        if self.seconds is not None:
            check_number(self.seconds, "seconds")
            if not 0 < self.seconds < math.inf:
                raise DataError(f"seconds must be above 0 and finite, got {self.seconds}")
        for name in ("learning_rate", "weight_decay"):
            number = getattr(self, name)
            if number is None:
                continue
            check_number(number, name)
            if not 0 <= number < math.inf:
                raise DataError(f"{name} must be at least 0 and finite, got {number}")
        if not isinstance(self.decay, str) or self.decay not in DECAYS:
            raise DataError(f"decay must be one of {', '.join(DECAYS)}; got {self.decay!r}")

        if self.depth not in _DEPTHS:
            raise DataError(f"depth must be one of {', '.join(_DEPTHS)}; got {self.depth!r}")

    def seconds_of_part(self, manifest: Manifest) -> float | None:
        """Return the time limit of each part of `fit`, which share `seconds` equally.

        The parts are the training of the head and its cross-validation; with tuned layers, also
        their training without a fold, and on all samples. A regression and a warm start have no
        cross-validation, and a warm start does not train the layers.
        """
        is_warm = self.warm_start or self.only_measures
        parts = 1 if is_warm or manifest.task == "regression" else 2
        if manifest.layers is not None and self.depth != "head" and not is_warm:
            parts *= 2
        return None if self.seconds is None else self.seconds / parts

    @property
    def is_limited(self) -> bool:
        """Whether an option limits the length of the training."""
        return any(each is not None for each in (self.epochs, self.seconds, self.patience))

    @property
    def only_measures(self) -> bool:
        """Whether the training leaves all weights unchanged."""
        return self.learning_rate == 0
