"""`sartor classes`: what a user has taught, and changes to it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from ._user import at_work, save
from .report import Json, print_json, print_table

__all__ = ["classes"]


def classes(
    model: Annotated[Path, typer.Argument(help="What `sartor convert` has made.")],
    checkpoint: Annotated[Path, typer.Option(help="What `sartor fit` has learned.")],
    rename: Annotated[
        tuple[str, str] | None, typer.Option(help="Give a class another name.", metavar="OLD NEW")
    ] = None,
    remove: Annotated[
        str | None, typer.Option(help="Forget a class and its samples for real.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the classes, rename one, or remove one."""
    with at_work(model, checkpoint, must_exist=True) as personal:
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
        counts = Counter(name for each in personal.samples for name in each.targets)
        found = {name: counts[name] for name in personal.classes}
        capacity = personal.capacity
    if as_json:
        print_json({"classes": found, "capacity": capacity, "samples": samples})
        return
    print_table(("class", "samples"), found.items())
    typer.echo(f"{len(found)} of {capacity} classes")
