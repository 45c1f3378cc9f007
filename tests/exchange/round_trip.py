"""The stops in Python of a project on its way: python round_trip.py start|end FOLDER.

`start` writes photos and `python.sartor`, `end` opens `browser.sartor`; both print the predictions
and the samples. The test is `RoundTripTest` of android/sartor.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from sartor.runtime import PersonalModel

_PHOTOS = Path(__file__).parents[2].parent / "shared/data/clothing"
_CLASSES = ("hat", "dress", "pants")
_SAMPLES, _HELD_OUT, _MORE, _SIDE = 6, 2, 4, 256


def start(folder: Path) -> None:
    """Train on photos, and write the project."""
    _write_photos(folder)
    with PersonalModel(folder / "model.tflite", store=folder / "start.samples") as model:
        for label in _CLASSES:
            for number in range(_SAMPLES + _HELD_OUT):
                photo = folder / label / f"{number}.png"
                model.add_sample(
                    photo, label, held_out=number >= _SAMPLES, source=f"{label}/{photo.name}"
                )
        model.fit()
        model.export_project(folder / "python.sartor")
        _print_state(model, folder)


def end(folder: Path) -> None:
    """Open the project that came back."""
    with PersonalModel(folder / "model.tflite", store=folder / "end.samples") as model:
        notes = model.import_project(folder / "browser.sartor")
        assert notes == (), notes
        _print_state(model, folder)


def _print_state(model: PersonalModel, folder: Path) -> None:
    probes = [model.predict(path) for path in sorted((folder / "probe").iterdir())]
    samples = [[each.id, each.held_out, each.label, each.source] for each in model.samples]
    state = {
        "outputs": [{each.label: each.probability for each in probe} for probe in probes],
        "in_distribution": [probe.in_distribution for probe in probes],
        "samples": samples,
        "accuracy": model.evaluate().accuracy,
    }
    print(json.dumps(state))


def _write_photos(folder: Path) -> None:
    """Write PNG files, so that all decoders return the same pixels."""
    for index, label in enumerate(_CLASSES):
        for number in range(_SAMPLES + _HELD_OUT):
            _save(_photo(label, index, number), folder / label / f"{number}.png")
        _save(_photo(label, index, _SAMPLES + _HELD_OUT), folder / f"probe/{index}.png")
    for number in range(_MORE):
        _save(_photo("shoes", len(_CLASSES), number), folder / f"more/{number}.png")
    _save(_photo("shoes", len(_CLASSES), _MORE), folder / f"probe/{len(_CLASSES)}.png")


def _save(photo: Image.Image, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    photo.save(path)


def _photo(label: str, index: int, number: int) -> Image.Image:
    """Return a photo of clothing; without ../shared, noise of a color for each class."""
    if _PHOTOS.is_dir():
        path = sorted((_PHOTOS / "train" / label).iterdir())[number]
        with Image.open(path) as image:
            photo: Image.Image = image.convert("RGB")
            photo.thumbnail((_SIDE, _SIDE))
            return photo
    noise = np.random.default_rng([index, number]).integers(0, 80, (_SIDE, 200, 3))
    color = np.eye(4, 3)[index] * 150
    return Image.fromarray((noise + color).astype(np.uint8))


if __name__ == "__main__":
    _, stop, path = sys.argv
    {"start": start, "end": end}[stop](Path(path))
