"""`sartor classes`: list, rename and remove classes."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer

from ._options import CheckpointFile, ModelFile
from ._user import checkpoint_of, open_trained, save
from .report import Json, print_json, print_table

__all__ = ["classes"]


def classes(
    model: ModelFile,
    checkpoint: CheckpointFile = None,
    rename: Annotated[
        tuple[str, str] | None, typer.Option(help="Rename a class.", metavar="OLD NEW")
    ] = None,
    remove: Annotated[
        str | None, typer.Option(help="Delete a class and its samples permanently.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the classes; rename or remove one."""
    checkpoint = checkpoint_of(model, checkpoint)
    with open_trained(model, checkpoint, must_exist=True) as personal:
        if rename is not None:
            personal.rename_class(*rename)
        if remove is not None:
            personal.remove_class(remove)
        if rename is not None or remove is not None:
            save(personal, checkpoint)
        samples = [
            {"number": each.id, "targets": dict(each.targets), "added": each.added.isoformat()}
            for each in personal.samples
        ]
        is_number = personal.manifest.task == "regression"
        counts = Counter(
            name
            for each in personal.samples
            for name, value in each.targets.items()
            if value > 0 or is_number
        )
        per_class = {name: counts[name] for name in personal.classes}
        capacity = personal.capacity
    if as_json:
        print_json({"classes": per_class, "capacity": capacity, "samples": samples})
        return
    print_table(("class", "samples"), per_class.items())
    typer.echo(f"{len(per_class)} of {capacity} classes")
