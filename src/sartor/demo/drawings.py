"""Drawings of hats and shoes, with which the documentation can be followed without photos."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageDraw

__all__ = ["write_sample_photos"]

_SIZE = (320, 240)
_SIDE = 200  # of a drawing
_PER_CLASS = 6
_Draw = Callable[[PIL.ImageDraw.ImageDraw, tuple[int, ...], tuple[int, ...]], None]


def write_sample_photos(folder: Path) -> list[Path]:
    """Write the photos that the documentation names.

    The folders `photos` and `more-photos` get a folder for each of the classes `hat` and `shoes`.
    Beside them are `hat1.jpg`, `hat2.jpg`, `shoe1.jpg` and `new.jpg`, which is a hat. A file that
    exists stays.

    Args:
        folder: folder of the photos; it is created if it does not exist.

    Returns:
        The paths of the files and folders directly in the folder.

    Raises:
        OSError: If a file cannot be written.
    """
    files = {"hat1": "hat", "hat2": "hat", "shoe1": "shoes", "new": "hat"}
    photos = [(f"{name}.jpg", label) for name, label in files.items()]
    for part in ("photos", "more-photos"):
        for label in _DRAWINGS:
            photos += [(f"{part}/{label}/{number:04}.jpg", label) for number in range(_PER_CLASS)]
    for number, (name, label) in enumerate(photos):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _photo(label, np.random.default_rng(number)).save(path, quality=90)
    return [folder / name for name in (*(f"{name}.jpg" for name in files), "photos", "more-photos")]


def _photo(label: str, rng: np.random.Generator) -> PIL.Image.Image:
    """Return a drawing of random colors, size and place, on a cluttered background."""
    scene = PIL.Image.new("RGB", _SIZE, _color(rng, 150, 255))
    draw = PIL.ImageDraw.Draw(scene)
    for _ in range(4):
        x, y = (int(rng.integers(size)) for size in _SIZE)
        draw.rectangle((x, y, x + 90, y + 60), fill=_color(rng, 130, 255))
    thing = PIL.Image.new("RGBA", (_SIDE, _SIDE))
    _DRAWINGS[label](PIL.ImageDraw.Draw(thing), _color(rng, 10, 200), _color(rng, 0, 120))
    if rng.random() < 0.5:
        thing = thing.transpose(PIL.Image.Transpose.FLIP_LEFT_RIGHT)
    side = int(_SIDE * rng.uniform(0.8, 1.1))
    thing = thing.resize((side, side)).rotate(rng.uniform(-15, 15), expand=True)
    place = [int((size - side) / 2 + rng.uniform(-25, 25)) for size in _SIZE]
    scene.paste(thing, (place[0], place[1]), thing)
    noise = rng.normal(0, 6, (*_SIZE[::-1], 3))
    return PIL.Image.fromarray(np.clip(np.asarray(scene) + noise, 0, 255).astype(np.uint8))


def _draw_hat(draw: PIL.ImageDraw.ImageDraw, color: tuple[int, ...], dark: tuple[int, ...]) -> None:
    draw.ellipse((5, 125, 195, 170), fill=color, outline=dark, width=3)
    draw.rounded_rectangle((55, 35, 145, 150), 28, fill=color, outline=dark, width=3)
    draw.rectangle((56, 120, 144, 142), fill=dark)


def _draw_shoe(
    draw: PIL.ImageDraw.ImageDraw, color: tuple[int, ...], dark: tuple[int, ...]
) -> None:
    outline = [(20, 60), (75, 60), (95, 95), (150, 110), (188, 130), (190, 150), (20, 150)]
    draw.polygon(outline, fill=color, outline=dark)
    draw.rectangle((16, 150, 194, 168), fill=dark)
    for x in (85, 100, 115):
        draw.line((x, 98, x + 18, 84), fill=(250, 250, 250), width=5)


def _color(rng: np.random.Generator, least: int, most: int) -> tuple[int, ...]:
    return tuple(rng.integers(least, most, 3).tolist())


_DRAWINGS: dict[str, _Draw] = {"hat": _draw_hat, "shoes": _draw_shoe}
