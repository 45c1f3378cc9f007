"""`sartor fit`: train on a folder of photos."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .._outputs import CHECKPOINT, check_output
from ._options import ModelFile, PhotoFolder, Seed
from ._photos import Photos, SkipUnreadable
from ._plot import Plot, check_plot
from ._progress import Advance, progress
from ._user import checkpoint_of, open_trained, save
from .interrupt import describe_signal, exit_code, stop_on_signal
from .report import Json, fail, percent, print_json, print_table

if TYPE_CHECKING:
    from ..runtime import Epoch, Evaluation, History

__all__ = ["fit"]


def fit(
    model: ModelFile,
    folder: PhotoFolder,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            help="Checkpoint to write, or to continue from. The samples are stored beside it in a "
            "file .samples, so that the next run reads new photos only. Default: model.safetensors "
            "for model.tflite."
        ),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Number of epochs. Default: automatic.")
    ] = None,
    seconds: Annotated[float | None, typer.Option(help="Time limit in seconds.")] = None,
    patience: Annotated[
        int | None,
        typer.Option(help="Stop after this number of epochs without progress on held-out photos."),
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Learning rate of the first step.")
    ] = None,
    augment: Annotated[int, typer.Option(help="Number of augmentations per photo.", min=0)] = 0,
    seed: Seed = 0,
    skip_unreadable: SkipUnreadable = False,
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Train on photos, and write a checkpoint."""
    start = time.perf_counter()
    checkpoint = checkpoint_of(model, checkpoint)
    photos = Photos(folder, skip_unreadable=skip_unreadable)
    check_output(checkpoint, CHECKPOINT, inputs=(model,))
    check_plot(plot, model, checkpoint)
    with open_trained(model, checkpoint) as personal:
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
            evaluation = personal.evaluate()
    if plot is not None:
        from ..charts import loss_chart

        loss_chart([epoch.loss for epoch in history.epochs]).save(plot)
    seconds_used = time.perf_counter() - start
    if as_json:
        print_json(_describe(checkpoint, history, evaluation, photos, new, seconds_used))
    else:
        _print(checkpoint, history, evaluation, new, seconds_used)
    if history.stopped and stop.number is not None:
        fail(
            f"stopped by {describe_signal(stop.number)}; the training until then is saved in "
            f"{checkpoint}",
            code=exit_code(stop.number),
        )


def _show(show: Advance, epoch: Epoch) -> None:
    text = f"loss {epoch.loss:.3f}, accuracy {percent(epoch.accuracy)}"
    show(epoch.epoch, epoch.epochs, text)


def _describe(
    checkpoint: Path,
    history: History,
    evaluation: Evaluation,
    photos: Photos,
    new: int,
    seconds: float,
) -> dict[str, object]:
    return {
        "checkpoint": str(checkpoint),
        "classes": evaluation.labels,
        "samples": history.samples,
        "new_samples": new,
        "epochs": len(history.epochs),
        "steps": history.steps,
        "loss": evaluation.loss,
        "accuracy": evaluation.accuracy,
        "expected_accuracy": history.expected_accuracy,
        "calibration_error": history.calibration_error,
        "stopped": history.stopped,
        "skipped_files": [str(path) for path in photos.skipped],
        "seconds": round(seconds, 3),
    }


def _print(
    checkpoint: Path, history: History, evaluation: Evaluation, new: int, seconds: float
) -> None:
    counts = evaluation.confusion.sum(1).tolist()
    rows = [
        (label, counts[i], percent(evaluation.per_class[label]))
        for i, label in enumerate(evaluation.labels)
    ]
    rows.append(("all", evaluation.samples, percent(evaluation.accuracy)))
    print_table(("class", "photos", "accuracy"), rows, title="accuracy on the training photos")
    if history.expected_accuracy is not None:
        typer.echo(
            f"expected accuracy on new photos: {percent(history.expected_accuracy)} "
            "(cross-validation)"
        )
    plural = "" if new == 1 else "s"
    typer.echo(
        f"loss {evaluation.loss:.3f}, {len(history.epochs)} epochs, {new} new photo{plural}, "
        f"{seconds:.1f} s\nsaved in {checkpoint}"
    )
