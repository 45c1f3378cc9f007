"""`sartor demo`: the whole pipeline on real photos, in less than a minute."""

from __future__ import annotations

import shlex
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._progress import progress
from .report import Json, console, note, percent, print_confusion, print_json, print_table

if TYPE_CHECKING:
    from ..demo import AddClassStage, EvaluateStage, Stage
    from ..demo.sheet import PhotoPrediction

__all__ = ["demo"]

_COLUMNS = 60


def demo(
    photos: Annotated[
        Path | None,
        typer.Option(help="Your own photos: one subfolder per class.", metavar="DIR"),
    ] = None,
    base: Annotated[str, typer.Option(help="Base: `starter` or a .tflite file.")] = "starter",
    out: Annotated[Path, typer.Option(help="Folder for the results.", metavar="DIR")] = Path(
        "sartor-demo"
    ),
    sample_photos: Annotated[
        Path | None,
        typer.Option(
            help="Only write the sample photos of the documentation into this folder: drawings of "
            "hats and shoes.",
            metavar="DIR",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the random numbers.", min=0)] = 0,
    as_json: Json = False,
) -> None:
    """Train on a few photos per class, and show the result."""
    from ..demo import Demo, write_sample_photos

    if sample_photos is not None:
        paths = [str(path) for path in write_sample_photos(sample_photos)]
        if as_json:
            print_json({"files": paths})
        else:
            typer.echo("\n".join(paths))
        return
    start = time.perf_counter()
    results: dict[str, Any] = {}
    for stage in Demo(out, base, photos, seed, progress).run():
        results.update(stage.results())
        if not as_json:
            _print_stage(stage)
    seconds = time.perf_counter() - start
    if as_json:
        print_json({**results, "seconds": round(seconds, 3)})
        return
    typer.echo(f"\nTime: {seconds:.1f} s. Results: {out}")
    _print_next(base, out, photos, len(results["baked_classes"]))


def _print_stage(stage: Stage) -> None:
    """Print the result of a stage."""
    from ..demo import (
        AddClassStage,
        BakeStage,
        ConvertStage,
        EvaluateStage,
        PhotosStage,
        ReloadStage,
        TrainStage,
    )
    from ..demo.blocks import spark

    if isinstance(stage, PhotosStage):
        for path in stage.skipped:
            note(f"{path} cannot be read and was skipped")
        _print_heading("Photos", f"{stage.training} for training and {stage.test} for the test")
        _print_wrapped(f"{stage.source}.")
    elif isinstance(stage, ConvertStage):
        for message in stage.notes:
            note(message)
        size = stage.file.stat().st_size
        _print_heading("Conversion", f"{stage.file}, {size:,} bytes")
        typer.echo(f"Base {stage.base}, capacity {stage.capacity} classes.")
    elif isinstance(stage, TrainStage):
        losses = [epoch.loss for epoch in stage.history.epochs]
        _print_heading("Training", f"{len(losses)} epochs, {stage.seconds:.1f} s with loading")
        typer.echo(f"loss {losses[0]:.3f} {spark(losses)} {losses[-1]:.3f}\nchart: {stage.chart}")
    elif isinstance(stage, EvaluateStage):
        _print_evaluation(stage)
    elif isinstance(stage, ReloadStage):
        _print_heading("Checkpoint", f"{stage.checkpoint}")
        typer.echo("A new model loaded it and makes the same predictions.")
    elif isinstance(stage, AddClassStage):
        _print_new_class(stage)
    elif isinstance(stage, BakeStage):
        _print_heading("Baked file", f"{stage.file}, {stage.file.stat().st_size:,} bytes")
        _print_wrapped(f"Classes: {', '.join(stage.classes)}. It can still be trained.")


def _print_evaluation(stage: EvaluateStage) -> None:
    evaluation = stage.evaluation
    _print_heading("Evaluation", f"{evaluation.samples} other photos")
    rows = [
        ("trained model", percent(evaluation.accuracy)),
        ("trained with shuffled labels", percent(stage.shuffled)),
        ("random guesses", percent(stage.chance)),
        ("logistic regression on the pixels", percent(stage.pixels)),
    ]
    print_table(("", "accuracy"), rows)
    print_confusion(evaluation)
    typer.echo(f"confusion matrix: {stage.chart}")
    _show(stage.predictions)
    typer.echo(f"predictions: {stage.sheet}")


def _print_new_class(stage: AddClassStage) -> None:
    _print_heading("New class", f"{stage.label}, from one photo")
    _show(stage.predictions)
    typer.echo(
        f"{stage.correct} of {stage.tested} other photos of it are correct.\n"
        f"Accuracy on the other classes: {percent(stage.others)}\npredictions: {stage.sheet}"
    )


def _print_heading(title: str, text: str) -> None:
    typer.echo()
    typer.secho(title, bold=True, nl=False)
    typer.echo(f": {text}")


def _print_wrapped(text: str) -> None:
    typer.echo(textwrap.fill(text, _COLUMNS, break_on_hyphens=False))


def _show(predictions: tuple[PhotoPrediction, ...]) -> None:
    """Show photos in the terminal, if it has enough colors."""
    from ..demo.blocks import photo_rows

    terminal = console()
    if terminal.is_terminal and terminal.color_system in ("256", "truecolor"):
        for row in photo_rows(predictions, terminal.width):
            terminal.print(row, no_wrap=True, crop=True)


def _print_next(base: str, out: Path, photos: Path | None, classes: int) -> None:
    if photos is None:
        typer.echo(
            "\nNext: your own photos, one folder per class (photos/hat/…,\nphotos/shoes/…):\n"
            "  sartor demo --photos photos"
        )
        return
    model, checkpoint = (shlex.quote(str(out / f"my.{end}")) for end in ("tflite", "safetensors"))
    typer.echo(
        "\nThe same, step by step:\n"
        f"  sartor convert {shlex.quote(base)} -o {model} --classes {classes}\n"
        f"  sartor fit {model} {shlex.quote(str(photos))} --checkpoint {checkpoint}\n"
        f"  sartor predict {model} --checkpoint {checkpoint} PHOTO"
    )
