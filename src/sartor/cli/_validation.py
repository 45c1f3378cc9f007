"""`--validation F`: photos that are held out from the training."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import DataError
from ._folder_state import label_names

if TYPE_CHECKING:
    from ..modalities import LabelledFile

__all__ = ["Validation", "hold_out"]

Validation = Annotated[
    float | None,
    typer.Option(
        help="Fraction of the photos of each class to hold out: 0.2. They measure the model, and "
        "do not train it.",
        min=0,
        max=0.9,
    ),
]


def hold_out(
    files: Mapping[str, LabelledFile], fraction: float, held_out: Collection[str]
) -> dict[str, LabelledFile]:
    """Hold out the last files of each class by name, until there are enough.

    Photos with consecutive names often show the same scene, so they stay in one part.

    Args:
        files: identity → file.
        fraction: fraction of each class that is held out, 0…1; at least one file is not.
        held_out: identities of the validation files of the last `fit`.

    Returns:
        Identity → file, of all files.

    Raises:
        DataError: If the folder has a part for validation.
    """
    if any(file.held_out is not None for file in files.values()):
        raise DataError("the folder has a part for validation already: omit --validation")
    groups: dict[str, list[str]] = defaultdict(list)
    for identity, file in sorted(files.items(), key=_order):
        groups[_group(label_names(file.label))].append(identity)
    chosen = set(held_out)
    for identities in groups.values():
        training = [identity for identity in identities if identity not in chosen]
        missing = round(fraction * len(identities)) - (len(identities) - len(training))
        count = max(0, min(missing, len(training) - 1))
        chosen.update(training[len(training) - count :])
    return {
        identity: replace(file, held_out=True) if identity in chosen else file
        for identity, file in files.items()
    }


def _order(item: tuple[str, LabelledFile]) -> tuple[Path, int, Path]:
    """Return the key by which files are sorted: by their names, or their lines in a CSV."""
    file = item[1]
    return file.path.parent, file.line, file.path


def _group(names: Collection[str]) -> str:
    """Return the class of a file; files with several labels or numbers are one group."""
    return next(iter(names)) if len(names) == 1 else ""
