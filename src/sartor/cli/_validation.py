"""`--validation F`: photos that are held out from the training."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from ._folder_state import label_names

if TYPE_CHECKING:
    from ..modalities import LabelledFile
    from ..runtime import StoredSample

__all__ = ["Validation", "choose_validation"]

Validation = Annotated[
    float | None,
    typer.Option(
        help="Fraction of the photos of each class to hold out: 0.2. They measure the model, and "
        "do not train it.",
        min=0,
        max=0.9,
    ),
]


def choose_validation(
    files: Mapping[str, LabelledFile], fraction: float, samples: Iterable[StoredSample]
) -> frozenset[str]:
    """Choose the validation samples among new files: the last ones of each class by name.

    Photos with consecutive names often show the same scene, so they stay in one part.

    Args:
        files: identity → new file.
        fraction: fraction of each class that is held out, 0…1.
        samples: samples of the model; they stay as they are.

    Returns:
        The identities of the files. A class without training samples keeps a file to train on.
    """
    training, held_out = Counter[str](), Counter[str]()
    for sample in samples:
        (held_out if sample.held_out else training)[_group(sample.targets)] += 1
    groups: dict[str, list[str]] = defaultdict(list)
    for identity, file in sorted(files.items(), key=lambda item: item[1].path):
        groups[_group(label_names(file.label))].append(identity)
    chosen: set[str] = set()
    for group, identities in groups.items():
        total = len(identities) + training[group] + held_out[group]
        largest = len(identities) - (not training[group])
        count = max(0, min(largest, round(fraction * total) - held_out[group]))
        chosen.update(identities[len(identities) - count :])
    return frozenset(chosen)


def _group(names: Collection[str]) -> str:
    """Return the class of a sample; samples with several labels or numbers are one group."""
    return next(iter(names)) if len(names) == 1 else ""
