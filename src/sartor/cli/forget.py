"""`sartor forget`: delete photos, and train on the others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._options import CheckpointFile, ModelFile, Seed
from ._user import checkpoint_of, open_trained, save
from .report import Json, fail, print_json

if TYPE_CHECKING:
    import numpy as np

    from ..runtime import PersonalModel

__all__ = ["forget"]


def forget(
    model: ModelFile,
    photos: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Training photos to delete; FILE.csv:3 is line 3 of a CSV of numbers.",
            metavar="[PHOTO...]",
        ),
    ] = None,
    sample: Annotated[
        list[int] | None,
        typer.Option(help="Number of a sample; `sartor classes --json` lists them (repeatable)."),
    ] = None,
    checkpoint: CheckpointFile = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Delete training photos permanently, and train on the others."""
    if not photos and not sample:
        fail("nothing to forget: pass photos, or --sample NUMBER")
    checkpoint = checkpoint_of(model, checkpoint)
    with open_trained(model, checkpoint, must_exist=True) as personal:
        before = personal.classes
        numbers = {*(sample or ()), *(_number(personal, photo) for photo in photos or ())}
        personal.forget(*numbers)
        if personal.samples:
            personal.fit(seed=seed)
        save(personal, checkpoint)
        remaining = len(personal.samples)
        removed = [name for name in before if name not in personal.classes]
    if as_json:
        print_json({"forgotten": len(numbers), "samples": remaining, "removed_classes": removed})
        return
    photos_text = "1 photo" if len(numbers) == 1 else f"{len(numbers)} photos"
    typer.echo(f"{photos_text} deleted; {checkpoint} is trained on the other {remaining}")
    for name in removed:
        typer.echo(f"class {name!r} had no other photo and was removed")


def _sample(model: PersonalModel, photo: Path) -> Path | np.ndarray:
    """Return the sample of a file, or of a line of a CSV: FILE.csv:3."""
    from ..modalities import read_windows

    file, _, line = str(photo).rpartition(":")
    if photo.exists() or not line.isdigit() or not Path(file).is_file():
        return photo
    return dict(read_windows(Path(file), model.manifest.inputs)).get(photo, photo)


def _number(model: PersonalModel, photo: Path) -> int:
    stored = model.find(_sample(model, photo))
    if stored is None:
        fail(f"{photo} is not one of the {len(model.samples)} training photos")
    return stored.id
