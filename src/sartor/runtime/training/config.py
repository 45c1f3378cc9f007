"""The options of a training."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..._arguments import check_flag, check_integer, check_number
from ...errors import DataError
from .schedule import DECAYS

__all__ = ["TrainingConfig"]


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
    decay: str = "cosine"
    warm_start: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        for name, count in (("epochs", self.epochs), ("patience", self.patience)):
            if count is not None:
                check_integer(count, name, 1)
        check_integer(self.seed, "seed", 0)
        check_flag(self.warm_start, "warm_start")
        for name, number in (("seconds", self.seconds), ("learning_rate", self.learning_rate)):
            if number is not None:
                check_number(number, name)
        if self.seconds is not None and not 0 < self.seconds < math.inf:
            raise DataError(f"seconds must be above 0 and finite, got {self.seconds}")
        if self.learning_rate is not None and not 0 <= self.learning_rate < math.inf:
            raise DataError(
                f"learning_rate must be at least 0 and finite, got {self.learning_rate}"
            )
        if not isinstance(self.decay, str) or self.decay not in DECAYS:
            raise DataError(f"decay must be one of {', '.join(DECAYS)}; got {self.decay!r}")

    @property
    def only_measures(self) -> bool:
        """Whether the training leaves all weights unchanged."""
        return self.learning_rate == 0
