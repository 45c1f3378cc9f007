"""`sartor demo`: all that Sartor does, shown on real pictures in well under a minute."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._progress import progress
from .report import Json, console, note, percent, print_json, print_table

if TYPE_CHECKING:
    from ..demo import Grown, Judged, Stage
    from ..demo.sheet import Answer
    from ..runtime import Evaluation

__all__ = ["demo"]

_MOST_COLUMNS = 12


def demo(
    photos: Annotated[
        Path | None,
        typer.Option(help="Your own: a folder with one of photos for each class.", metavar="DIR"),
    ] = None,
    base: Annotated[str, typer.Option(help="A .tflite model to learn on.")] = "starter",
    out: Annotated[Path, typer.Option(help="The folder for what it makes.", metavar="DIR")] = Path(
        "sartor-demo"
    ),
    seed: Annotated[int, typer.Option(help="Of all that is drawn at random.", min=0)] = 0,
    as_json: Json = False,
) -> None:
    """Learn some classes from a handful of pictures, and show how well."""
    from ..demo import Demo

    start = time.perf_counter()
    facts: dict[str, Any] = {}
    for stage in Demo(out, base, photos, seed, progress).run():
        facts.update(stage.facts())
        if not as_json:
            _tell(stage)
    seconds = time.perf_counter() - start
    if as_json:
        print_json({**facts, "seconds": round(seconds, 3)})
        return
    typer.echo(f"\nAll of it took {seconds:.1f} s; what it made is in {out}.")
    _tell_next(base, out, photos, len(facts["knows"]))


def _tell(stage: Stage) -> None:
    """Say what a stage has done."""
    from ..demo import Baked, Converted, Gathered, Grown, Judged, Learned, Reloaded
    from ..demo.blocks import spark

    if isinstance(stage, Gathered):
        for path in stage.left_out:
            note(f"{path} cannot be read and was left out")
        _head("Pictures", f"{stage.learn} to learn from and {stage.test} to be tested on")
        typer.echo(f"{stage.source}.")
    elif isinstance(stage, Converted):
        for message in stage.notes:
            note(message)
        size = stage.file.stat().st_size
        _head("A model that learns", f"{stage.file}, {size:,} bytes")
        typer.echo(f"The base {stage.base!r}, with room for {stage.capacity} classes.")
    elif isinstance(stage, Learned):
        losses = [epoch.loss for epoch in stage.history.epochs]
        _head("Learning", f"{len(losses)} epochs, {stage.seconds:.1f} s with reading the pictures")
        typer.echo(f"loss {losses[0]:.3f} {spark(losses)} {losses[-1]:.3f} ({stage.chart})")
    elif isinstance(stage, Judged):
        _tell_judged(stage)
    elif isinstance(stage, Reloaded):
        _head("Saved and loaded again", f"{stage.checkpoint}")
        typer.echo("A fresh model took it over, and answers the same.")
    elif isinstance(stage, Grown):
        _tell_grown(stage)
    elif isinstance(stage, Baked):
        _head("Baked", f"{stage.file}, {stage.file.stat().st_size:,} bytes")
        typer.echo(f"One file that knows {', '.join(stage.classes)}, and still learns.")


def _tell_judged(judged: Judged) -> None:
    measured = judged.measured
    _head("Tested", f"on {measured.samples} pictures that it had not seen")
    rows = [
        ("what it learned", percent(measured.accuracy)),
        ("the same with the labels shuffled", percent(judged.shuffled)),
        ("guessing", percent(judged.chance)),
        ("logistic regression on the pixels", percent(judged.pixels)),
    ]
    print_table(("", "right"), rows)
    if len(measured.labels) <= _MOST_COLUMNS:
        _print_confusion(measured)
    typer.echo(f"Who is taken for whom: {judged.chart}")
    _show(judged.answers)
    typer.echo(f"Pictures, and what it took them for: {judged.sheet}")


def _print_confusion(measured: Evaluation) -> None:
    counts = zip(measured.labels, measured.confusion.tolist(), strict=True)
    rows = [
        (f"{number} {label}", *(f"{count or '·'}" for count in row))
        for number, (label, row) in enumerate(counts, 1)
    ]
    print_table(("is … taken for", *map(str, range(1, len(rows) + 1))), rows)


def _tell_grown(grown: Grown) -> None:
    _head("One class more", f"{grown.label}, from one picture of it")
    _show(grown.answers)
    typer.echo(
        f"{grown.found} of {grown.tested} others of it are found ({grown.sheet}); of the other "
        f"classes still {percent(grown.others)} are right."
    )


def _head(title: str, words: str) -> None:
    typer.echo()
    typer.secho(title, bold=True, nl=False)
    typer.echo(f": {words}")


def _show(answers: tuple[Answer, ...]) -> None:
    """Pictures in the terminal, where it has the colours."""
    from ..demo.blocks import picture_rows

    screen = console()
    if screen.is_terminal and screen.color_system in ("256", "truecolor"):
        for row in picture_rows(answers, screen.width):
            screen.print(row, no_wrap=True, crop=True)


def _tell_next(base: str, out: Path, photos: Path | None, classes: int) -> None:
    if photos is None:
        typer.echo(
            "\nNow with your own photos, in a folder with one for each class (photos/hat/…, "
            "photos/shoes/…):\n  sartor demo --photos photos"
        )
        return
    model, checkpoint = (shlex.quote(str(out / f"my.{end}")) for end in ("tflite", "safetensors"))
    typer.echo(
        "\nThe same step by step:\n"
        f"  sartor convert {shlex.quote(base)} -o {model} --classes {classes}\n"
        f"  sartor fit {model} {shlex.quote(str(photos))} --checkpoint {checkpoint}\n"
        f"  sartor predict {model} --checkpoint {checkpoint} PHOTO"
    )
