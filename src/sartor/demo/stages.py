"""What each stage of the demo has to tell, for people and for programs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from ..runtime import Evaluation, History
from .sheet import Answer

__all__ = ["Baked", "Converted", "Gathered", "Grown", "Judged", "Learned", "Reloaded", "Stage"]


@dataclass(frozen=True)
class Converted:
    """A base has become a model that can learn."""

    base: str
    file: Path
    capacity: int
    notes: tuple[str, ...]

    def facts(self) -> dict[str, Any]:
        """For JSON."""
        size = self.file.stat().st_size
        return {"base": self.base, "model": str(self.file), "bytes": size}


@dataclass(frozen=True)
class Gathered:
    """The pictures are there."""

    labels: tuple[str, ...]
    learn: int
    test: int
    new: str | None
    source: str
    left_out: tuple[str, ...]

    def facts(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "classes": self.labels,
            "learned_from": self.learn,
            "tested_on": self.test,
            "source": self.source,
            "left_out": self.left_out,
        }


@dataclass(frozen=True)
class Learned:
    """The model has learned them."""

    history: History
    seconds: float
    chart: Path

    def facts(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "losses": [epoch.loss for epoch in self.history.epochs],
            "learning_seconds": round(self.seconds, 3),
            "loss_chart": str(self.chart),
        }


@dataclass(frozen=True)
class Judged:
    """It has been asked about pictures that it had not seen.

    Attributes:
        measured: how good it is.
        shuffled: the accuracy of the same with the labels shuffled, the mean of some shuffles.
        pixels: the accuracy of a classifier on raw pixels.
        chart: a picture of the confusion matrix.
        sheet: one of pictures and what they were taken for.
        answers: those on the sheet.
    """

    measured: Evaluation
    shuffled: float
    pixels: float
    chart: Path
    sheet: Path
    answers: tuple[Answer, ...]

    @property
    def chance(self) -> float:
        """The accuracy of guessing."""
        return 1 / len(self.measured.labels)

    def facts(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "accuracy": self.measured.accuracy,
            "loss": self.measured.loss,
            "per_class": dict(self.measured.per_class),
            "confusion": self.measured.confusion.tolist(),
            "shuffled_accuracy": self.shuffled,
            "pixel_accuracy": self.pixels,
            "chance": self.chance,
            "confusion_chart": str(self.chart),
            "sheet": str(self.sheet),
        }


@dataclass(frozen=True)
class Reloaded:
    """What it has learned was saved, and a fresh model took it over: it answers the same."""

    checkpoint: Path

    def facts(self) -> dict[str, Any]:
        """For JSON."""
        return {"checkpoint": str(self.checkpoint)}


@dataclass(frozen=True)
class Grown:
    """It was given one sample of a class that it did not know.

    Attributes:
        label: the class.
        found: how many of its pictures are taken for it now.
        tested: how many there are.
        others: the accuracy on the classes of before.
        sheet: pictures of it, and what they were taken for.
        answers: those on the sheet.
    """

    label: str
    found: int
    tested: int
    others: float
    sheet: Path
    answers: tuple[Answer, ...]

    def facts(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "new_class": self.label,
            "new_found": self.found,
            "new_tested": self.tested,
            "others_accuracy": self.others,
            "new_sheet": str(self.sheet),
        }


@dataclass(frozen=True)
class Baked:
    """One file knows all of it from the start."""

    file: Path
    classes: tuple[str, ...]

    def facts(self) -> dict[str, Any]:
        """For JSON."""
        return {"baked": str(self.file), "knows": self.classes}


Stage: TypeAlias = "Converted | Gathered | Learned | Judged | Reloaded | Grown | Baked"
