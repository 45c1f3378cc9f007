"""`sartor freeze`: convert a trained model into a plain classifier."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .._outputs import MODEL, check_output
from ._options import BakedOrCheckpoint, Force, ModelFile, OutputFile
from ._user import find_checkpoint, store_of
from .report import Json, note, print_json

if TYPE_CHECKING:
    from ..freeze import FrozenModel

__all__ = ["freeze"]


def freeze(
    model: ModelFile,
    output: OutputFile,
    checkpoint: BakedOrCheckpoint = None,
    quantize: Annotated[
        str, typer.Option(help="none, or full-integer: int8 only, for microcontrollers.")
    ] = "none",
    representative: Annotated[
        Path | None, typer.Option(help="full-integer: folder of representative images.")
    ] = None,
    io_dtype: Annotated[
        str, typer.Option(help="full-integer: dtype of input and output, uint8 or int8.")
    ] = "uint8",
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Write a plain classifier, which cannot be trained."""
    checkpoint = find_checkpoint(model, checkpoint)
    inputs = (model, checkpoint, checkpoint and store_of(checkpoint))
    check_output(output, MODEL, inputs=inputs, force=force)
    from ..freeze import freeze as freeze_model

    frozen = freeze_model(
        model,
        output,
        checkpoint,
        quantize=quantize,
        representative=representative,
        io_dtype=io_dtype,
        force=force,
    )
    if as_json:
        print_json(_describe(frozen, model))
    else:
        _print(frozen, model)


def _describe(frozen: FrozenModel, model: Path) -> dict[str, object]:
    return {
        "file": str(frozen.path),
        "bytes": frozen.path.stat().st_size,
        "model_bytes": model.stat().st_size,
        "classes": list(frozen.classes),
        "notes": list(frozen.notes),
    }


def _print(frozen: FrozenModel, model: Path) -> None:
    for message in frozen.notes:
        note(message)
    size, before = frozen.path.stat().st_size, model.stat().st_size
    typer.echo(f"{frozen.path}: {size:,} bytes ({model}: {before:,})")
    typer.echo(f"classes: {', '.join(frozen.classes)}")
