"""`sartor evaluate`: measure a model on a folder of photos."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from ._options import BakedOrCheckpoint, ModelFile, PhotoFolder
from ._photos import Photos, SkipUnreadable
from ._plot import Plot, check_plot
from ._user import find_checkpoint
from .predict import open_trained
from .report import Json, percent, print_confusion, print_json, print_table

if TYPE_CHECKING:
    from ..runtime import Evaluation

__all__ = ["evaluate"]


def evaluate(
    model: ModelFile,
    folder: PhotoFolder,
    checkpoint: BakedOrCheckpoint = None,
    skip_unreadable: SkipUnreadable = False,
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Measure a model on photos that it was not trained on."""
    checkpoint = find_checkpoint(model, checkpoint)
    check_plot(plot, model, checkpoint)
    photos = Photos(folder, skip_unreadable=skip_unreadable)
    with open_trained(model, checkpoint) as personal:
        personal.check_classes(photos.labels)
        evaluation = personal.evaluate(photos.samples(personal))
    if plot is not None:
        from ..charts import confusion_chart

        confusion_chart(evaluation.labels, evaluation.confusion.tolist()).save(plot)
    if as_json:
        print_json(_describe(evaluation))
    else:
        _print(evaluation)


def _describe(evaluation: Evaluation) -> dict[str, object]:
    """Return the JSON object; `confusion` is true class → predicted class → count."""
    labels = evaluation.labels
    return {
        "accuracy": evaluation.accuracy,
        "loss": evaluation.loss,
        "calibration_error": evaluation.calibration_error,
        "samples": evaluation.samples,
        "per_class": dict(evaluation.per_class),
        "confusion": {
            label: dict(zip(labels, row, strict=True))
            for label, row in zip(labels, evaluation.confusion.tolist(), strict=True)
        },
    }


def _print(evaluation: Evaluation) -> None:
    rows = [
        (f"{number} {label}", sum(counts), percent(evaluation.per_class[label]))
        for number, (label, counts) in enumerate(
            zip(evaluation.labels, evaluation.confusion.tolist(), strict=True), 1
        )
    ]
    print_table(("class", "photos", "accuracy"), rows)
    print_confusion(evaluation)
    typer.echo(
        f"accuracy {percent(evaluation.accuracy)}, loss {evaluation.loss:.3f}, "
        f"{evaluation.samples} photos"
    )
