"""What a demo learns from and what it is tested on: views of the photos, or a user's own folder."""

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
"""A picture and its class."""

Count: TypeAlias = Callable[[int, int, str], None]
"""Takes how much is done, how much there is to do, and what to say of it."""

_LEARN, _TEST = 3, 20  # views of each photo
_MOST_LEARN, _MOST_TEST = 20, 20  # photos of a class in a folder
_TEST_SHARE = 1 / 3


def say_nothing(done: int, total: int, text: str) -> None:
    """How far something is, for nobody."""


@dataclass(frozen=True)
class Material:
    """Pictures in two parts that have none in common.

    Attributes:
        labels: the classes to learn first.
        learn: what they are learned from.
        test: what shows whether they were.
        new: the class that comes later; None where there are too few classes.
        new_sample: the one sample of it.
        new_test: what shows whether one was enough.
        source: where the pictures come from, in words.
        left_out: files that could not be read.
    """

    labels: tuple[str, ...]
    learn: tuple[Example, ...]
    test: tuple[Example, ...]
    new: str | None
    new_sample: PIL.Image.Image | None
    new_test: tuple[Example, ...]
    source: str
    left_out: tuple[str, ...] = ()


def of_photos(seed: int = 0, count: Count = say_nothing) -> Material:
    """Views of the photos that ship with scikit-image and scikit-learn.

    Args:
        seed: of the views.
        count: told of each photo that is done.

    Raises:
        DataError: they are not installed.
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
        learn=tuple(learn[:-_LEARN]),
        test=tuple(test[:-_TEST]),
        new=NEW.label,
        new_sample=learn[-_LEARN][0],
        new_test=tuple(test[-_TEST:]),
        source=f"{len(PHOTOS) + 1} photos that ship with scikit-image and scikit-learn, {_LEARN} "
        f"views of each to learn from, {_TEST} others to be tested on",
    )


def of_folder(
    folder: str | os.PathLike[str], seed: int = 0, count: Count = say_nothing
) -> Material:
    """A user's photos, a folder a class; of each class a third is kept for the test.

    Of large classes a part is taken, chosen by `seed`. The last class is the one that comes later,
    where there are three or more.

    Args:
        folder: with a folder for each class.
        seed: decides which photos are for the test.
        count: told of each photo that is read.

    Raises:
        DataError: there are fewer than two classes, or fewer than two photos of one can be read.
        OSError: the folder is not there, or may not be read.
    """
    files = read_folder(folder, skip=True)
    labels = tuple(dict.fromkeys(label for _, label in files))
    if len(labels) < 2:
        raise DataError(f"{folder} has one class, {labels[0]!r}: there must be two to tell apart")
    chosen = {label: _chosen([p for p, name in files if name == label], seed) for label in labels}
    total, left_out = sum(map(len, chosen.values())), list[str]()

    def read() -> Iterator[tuple[str, list[PIL.Image.Image]]]:
        done = 0
        for label, paths in chosen.items():
            pictures = []
            for path in paths:
                done += 1
                count(done, total, label)
                try:
                    pictures.append(PIL.Image.fromarray(image_pixels(path, (SIDE, SIDE))))
                except (DataError, OSError):
                    left_out.append(str(path))
            if len(pictures) < 2:
                raise DataError(
                    f"of the class {label!r}, {len(pictures)} photos can be read: two are needed, "
                    "one to learn from and one to be tested on"
                )
            yield label, pictures

    parts = {label: _split(label, pictures) for label, pictures in read()}
    new = labels[-1] if len(labels) > 2 else None
    first = tuple(label for label in labels if label != new)
    return Material(
        labels=first,
        learn=tuple(example for label in first for example in parts[label][0]),
        test=tuple(example for label in first for example in parts[label][1]),
        new=new,
        new_sample=parts[new][0][0][0] if new else None,
        new_test=tuple(parts[new][1]) if new else (),
        source=f"{total - len(left_out)} of the {len(files)} photos in {folder}, a third of each "
        "class kept for the test",
        left_out=tuple(left_out),
    )


def _chosen(files: list[os.PathLike[str]] | Sequence[os.PathLike[str]], seed: int) -> list[str]:
    """Some files of a class, in an order that the seed decides."""
    order = np.random.default_rng(seed).permutation(len(files))
    return [os.fspath(files[i]) for i in order[: _MOST_LEARN + _MOST_TEST]]


def _split(label: str, pictures: Sequence[PIL.Image.Image]) -> tuple[list[Example], list[Example]]:
    """What to learn from, and what to test on: at least one of each."""
    tested = min(max(1, round(_TEST_SHARE * len(pictures))), _MOST_TEST)
    examples = [(picture, label) for picture in pictures]
    return examples[tested:][:_MOST_LEARN], examples[:tested]
