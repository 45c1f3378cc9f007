"""`sartor export` and `sartor import`: all that a user has, as one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._user import at_work
from .report import Json, check_folder, print_json

__all__ = ["export", "import_project"]


def export(
    model: Annotated[Path, typer.Argument(help="What `sartor convert` has made.")],
    checkpoint: Annotated[Path, typer.Option(help="What `sartor fit` has learned.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where to write.")],
    as_json: Json = False,
) -> None:
    """Put the model, what it has learned and its samples into one file, to move them."""
    check_folder(output)
    with at_work(model, checkpoint, must_exist=True) as personal:
        path = personal.export_project(output)
        samples = len(personal.samples)
    if as_json:
        print_json({"file": str(path), "bytes": path.stat().st_size, "samples": samples})
        return
    typer.echo(f"{path}: {path.stat().st_size:,} bytes, with {samples} samples")


def import_project(
    project: Annotated[Path, typer.Argument(help="What `sartor export` has written.")],
    folder: Annotated[Path, typer.Argument(help="A new folder for what is in it.")],
    as_json: Json = False,
) -> None:
    """Take apart what `sartor export` has written."""
    from ..runtime import unpack_project

    found = unpack_project(project, folder)
    files = sorted(str(path) for path in found.iterdir())
    if as_json:
        print_json({"files": files})
        return
    typer.echo("\n".join(files))
