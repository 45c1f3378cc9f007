"""`sartor fit`: learn from a folder of photos."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._photos import Photos, SkipUnreadable
from ._plot import Plot, check_plot
from ._progress import Advance, progress
from ._user import at_work, save
from .interrupt import describe_signal, exit_code, stop_on_signal
from .report import Json, check_folder, fail, percent, print_json, print_table

if TYPE_CHECKING:
    from ..runtime import Epoch, Evaluation, History

__all__ = ["fit"]


def fit(
    model: Annotated[Path, typer.Argument(help="What `sartor convert` has made.")],
    folder: Annotated[Path, typer.Argument(help="With a folder of photos for each class.")],
    checkpoint: Annotated[
        Path,
        typer.Option(
            help="Keeps what is learned; a file of that name that ends in .samples keeps the "
            "samples, so that the next time only new photos are looked at."
        ),
    ],
    epochs: Annotated[int | None, typer.Option(help="Passes over the photos.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Learn no longer than this.")] = None,
    patience: Annotated[
        int | None,
        typer.Option(help="Stop after so many epochs without progress on photos held out."),
    ] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Of the first step.")] = None,
    augment: Annotated[
        int, typer.Option(help="Learn from so many changed views of each photo too.", min=0)
    ] = 0,
    seed: Annotated[int, typer.Option(help="Of what is drawn at random.", min=0)] = 0,
    skip_unreadable: SkipUnreadable = False,
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Learn from photos, and keep what was learned in a checkpoint."""
    start = time.perf_counter()
    photos = Photos(folder, skip_unreadable=skip_unreadable)
    check_folder(checkpoint)
    check_plot(plot)
    with at_work(model, checkpoint) as personal:
        personal.check_capacity(photos.labels)
        new = photos.add_to(personal, augment)
        with stop_on_signal(personal.stop) as stop, progress("training") as show:
            history = personal.fit(
                epochs,
                lambda epoch: _show(show, epoch),
                seconds=seconds,
                patience=patience,
                learning_rate=learning_rate,
                seed=seed,
            )
            save(personal, checkpoint)
            measured = personal.evaluate()
    if plot is not None:
        from ..charts import loss_chart

        loss_chart([epoch.loss for epoch in history.epochs]).save(plot)
    seconds_used = time.perf_counter() - start
    if as_json:
        print_json(_described(checkpoint, history, measured, photos, new, seconds_used))
    else:
        _print(checkpoint, history, measured, new, seconds_used)
    if history.stopped and stop.number is not None:
        fail(
            f"stopped by {describe_signal(stop.number)}; the training until then is saved in "
            f"{checkpoint}",
            code=exit_code(stop.number),
        )


def _show(show: Advance, epoch: Epoch) -> None:
    text = f"loss {epoch.loss:.3f}, accuracy {percent(epoch.accuracy)}"
    show(epoch.epoch, epoch.epochs, text)


def _described(
    checkpoint: Path,
    history: History,
    measured: Evaluation,
    photos: Photos,
    new: int,
    seconds: float,
) -> dict[str, object]:
    return {
        "checkpoint": str(checkpoint),
        "classes": measured.labels,
        "samples": history.samples,
        "new": new,
        "epochs": len(history.epochs),
        "steps": history.steps,
        "loss": measured.loss,
        "accuracy": measured.accuracy,
        "expected_accuracy": history.expected_accuracy,
        "calibration_error": history.calibration_error,
        "stopped": history.stopped,
        "skipped": [str(path) for path in photos.skipped],
        "seconds": round(seconds, 3),
    }


def _print(
    checkpoint: Path, history: History, measured: Evaluation, new: int, seconds: float
) -> None:
    counts = measured.confusion.sum(1).tolist()
    rows = [
        (label, counts[i], percent(measured.per_class[label]))
        for i, label in enumerate(measured.labels)
    ]
    rows.append(("all", measured.samples, percent(measured.accuracy)))
    print_table(("class", "photos", "right"), rows, title="On the photos that it learned from")
    if history.expected_accuracy is not None:
        typer.echo(
            f"about {percent(history.expected_accuracy)} right on photos that it has not seen, "
            "as photos tell that were left out in turn"
        )
    typer.echo(
        f"loss {measured.loss:.3f} after {len(history.epochs)} epochs, {new} new photos, "
        f"{seconds:.1f} s in all; saved in {checkpoint}"
    )
