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
from .rendering import SIDE, render_view

__all__ = ["DemoData", "Example", "ShowProgress", "load_folder", "no_progress", "render_photos"]

Example: TypeAlias = "tuple[PIL.Image.Image, str]"
"""A photo and its class."""

ShowProgress: TypeAlias = Callable[[int, int, str], None]
"""Takes the number of finished steps, the number of steps, and a text."""

_TRAINING_VIEWS, _TEST_VIEWS = 3, 20  # of each photo
_MAX_TRAINING, _MAX_TEST = 20, 20  # photos per class of a folder
_TEST_SHARE = 1 / 3


def no_progress(finished: int, total: int, text: str) -> None:
    """Show no progress."""


@dataclass(frozen=True)
class DemoData:
    """Training and test photos, without common photos.

    Attributes:
        labels: names of the first classes.
        training: their training photos.
        test: their test photos.
        new: name of the class to add after the training; None if there are fewer than three
            classes.
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


def render_photos(seed: int = 0, show_progress: ShowProgress = no_progress) -> DemoData:
    """Render views of the photos in scikit-image and scikit-learn.

    Args:
        seed: seed of the views.
        show_progress: function that shows the progress.

    Raises:
        DataError: If these packages are not installed.
    """
    tables = [open_photo(table) for table in TABLES]
    training, test = list[Example](), list[Example]()
    steps = [
        (photo, part, views, examples)
        for photo in (*PHOTOS, NEW)
        for part, (views, examples) in enumerate(((_TRAINING_VIEWS, training), (_TEST_VIEWS, test)))
    ]
    finished, total = 0, len(steps) // 2 * (_TRAINING_VIEWS + _TEST_VIEWS)
    for photo, part, views, examples in steps:
        image = open_photo(photo)
        for index in range(views):
            rng = np.random.default_rng([seed, part, *photo.label.encode(), index])
            examples.append((render_view(image, tables, rng), photo.label))
        finished += views
        show_progress(finished, total, photo.label)
    return DemoData(
        labels=tuple(photo.label for photo in PHOTOS),
        training=tuple(training[:-_TRAINING_VIEWS]),
        test=tuple(test[:-_TEST_VIEWS]),
        new=NEW.label,
        new_sample=training[-_TRAINING_VIEWS][0],
        new_test=tuple(test[-_TEST_VIEWS:]),
        source=f"{len(PHOTOS) + 1} photos in scikit-image and scikit-learn, {_TRAINING_VIEWS} "
        f"training views and {_TEST_VIEWS} test views of each",
    )


def load_folder(
    folder: str | os.PathLike[str], seed: int = 0, show_progress: ShowProgress = no_progress
) -> DemoData:
    """Load the photos of a user; a third of each class is for the test.

    Of large classes a random part is used. If there are three or more classes, the last one is
    added later.

    Args:
        folder: folder with one subfolder of photos per class.
        seed: seed of the selection of test photos.
        show_progress: function that shows the progress.

    Raises:
        DataError: If there are fewer than two classes, or fewer than two readable photos of one.
        OSError: If the folder does not exist or cannot be read.
    """
    files = [(file.path, str(file.label)) for file in read_folder(folder).files]
    labels = tuple(dict.fromkeys(label for _, label in files))
    if len(labels) < 2:
        raise DataError(f"{folder} has one class, {labels[0]!r}: add a folder for a second class")
    selection = {
        label: _select([p for p, name in files if name == label], seed) for label in labels
    }
    total, skipped = sum(map(len, selection.values())), list[str]()

    def read() -> Iterator[tuple[str, list[PIL.Image.Image]]]:
        finished = 0
        for label, paths in selection.items():
            photos = []
            for path in paths:
                finished += 1
                show_progress(finished, total, label)
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
    return DemoData(
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


def _select(files: list[os.PathLike[str]] | Sequence[os.PathLike[str]], seed: int) -> list[str]:
    """Return some files of a class, in random order."""
    order = np.random.default_rng(seed).permutation(len(files))
    return [os.fspath(files[i]) for i in order[: _MAX_TRAINING + _MAX_TEST]]


def _split(label: str, photos: Sequence[PIL.Image.Image]) -> tuple[list[Example], list[Example]]:
    """Return the training and the test photos: at least one of each."""
    count = min(max(1, round(_TEST_SHARE * len(photos))), _MAX_TEST)
    examples = [(image, label) for image in photos]
    return examples[count:][:_MAX_TRAINING], examples[:count]
