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
]

ModelFile = Annotated[Path, typer.Argument(help="Personalizable file, made by `sartor convert`.")]

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
