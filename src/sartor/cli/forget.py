"""`sartor forget`: samples are gone for real, and what was learned from them too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._user import at_work, save
from .report import Json, fail, print_json

if TYPE_CHECKING:
    from ..runtime import PersonalModel

__all__ = ["forget"]


def forget(
    model: Annotated[Path, typer.Argument(help="What `sartor convert` has made.")],
    checkpoint: Annotated[Path, typer.Option(help="What `sartor fit` has learned.")],
    photos: Annotated[
        list[Path] | None,
        typer.Argument(help="Photos that were learned from.", metavar="[PHOTO...]"),
    ] = None,
    sample: Annotated[
        list[int] | None,
        typer.Option(help="The number of a sample, as `sartor classes --json` lists them."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of what is drawn at random.", min=0)] = 0,
    as_json: Json = False,
) -> None:
    """Forget photos, and learn again from the others."""
    if not photos and not sample:
        fail("say what to forget: photos, or --sample NUMBER")
    with at_work(model, checkpoint, must_exist=True) as personal:
        before = personal.classes
        numbers = {*(sample or ()), *(_number(personal, photo) for photo in photos or ())}
        personal.forget(*numbers)
        if personal.samples:
            personal.fit(seed=seed)
        save(personal, checkpoint)
        left = len(personal.samples)
        removed = [name for name in before if name not in personal.classes]
    if as_json:
        print_json({"forgotten": len(numbers), "samples": left, "removed_classes": removed})
        return
    forgotten = "1 photo is" if len(numbers) == 1 else f"{len(numbers)} photos are"
    typer.echo(f"{forgotten} forgotten; {checkpoint} has learned from {left} others")
    for name in removed:
        typer.echo(f"{name!r} had no other photo, and is no class any more")


def _number(model: PersonalModel, photo: Path) -> int:
    found = model.find(photo)
    if found is None:
        fail(f"{photo} is none of the {len(model.samples)} photos that were learned from")
    return found.id
