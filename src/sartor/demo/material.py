"""The training and test photos of the demo: rendered views, or the user's own folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import PIL.Image

from ..errors import DataError
from ..modalities import image_pixels, read_folder
from .photos import NEW, PHOTOS, TABLES, open_photo
from .views import SIDE, view

__all__ = ["Count", "Example", "Material", "of_folder", "of_photos", "say_nothing"]

Example: TypeAlias = "tuple[PIL.Image.Image, str]"
"""A photo and its class."""

Count: TypeAlias = Callable[[int, int, str], None]
"""Takes the number of finished steps, the number of steps, and a text."""

_LEARN, _TEST = 3, 20  # views of each photo
_MOST_LEARN, _MOST_TEST = 20, 20  # photos of a class in a folder
_TEST_SHARE = 1 / 3


def say_nothing(finished: int, total: int, text: str) -> None:
    """Show no progress."""


@dataclass(frozen=True)
class Material:
    """Training and test photos, without common photos.

    Attributes:
        labels: names of the first classes.
        training: their training photos.
        test: their test photos.
        new: name of the class that is added later; None if there are fewer than three classes.
        new_sample: its only training photo.
        new_test: its test photos.
        source: description of the photos.
        skipped: files that could not be read.
    """

    labels: tuple[str, ...]
    training: tuple[Example, ...]
    test: tuple[Example, ...]
    new: str | None
    new_sample: PIL.Image.Image | None
    new_test: tuple[Example, ...]
    source: str
    skipped: tuple[str, ...] = ()


def of_photos(seed: int = 0, count: Count = say_nothing) -> Material:
    """Render views of the photos in scikit-image and scikit-learn.

    Args:
        seed: seed of the views.
        count: function that shows the progress.

    Raises:
        DataError: If these packages are not installed.
    """
    tables = [open_photo(table) for table in TABLES]
    learn, test = list[Example](), list[Example]()
    jobs = [
        (photo, part, many, into)
        for photo in (*PHOTOS, NEW)
        for part, (many, into) in enumerate(((_LEARN, learn), (_TEST, test)))
    ]
    done, total = 0, len(jobs) // 2 * (_LEARN + _TEST)
    for photo, part, many, into in jobs:
        picture = open_photo(photo)
        for index in range(many):
            rng = np.random.default_rng([seed, part, *photo.label.encode(), index])
            into.append((view(picture, tables, rng), photo.label))
        done += many
        count(done, total, photo.label)
    return Material(
        labels=tuple(photo.label for photo in PHOTOS),
        training=tuple(learn[:-_LEARN]),
        test=tuple(test[:-_TEST]),
        new=NEW.label,
        new_sample=learn[-_LEARN][0],
        new_test=tuple(test[-_TEST:]),
        source=f"{len(PHOTOS) + 1} photos in scikit-image and scikit-learn, {_LEARN} "
        f"training views and {_TEST} test views of each",
    )


def of_folder(
    folder: str | os.PathLike[str], seed: int = 0, count: Count = say_nothing
) -> Material:
    """Load the user's photos; a third of each class is for the test.

    Of large classes a random part is used. If there are three or more classes, the last one is
    added later.

    Args:
        folder: folder with one subfolder of photos per class.
        seed: seed of the selection of test photos.
        count: function that shows the progress.

    Raises:
        DataError: If there are fewer than two classes, or fewer than two readable photos of one.
        OSError: If the folder does not exist or cannot be read.
    """
    files = read_folder(folder, skip=True)
    labels = tuple(dict.fromkeys(label for _, label in files))
    if len(labels) < 2:
        raise DataError(f"{folder} has one class, {labels[0]!r}: add a folder for a second class")
    chosen = {label: _chosen([p for p, name in files if name == label], seed) for label in labels}
    total, skipped = sum(map(len, chosen.values())), list[str]()

    def read() -> Iterator[tuple[str, list[PIL.Image.Image]]]:
        done = 0
        for label, paths in chosen.items():
            photos = []
            for path in paths:
                done += 1
                count(done, total, label)
                try:
                    photos.append(PIL.Image.fromarray(image_pixels(path, (SIDE, SIDE))))
                except (DataError, OSError):
                    skipped.append(str(path))
            if len(photos) < 2:
                raise DataError(
                    f"{len(photos)} photos of the class {label!r} can be read: at least two are "
                    "needed, one for training and one for the test"
                )
            yield label, photos

    parts = {label: _split(label, photos) for label, photos in read()}
    new = labels[-1] if len(labels) > 2 else None
    first = tuple(label for label in labels if label != new)
    return Material(
        labels=first,
        training=tuple(example for label in first for example in parts[label][0]),
        test=tuple(example for label in first for example in parts[label][1]),
        new=new,
        new_sample=parts[new][0][0][0] if new else None,
        new_test=tuple(parts[new][1]) if new else (),
        source=f"{total - len(skipped)} of the {len(files)} photos in {folder}; a third of each "
        "class is for the test",
        skipped=tuple(skipped),
    )


def _chosen(files: list[os.PathLike[str]] | Sequence[os.PathLike[str]], seed: int) -> list[str]:
    """Return some files of a class, in random order."""
    order = np.random.default_rng(seed).permutation(len(files))
    return [os.fspath(files[i]) for i in order[: _MOST_LEARN + _MOST_TEST]]


def _split(label: str, photos: Sequence[PIL.Image.Image]) -> tuple[list[Example], list[Example]]:
    """Return the training and the test photos: at least one of each."""
    tested = min(max(1, round(_TEST_SHARE * len(photos))), _MOST_TEST)
    examples = [(picture, label) for picture in photos]
    return examples[tested:][:_MOST_LEARN], examples[:tested]
