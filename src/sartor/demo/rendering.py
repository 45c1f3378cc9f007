"""Views of a photo, rendered as photographs of its print on a cluttered table.

Each view shows another part of the print, rotated, at another place and size, on another table,
in another light, under scraps of paper. Two views of a print have its content in common, and
hardly any pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import PIL.Image
import PIL.ImageDraw

__all__ = ["SIDE", "Image", "render_view"]

SIDE = 224
"""Height and width of a view."""

Image = PIL.Image.Image
_BILINEAR = PIL.Image.Resampling.BILINEAR
_BICUBIC = PIL.Image.Resampling.BICUBIC


def render_view(photo: Image, tables: Sequence[Image], rng: np.random.Generator) -> Image:
    """Render one view. It depends on the state of `rng` only.

    Args:
        photo: image in RGB.
        tables: images of tables, in RGB.
        rng: generator of the random numbers.

    Returns:
        RGB, `SIDE` x `SIDE`.
    """
    scene = _table(tables[int(rng.integers(len(tables)))], rng)
    _paste(scene, _part(photo, rng), rng)
    for _ in range(rng.integers(1, 5)):
        _draw_scrap(scene, rng)
    return _light(scene, rng)


def _table(table: Image, rng: np.random.Generator) -> Image:
    """Return a part of a table, in a random color."""
    part = table.crop(_box(table.size, rng.uniform(0.3, 0.9), rng))
    part = part.resize((SIDE, SIDE), _BILINEAR)
    tint = rng.uniform(0.4, 1.0, 3)
    return PIL.Image.fromarray((np.asarray(part, np.float32) * tint).astype(np.uint8))


def _part(photo: Image, rng: np.random.Generator) -> Image:
    """Return a part of the photo at its final size; half of them are mirrored."""
    part = photo.crop(_box(photo.size, rng.uniform(0.4, 0.9), rng))
    scale = SIDE * rng.uniform(0.45, 0.85) / max(part.size)
    size = (max(1, round(part.width * scale)), max(1, round(part.height * scale)))
    part = part.resize(size, _BICUBIC)
    return part.transpose(PIL.Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else part


def _paste(scene: Image, part: Image, rng: np.random.Generator) -> None:
    """Paste the part, rotated, near the center."""
    angle = rng.uniform(-45, 45)
    rotated = part.convert("RGBA").rotate(angle, _BICUBIC, expand=True)
    center = SIDE / 2 + rng.uniform(-0.12, 0.12, 2) * SIDE
    left, top = round(center[0] - rotated.width / 2), round(center[1] - rotated.height / 2)
    scene.paste(rotated, (left, top), rotated)


def _draw_scrap(scene: Image, rng: np.random.Generator) -> None:
    """Draw a triangle or quadrangle of one color at a random place."""
    middle, radius = rng.uniform(0, SIDE, 2), SIDE * rng.uniform(0.08, 0.2)
    angles = np.sort(rng.uniform(0, 2 * math.pi, rng.integers(3, 5)))
    corners = [
        (float(middle[0] + radius * math.cos(a)), float(middle[1] + radius * math.sin(a)))
        for a in angles
    ]
    PIL.ImageDraw.Draw(scene).polygon(corners, fill=tuple(rng.integers(0, 256, 3).tolist()))


def _light(scene: Image, rng: np.random.Generator) -> Image:
    """Return the scene in a light of random color, strength and direction, with noise."""
    pixels = np.asarray(scene, np.float32) / 255
    direction = rng.uniform(0, 2 * math.pi)
    ramp = np.linspace(-1, 1, SIDE, dtype=np.float32)
    gradient = ramp[:, None] * math.sin(direction) + ramp[None, :] * math.cos(direction)
    light = np.float32(1) * rng.uniform(0.4, 1.25) * (1 + rng.uniform(0, 0.4) * gradient)[..., None]
    pixels = (pixels * light * rng.uniform(0.75, 1.25, 3)) ** rng.uniform(0.7, 1.4)
    noise = rng.standard_normal(pixels.shape, np.float32)
    pixels += rng.uniform(0.01, 0.08) * noise
    return PIL.Image.fromarray((np.clip(pixels, 0, 1) * 255).astype(np.uint8))


def _box(
    size: tuple[int, int], share: float, rng: np.random.Generator
) -> tuple[int, int, int, int]:
    """Return a box at a random place, with a share of each side."""
    width, height = (max(1, round(share * each)) for each in size)
    left, top = int(rng.integers(size[0] - width + 1)), int(rng.integers(size[1] - height + 1))
    return left, top, left + width, top + height
