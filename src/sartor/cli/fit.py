"""`sartor fit`: learn from a folder of photos."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from ._photos import Photos, SkipUnreadable
from ._progress import Advance, progress
from .report import Json, check_folder, fail, note, percent, print_json, print_table

if TYPE_CHECKING:
    from ..runtime import Epoch, Evaluation, History, PersonalModel

__all__ = ["fit"]


def fit(
    model: Annotated[Path, typer.Argument(help="What `sartor convert` has made.")],
    folder: Annotated[Path, typer.Argument(help="With a folder of photos for each class.")],
    checkpoint: Annotated[
        Path, typer.Option(help="Keeps what is learned; one that is there is gone on from.")
    ],
    epochs: Annotated[int | None, typer.Option(help="Passes over the photos.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Of the first step.")] = None,
    seed: Annotated[int, typer.Option(help="Of the order of the photos.", min=0)] = 0,
    skip_unreadable: SkipUnreadable = False,
    as_json: Json = False,
) -> None:
    """Learn from photos, and keep what was learned in a checkpoint."""
    start = time.perf_counter()
    photos = Photos(folder, skip_unreadable=skip_unreadable)
    check_folder(checkpoint)
    from ..runtime import PersonalModel

    with PersonalModel(model) as personal:
        if checkpoint.exists():
            for message in personal.load(checkpoint):
                note(message)
        personal.check_room(photos.labels)
        for sample, label in photos.samples(personal):
            personal.add_sample(sample, label)
        with _ctrl_c_stops(personal):
            history = _learn(personal, epochs, learning_rate, seed)
            _save(personal, checkpoint)
            measured = personal.evaluate()
    seconds = time.perf_counter() - start
    if as_json:
        print_json(_described(checkpoint, history, measured, photos, seconds))
    else:
        _print(checkpoint, history, measured, seconds)
    if history.stopped:
        fail(f"stopped by Ctrl-C; what was learned until then is in {checkpoint}", code=130)


def _learn(
    model: PersonalModel, epochs: int | None, learning_rate: float | None, seed: int
) -> History:
    with progress("learning") as show:
        return model.fit(
            epochs, lambda epoch: _show(show, epoch), learning_rate=learning_rate, seed=seed
        )


def _save(model: PersonalModel, checkpoint: Path) -> None:
    try:
        model.save(checkpoint)
    except OSError as error:
        kept = "; what it held before is still there" if checkpoint.exists() else ""
        fail(f"{checkpoint} could not be saved: {error.strerror}{kept}")


def _show(show: Advance, epoch: Epoch) -> None:
    text = f"loss {epoch.loss:.3f}, accuracy {percent(epoch.accuracy)}"
    show(epoch.epoch, epoch.epochs, text)


@contextlib.contextmanager
def _ctrl_c_stops(model: PersonalModel) -> Iterator[None]:
    """Let the first Ctrl-C end the training after its present step, and a second one all."""

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        model.stop()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _described(
    checkpoint: Path, history: History, measured: Evaluation, photos: Photos, seconds: float
) -> dict[str, object]:
    return {
        "checkpoint": str(checkpoint),
        "classes": measured.labels,
        "samples": history.samples,
        "epochs": len(history.epochs),
        "steps": history.steps,
        "loss": measured.loss,
        "accuracy": measured.accuracy,
        "stopped": history.stopped,
        "skipped": [str(path) for path in photos.skipped],
        "seconds": round(seconds, 3),
    }


def _print(checkpoint: Path, history: History, measured: Evaluation, seconds: float) -> None:
    counts = measured.confusion.sum(1).tolist()
    rows = [
        (label, counts[i], percent(measured.per_class[label]))
        for i, label in enumerate(measured.labels)
    ]
    rows.append(("all", measured.samples, percent(measured.accuracy)))
    print_table(("class", "photos", "right"), rows, title="On the photos that it learned from")
    typer.echo(
        f"loss {measured.loss:.3f} after {len(history.epochs)} epochs, {seconds:.1f} s in all; "
        f"saved in {checkpoint}"
    )
