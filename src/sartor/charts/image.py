"""Charts as pixels."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont

from .._files import write_atomically
from .chart import Box, Chart, Line, Text

__all__ = ["font", "image", "text_width", "writable", "write_png"]

_FINER = 3  # Pillow draws hard edges: draw larger, and shrink
_WIDE = ("DejaVuSans.ttf", "NotoSansCJK-Regular.ttc", "Arial Unicode.ttf", "arial.ttf")

Font = PIL.ImageFont.FreeTypeFont | PIL.ImageFont.ImageFont


def image(chart: Chart, scale: int) -> PIL.Image.Image:
    """RGB, `scale` pixels to a unit."""
    factor = scale * _FINER
    size = (round(chart.width * factor), round(chart.height * factor))
    canvas = PIL.Image.new("RGB", size, "white")
    for shape in chart.shapes:
        _draw(canvas, shape, factor)
    return canvas.resize((size[0] // _FINER, size[1] // _FINER), PIL.Image.Resampling.BOX)


def font(text: str, size: int) -> Font:
    """A font for a text: Pillow's own; for more than ASCII one of the system's if it has one."""
    return _font(size, text.replace("…", "").isascii())


@lru_cache(maxsize=64)
def _font(size: int, plain: bool) -> Font:
    for name in () if plain else _WIDE:
        try:
            return PIL.ImageFont.truetype(name, size)
        except OSError:
            continue
    try:
        return PIL.ImageFont.load_default(size)
    except TypeError:  # Pillow before 10.1 has one size
        return PIL.ImageFont.load_default()


def text_width(text: str, size: int) -> int:
    """How many pixels a text is wide."""
    return round(font(text, size).getbbox(writable(text, size))[2])


def writable(text: str, size: int) -> str:
    """What its font can write: the oldest one knows Latin letters only."""
    if isinstance(font(text, size), PIL.ImageFont.FreeTypeFont):
        return text
    return text.encode("latin-1", "replace").decode("latin-1")


def write_png(picture: PIL.Image.Image, path: Path) -> Path:
    """Write a PNG file, whole or not at all; returns the path."""
    content = io.BytesIO()
    picture.save(content, "PNG")
    return write_atomically(path, content.getvalue())


def _draw(canvas: PIL.Image.Image, shape: Box | Line | Text, factor: int) -> None:
    draw = PIL.ImageDraw.Draw(canvas)
    if isinstance(shape, Box):
        right, bottom = shape.x + shape.width, shape.y + shape.height
        corners = [round(each * factor) for each in (shape.x, shape.y, right, bottom)]
        draw.rectangle((corners[0], corners[1], corners[2] - 1, corners[3] - 1), fill=shape.colour)
    elif isinstance(shape, Line):
        points = [(x * factor, y * factor) for x, y in shape.points]
        draw.line(points, fill=shape.colour, width=round(shape.width * factor), joint="curve")
    else:
        _write(canvas, shape, factor)


def _write(canvas: PIL.Image.Image, text: Text, factor: int) -> None:
    """Write on a mask of the text's own size, which can be turned."""
    size = round(text.size * factor)
    used, words = font(text.text, size), writable(text.text, size)
    mask = PIL.Image.new("L", (max(1, text_width(text.text, size)), round(1.6 * size)))
    height = used.getbbox("x")[3] + used.getbbox("X")[1]  # from the top of X to the base line
    PIL.ImageDraw.Draw(mask).text((0, (mask.height - height) / 2), words, fill=255, font=used)
    before = {"start": 0.0, "middle": 0.5, "end": 1.0}[text.align] * mask.width
    x, y = text.x * factor, text.y * factor
    if text.turned:
        mask = mask.rotate(90, expand=True)
        corner = (x - mask.width / 2, y - (mask.height - before))
    else:
        corner = (x - before, y - mask.height / 2)
    canvas.paste(text.colour, (round(corner[0]), round(corner[1])), mask)
