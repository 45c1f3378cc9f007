"""`sartor fit`: train on a folder of photos."""

from __future__ import annotations

import time
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .._outputs import CHECKPOINT, check_output
from ._mirror import Mirror
from ._options import ModelFile, PhotoFolder, Seed
from ._photos import Photos, SkipUnreadable
from ._plot import Plot, check_plot
from ._progress import Advance, progress
from ._results import describe_training, print_training
from ._user import checkpoint_of, open_store, open_trained, save
from ._validation import Validation, hold_out
from .interrupt import describe_signal, exit_code, stop_on_signal
from .report import Json, fail, is_quiet, note, percent, print_json

if TYPE_CHECKING:
    from ..runtime import Epoch, History

__all__ = ["Depth", "Missing", "fit"]


class Missing(str, Enum):
    """What to do with samples whose photos are missing."""

    DROP = "drop"
    KEEP = "keep"


class Depth(str, Enum):
    """What to train."""

    AUTO = "auto"
    HEAD = "head"
    LAYERS = "layers"


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
    seconds: Annotated[
        float | None,
        typer.Option(help="Time limit in seconds, half of it for cross-validation."),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(help="Stop after this number of epochs without progress on held-out photos."),
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Learning rate of the first step.")
    ] = None,
    weight_decay: Annotated[
        float | None, typer.Option(help="Weight decay. Default: chosen by cross-validation.")
    ] = None,
    depth: Annotated[
        Depth,
        typer.Option(
            help="What to train: the head, or the tuned layers too (convert --fine-tune). auto: "
            "the layers unless they are worse on held-out photos."
        ),
    ] = Depth.AUTO,
    augment: Annotated[int, typer.Option(help="Number of augmentations per photo.", min=0)] = 0,
    seed: Seed = 0,
    validation: Validation = None,
    missing: Annotated[
        Missing | None,
        typer.Option(
            help="What to do with samples whose photos are no longer in the folder. Default: "
            "drop; an error if these are more than half."
        ),
    ] = None,
    include_forgotten: Annotated[
        bool,
        typer.Option(
            "--include-forgotten",
            help="Add photos again that `forget` or `classes --remove` deleted.",
        ),
    ] = False,
    skip_unreadable: SkipUnreadable = False,
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Train on photos, and write a checkpoint.

    FOLDER contains a folder of photos for each class, or train/ and validation/ with such folders;
    or it is a CSV with the first line file,label. For a model of numbers, it may be a CSV with the
    numbers and the label of one sample per line. What changed in it since the last fit is applied:
    new photos are added, and samples of missing photos are dropped. Photos and classes that were
    forgotten, removed or renamed in the model stay so.
    """
    from ..runtime.training.config import TrainingConfig

    start = time.perf_counter()
    # before samples change
    TrainingConfig(epochs, seconds, patience, learning_rate, weight_decay, seed=seed)
    checkpoint = checkpoint_of(model, checkpoint)
    check_output(checkpoint, CHECKPOINT, inputs=(model,), force=None)
    check_plot(plot, model, checkpoint)
    with open_trained(model, checkpoint) as personal, open_store(personal, checkpoint) as store:
        photos = Photos(folder, personal.manifest, skip_unreadable=skip_unreadable)
        if validation is not None:
            held = {each.source for each in personal.samples if each.held_out and each.source}
            photos.files = hold_out(photos.files, validation, held)
        mirror = Mirror(personal, store, photos, include_forgotten=include_forgotten)
        mirror.check(allow_missing=missing is not None)
        changes = mirror.apply(augment=augment, keep_missing=missing is Missing.KEEP)
        for line in () if as_json or is_quiet() else changes.lines(folder):
            typer.echo(line, err=True)
        with stop_on_signal(personal.stop) as stop, progress("training") as show:
            history = personal.fit(
                epochs,
                lambda epoch: _show(show, epoch),
                seconds=seconds,
                patience=patience,
                learning_rate=learning_rate,
                weight_decay=weight_decay,
                seed=seed,
                depth=depth.value,
            )
            save(personal, checkpoint)
            evaluation = personal.evaluate()
            held_out = any(sample.held_out for sample in personal.samples)
    if plot is not None:
        from ..charts import loss_chart

        loss_chart([epoch.loss for epoch in history.epochs]).save(plot)
    seconds_used = time.perf_counter() - start
    for warning in history.warnings:
        note(warning)
    if as_json:
        print_json(
            {
                "checkpoint": str(checkpoint),
                **describe_training(history, evaluation, seconds_used),
                **changes.describe(),
                "skipped_files": [str(path) for path in photos.skipped],
            }
        )
    else:
        print_training(history, evaluation, seconds_used, held_out=held_out)
        if personal.manifest.layers is not None and (depth, history.depth) == ("auto", "head"):
            typer.echo(f"only the head was trained{_reason(history)}")
        typer.echo(f"saved in {checkpoint}")
    if history.stopped and stop.number is not None:
        fail(
            f"stopped by {describe_signal(stop.number)}; the training until then is saved in "
            f"{checkpoint}",
            code=exit_code(stop.number),
        )


def _reason(history: History) -> str:
    """Return why the tuned layers were not kept; a warning or a signal states it already."""
    if history.stopped or any("the tuned layers" in warning for warning in history.warnings):
        return ""
    return ": the layers gained nothing on held-out photos"


def _show(show: Advance, epoch: Epoch) -> None:
    text = f"loss {epoch.loss:.3f}, accuracy {percent(epoch.accuracy)}"
    show(epoch.epoch, epoch.epochs, text)
