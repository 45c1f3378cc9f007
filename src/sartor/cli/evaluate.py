"""`sartor evaluate`: how good a model is on photos that it has not seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._photos import Photos, SkipUnreadable
from ._plot import Plot, check_plot
from .predict import CheckpointOption, opened
from .report import Json, percent, print_json, print_table

if TYPE_CHECKING:
    from ..runtime import Evaluation

__all__ = ["evaluate"]


def evaluate(
    model: Annotated[Path, typer.Argument(help="What `sartor convert` has made.")],
    folder: Annotated[Path, typer.Argument(help="With a folder of photos for each class.")],
    checkpoint: CheckpointOption = None,
    skip_unreadable: SkipUnreadable = False,
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Measure how good a model is, best on photos that it has not learned from."""
    check_plot(plot)
    photos = Photos(folder, skip_unreadable=skip_unreadable)
    with opened(model, checkpoint) as personal:
        personal.check_classes(photos.labels)
        measured = personal.evaluate(photos.samples(personal))
    if plot is not None:
        from ..charts import confusion_chart

        confusion_chart(measured.labels, measured.confusion.tolist()).save(plot)
    if as_json:
        print_json(_described(measured))
    else:
        _print(measured)


def _described(measured: Evaluation) -> dict[str, object]:
    """`confusion` tells how many photos of a class were taken for each."""
    labels = measured.labels
    return {
        "accuracy": measured.accuracy,
        "loss": measured.loss,
        "calibration_error": measured.calibration_error,
        "samples": measured.samples,
        "per_class": dict(measured.per_class),
        "confusion": {
            label: dict(zip(labels, row, strict=True))
            for label, row in zip(labels, measured.confusion.tolist(), strict=True)
        },
    }


def _print(measured: Evaluation) -> None:
    rows = [
        (label, sum(counts), percent(measured.per_class[label]), *counts)
        for label, counts in zip(measured.labels, measured.confusion.tolist(), strict=True)
    ]
    print_table(
        ("class", "photos", "right", *measured.labels), rows, title="What each was taken for"
    )
    typer.echo(
        f"accuracy {percent(measured.accuracy)}, loss {measured.loss:.3f}, "
        f"{measured.samples} photos"
    )
