"""`sartor inspect`: what is in a file, and what a model could learn."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._inspect_model import print_model
from .report import Json, print_json, print_table

if TYPE_CHECKING:
    from ..inspection import CheckpointDescription, Description, StoreDescription

__all__ = ["inspect"]


def inspect(
    file: Annotated[
        Path,
        typer.Argument(help="Any .tflite model; a checkpoint, its samples, or a project."),
    ],
    everything: Annotated[
        bool, typer.Option("--all", help="List every cut, layer and tensor.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show what is in a file; of a model, where to cut it and what it could learn."""
    from ..inspection import describe

    found = describe(file)
    if as_json:
        print_json({"file": str(file), **asdict(found)})
        return
    _print(str(file), found, everything)


def _print(name: str, found: Description, everything: bool) -> None:
    from ..inspection import CheckpointDescription, ModelDescription, StoreDescription

    typer.echo(f"{name}: {found.kind}, {found.bytes:,} bytes")
    if isinstance(found, ModelDescription):
        print_model(name, found, everything)
    elif isinstance(found, CheckpointDescription):
        _print_checkpoint(found)
    elif isinstance(found, StoreDescription):
        _print_store(found)
    else:
        for part, described in (
            ("model", found.model), ("checkpoint", found.checkpoint), ("samples", found.samples),
        ):  # fmt: skip
            typer.echo("")
            _print(part, described, everything)


def _print_checkpoint(found: CheckpointDescription) -> None:
    typer.echo(f"{len(found.classes)} of {found.capacity} classes: {', '.join(found.classes)}")
    threshold = found.ood_threshold
    rule = "no threshold yet" if threshold is None else f"below a score of {threshold:.4g}"
    typer.echo(f"{found.samples_seen:,} samples seen; none of these: {rule}")
    _print_fingerprints(asdict(found.fingerprints))
    rows = [(each.name, each.dtype, list(each.shape)) for each in found.tensors]
    print_table(("tensor", "type", "shape"), rows)


def _print_store(found: StoreDescription) -> None:
    store = found.store
    typer.echo(
        f"{store.samples:,} samples, {store.held_out:,} of them held out; {store.views:,} rows of "
        f"features, {store.feature_bytes:,} bytes"
    )
    typer.echo(
        f"{store.photos:,} photos and {store.thumbnails:,} thumbnails kept, "
        f"{store.picture_bytes:,} bytes"
    )
    typer.echo(f"schema version {store.version}")
    _print_fingerprints({"base": store.base})
    print_table(("class", "samples"), store.classes.items())


def _print_fingerprints(marks: dict[str, str]) -> None:
    for part, mark in marks.items():
        typer.echo(f"fingerprint of the {part}: {mark}")
