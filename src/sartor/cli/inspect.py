"""`sartor inspect`: describe a file."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._components import create_optimizer
from ._inspect_model import print_model
from ._inspect_training import MOST_LAYERS
from ._parse import parse_classes
from .report import Json, print_json, print_table

if TYPE_CHECKING:
    from ..inspection import CheckpointDescription, Description, StoreDescription

__all__ = ["inspect"]


def inspect(
    file: Annotated[
        Path,
        typer.Argument(
            help="A .tflite model, a checkpoint, a sample store, a project, or `starter`."
        ),
    ],
    everything: Annotated[
        bool, typer.Option("--all", help="List every cut, layer and tensor.")
    ] = False,
    classes: Annotated[
        str | None,
        typer.Option(
            help="Number of classes, or their names: predict the cost of training a model."
        ),
    ] = None,
    batch_size: Annotated[
        int, typer.Option(help="With --classes: number of samples per training step.")
    ] = 32,
    optimizer: Annotated[
        str, typer.Option(help="With --classes: sgd, adam, adamw or rmsprop.")
    ] = "adam",
    as_json: Json = False,
) -> None:
    """Describe a file: a model, checkpoint, store or project."""
    from ..inspection import describe

    description = describe(
        file,
        classes=None if classes is None else parse_classes(classes, None, "softmax"),
        batch_size=batch_size,
        optimizer=create_optimizer(optimizer),
        layers=None if everything or as_json else MOST_LAYERS,
    )
    if as_json:
        print_json({"file": str(file), **asdict(description)})
        return
    _print(str(file), description, everything)


def _print(name: str, description: Description, everything: bool) -> None:
    from ..inspection import CheckpointDescription, ModelDescription, StoreDescription

    typer.echo(f"{name}: {description.kind}, {description.bytes:,} bytes")
    if isinstance(description, ModelDescription):
        print_model(name, description, everything)
    elif isinstance(description, CheckpointDescription):
        _print_checkpoint(description)
    elif isinstance(description, StoreDescription):
        _print_store(description)
    else:
        typer.echo(f"to unpack it: sartor import {shlex.quote(name)} FOLDER")
        for part, described in (
            ("FOLDER/model.tflite", description.model),
            ("FOLDER/checkpoint.safetensors", description.checkpoint),
            ("FOLDER/checkpoint.samples", description.samples),
        ):
            typer.echo("")
            _print(part, described, everything)


def _print_checkpoint(checkpoint: CheckpointDescription) -> None:
    names = ", ".join(checkpoint.classes)
    typer.echo(f"{len(checkpoint.classes)} of {checkpoint.capacity} classes: {names}")
    threshold = "none" if checkpoint.ood_threshold is None else f"{checkpoint.ood_threshold:.4g}"
    typer.echo(f"{checkpoint.samples_seen:,} samples added so far; OOD threshold: {threshold}")
    _print_fingerprints(asdict(checkpoint.fingerprints))
    rows = [(each.name, each.dtype, list(each.shape)) for each in checkpoint.tensors]
    print_table(("tensor", "dtype", "shape"), rows)


def _print_store(description: StoreDescription) -> None:
    store = description.store
    typer.echo(
        f"{store.samples:,} samples, {store.held_out:,} held out; "
        f"{store.rows:,} rows of features, {store.feature_bytes:,} bytes"
    )
    typer.echo(
        f"{store.photos:,} photos and {store.thumbnails:,} thumbnails, {store.image_bytes:,} bytes"
    )
    typer.echo(f"schema version {store.version}")
    _print_fingerprints({"base": store.base})
    print_table(("class", "samples"), store.classes.items())


def _print_fingerprints(fingerprints: dict[str, str]) -> None:
    for part, fingerprint in fingerprints.items():
        typer.echo(f"fingerprint of the {part}: {fingerprint}")
