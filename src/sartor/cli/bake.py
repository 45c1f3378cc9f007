"""`sartor bake`: write a checkpoint into the model file."""

from __future__ import annotations

import typer

from ._options import CheckpointFile, ModelFile, OutputFile
from .report import Json, check_folder, note, print_json

__all__ = ["bake"]


def bake(
    model: ModelFile,
    checkpoint: CheckpointFile,
    output: OutputFile,
    as_json: Json = False,
) -> None:
    """Write a checkpoint into the model file; it can still be trained."""
    check_folder(output)
    from ..runtime import bake as bake_checkpoint

    path, notes = bake_checkpoint(model, checkpoint, output)
    if as_json:
        print_json({"file": str(path), "bytes": path.stat().st_size, "notes": notes})
        return
    for message in notes:
        note(message)
    typer.echo(f"{path}: {path.stat().st_size:,} bytes\nweights and classes: {checkpoint}")
