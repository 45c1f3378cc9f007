"""`sartor bake`: a file that knows its classes from the start."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .report import Json, check_folder, note, print_json

__all__ = ["bake"]


def bake(
    model: Annotated[Path, typer.Argument(help="What `sartor convert` has made.")],
    checkpoint: Annotated[Path, typer.Option(help="What `sartor fit` has learned.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where to write.")],
    as_json: Json = False,
) -> None:
    """Write what was learned into the model itself; it still learns."""
    check_folder(output)
    from ..runtime import bake as bake_checkpoint

    path, notes = bake_checkpoint(model, checkpoint, output)
    if as_json:
        print_json({"file": str(path), "bytes": path.stat().st_size, "notes": notes})
        return
    for message in notes:
        note(message)
    typer.echo(f"{path}: {path.stat().st_size:,} bytes; it knows what {checkpoint} has learned")
