"""`sartor freeze`: the plain classifier that a model has become."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .report import Json, check_folder, note, print_json

if TYPE_CHECKING:
    from ..freeze import FrozenModel

__all__ = ["freeze"]


def freeze(
    model: Annotated[Path, typer.Argument(help="What `sartor convert` has made.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where to write.")],
    checkpoint: Annotated[
        Path | None, typer.Option(help="What `sartor fit` has learned; else what is baked in.")
    ] = None,
    quantize: Annotated[
        str, typer.Option(help="none, or full-integer: int8 throughout, for microcontrollers.")
    ] = "none",
    representative: Annotated[
        Path | None, typer.Option(help="full-integer: a folder of pictures such as it will see.")
    ] = None,
    io_dtype: Annotated[
        str, typer.Option(help="full-integer: uint8 or int8 bytes go in and come out.")
    ] = "uint8",
    as_json: Json = False,
) -> None:
    """Write the plain classifier that a model has become: it learns no more."""
    check_folder(output)
    from ..freeze import freeze as freeze_model

    frozen = freeze_model(
        model,
        output,
        checkpoint,
        quantize=quantize,
        representative=representative,
        io_dtype=io_dtype,
    )
    if as_json:
        print_json(_described(frozen, model))
    else:
        _print(frozen, model)


def _described(frozen: FrozenModel, model: Path) -> dict[str, object]:
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
    sizes = f"{frozen.path.stat().st_size:,} bytes, of a model of {model.stat().st_size:,}"
    typer.echo(f"{frozen.path}: {sizes}; it learns no more")
    typer.echo(f"classes: {', '.join(frozen.classes)}")
