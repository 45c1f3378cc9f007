"""The results of the stages of the demo."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from ..runtime import Evaluation, History
from .sheet import PhotoPrediction

__all__ = [
    "AddClassStage",
    "BakeStage",
    "ConvertStage",
    "EvaluateStage",
    "PhotosStage",
    "ReloadStage",
    "Stage",
    "TrainStage",
]


@dataclass(frozen=True)
class ConvertStage:
    """The base was converted."""

    base: str
    file: Path
    capacity: int
    notes: tuple[str, ...]

    def results(self) -> dict[str, Any]:
        """Return the results for JSON."""
        size = self.file.stat().st_size
        return {"base": self.base, "model": str(self.file), "bytes": size}


@dataclass(frozen=True)
class PhotosStage:
    """The photos were loaded."""

    labels: tuple[str, ...]
    training: int
    test: int
    new: str | None
    source: str
    skipped: tuple[str, ...]

    def results(self) -> dict[str, Any]:
        """Return the results for JSON."""
        return {
            "classes": self.labels,
            "training_photos": self.training,
            "test_photos": self.test,
            "source": self.source,
            "skipped_files": self.skipped,
        }


@dataclass(frozen=True)
class TrainStage:
    """The model was trained."""

    history: History
    seconds: float
    chart: Path

    def results(self) -> dict[str, Any]:
        """Return the results for JSON."""
        return {
            "losses": [epoch.loss for epoch in self.history.epochs],
            "training_seconds": round(self.seconds, 3),
            "loss_chart": str(self.chart),
        }


@dataclass(frozen=True)
class EvaluateStage:
    """The model was evaluated on other photos.

    Attributes:
        evaluation: result on the test photos.
        shuffled: accuracy after training with shuffled labels, the mean of several shuffles.
        pixels: accuracy of a classifier on raw pixels.
        chart: image file of the confusion matrix.
        sheet: image file of photos with their predicted classes.
        predictions: the predictions on the sheet.
    """

    evaluation: Evaluation
    shuffled: float
    pixels: float
    chart: Path
    sheet: Path
    predictions: tuple[PhotoPrediction, ...]

    @property
    def chance(self) -> float:
        """The accuracy of random guesses."""
        return 1 / len(self.evaluation.labels)

    def results(self) -> dict[str, Any]:
        """Return the results for JSON."""
        return {
            "accuracy": self.evaluation.accuracy,
            "loss": self.evaluation.loss,
            "per_class": dict(self.evaluation.per_class),
            "confusion": self.evaluation.confusion.tolist(),
            "shuffled_accuracy": self.shuffled,
            "pixel_accuracy": self.pixels,
            "chance": self.chance,
            "confusion_chart": str(self.chart),
            "sheet": str(self.sheet),
        }


@dataclass(frozen=True)
class ReloadStage:
    """A new model loaded the checkpoint and made the same predictions."""

    checkpoint: Path

    def results(self) -> dict[str, Any]:
        """Return the results for JSON."""
        return {"checkpoint": str(self.checkpoint)}


@dataclass(frozen=True)
class AddClassStage:
    """A new class was added from one sample.

    Attributes:
        label: name of the class.
        correct: number of its test photos with a correct prediction.
        tested: number of its test photos.
        others: accuracy on the other classes.
        sheet: image file of its test photos with their predicted classes.
        predictions: the predictions on the sheet.
    """

    label: str
    correct: int
    tested: int
    others: float
    sheet: Path
    predictions: tuple[PhotoPrediction, ...]

    def results(self) -> dict[str, Any]:
        """Return the results for JSON."""
        return {
            "new_class": self.label,
            "new_correct": self.correct,
            "new_test_photos": self.tested,
            "others_accuracy": self.others,
            "new_sheet": str(self.sheet),
        }


@dataclass(frozen=True)
class BakeStage:
    """The checkpoint was baked into one file."""

    file: Path
    classes: tuple[str, ...]

    def results(self) -> dict[str, Any]:
        """Return the results for JSON."""
        return {"baked": str(self.file), "baked_classes": self.classes}


Stage: TypeAlias = (
    PhotosStage
    | ConvertStage
    | TrainStage
    | EvaluateStage
    | ReloadStage
    | AddClassStage
    | BakeStage
)
