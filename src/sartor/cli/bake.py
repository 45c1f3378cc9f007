"""`sartor bake`: write a checkpoint into the model file."""

from __future__ import annotations

import typer

from .._outputs import MODEL, check_output
from ._options import CheckpointFile, Force, ModelFile, OutputFile
from ._user import checkpoint_of, store_of
from .report import Json, note, print_json

__all__ = ["bake"]


def bake(
    model: ModelFile,
    output: OutputFile,
    checkpoint: CheckpointFile = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Write a checkpoint into the model file; it can still be trained."""
    checkpoint = checkpoint_of(model, checkpoint)
    inputs = (model, checkpoint, store_of(checkpoint))
    check_output(output, MODEL, inputs=inputs, force=force)
    from ..runtime import bake as bake_checkpoint

    path, notes = bake_checkpoint(model, checkpoint, output, force=force)
    if as_json:
        print_json({"file": str(path), "bytes": path.stat().st_size, "notes": notes})
        return
    for message in notes:
        note(message)
    typer.echo(f"{path}: {path.stat().st_size:,} bytes\nweights and classes: {checkpoint}")
