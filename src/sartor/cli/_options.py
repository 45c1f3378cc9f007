"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "BakedOrCheckpoint",
    "CheckpointFile",
    "Force",
    "ModelFile",
    "OutputFile",
    "PhotoFolder",
    "Seed",
    "check_converted",
]


def check_converted(path: Path) -> Path:
    """Return the path of a model.

    Raises:
        typer.BadParameter: If there is no such file, and the path is the name of a base.
    """
    if not path.exists():
        from ..bases.base import is_name

        if is_name(path):
            raise typer.BadParameter(
                f"{path} is a base, not a file. Make a file of it first: sartor convert {path} "
                "-o model.tflite --classes 10"
            )
    return path


ModelFile = Annotated[
    Path,
    typer.Argument(help="Personalizable file, made by `sartor convert`.", callback=check_converted),
]

CheckpointFile = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint",
        help="Checkpoint, written by `sartor fit`. Default: the one beside the model, "
        "model.safetensors for model.tflite.",
    ),
]

BakedOrCheckpoint = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint",
        help="Checkpoint, written by `sartor fit`. Default: the one beside the model, "
        "model.safetensors for model.tflite; if there is none, the weights in the model.",
    ),
]

OutputFile = Annotated[Path, typer.Option("-o", "--output", help="File to write.")]

Force = Annotated[bool, typer.Option("--force", help="Replace an output file of another type.")]

PhotoFolder = Annotated[Path, typer.Argument(help="Folder with one subfolder of photos per class.")]

Seed = Annotated[int, typer.Option("--seed", help="Seed of the random numbers.", min=0)]
