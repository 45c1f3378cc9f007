"""Charts as images."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont
import PIL.PngImagePlugin

from .._files import write_atomically
from .chart import Box, Chart, Line, Text

__all__ = ["drawable", "font", "image", "text_width", "write_png"]

_OVERSAMPLING = 3  # Pillow draws hard edges: draw larger, and shrink
_UNICODE_FONTS = ("DejaVuSans.ttf", "NotoSansCJK-Regular.ttc", "Arial Unicode.ttf", "arial.ttf")

Font = PIL.ImageFont.FreeTypeFont | PIL.ImageFont.ImageFont


def image(chart: Chart, scale: int) -> PIL.Image.Image:
    """Draw a chart as an RGB image of `scale` pixels per unit."""
    factor = scale * _OVERSAMPLING
    size = (round(chart.width * factor), round(chart.height * factor))
    canvas = PIL.Image.new("RGB", size, "white")
    for shape in chart.shapes:
        _draw(canvas, shape, factor)
    return canvas.resize(
        (size[0] // _OVERSAMPLING, size[1] // _OVERSAMPLING), PIL.Image.Resampling.BOX
    )


def font(text: str, size: int) -> Font:
    """Return the font of Pillow for ASCII, else a Unicode font of the system if there is one."""
    return _font(size, text.replace("…", "").isascii())


@lru_cache(maxsize=64)
def _font(size: int, ascii_only: bool) -> Font:
    for name in () if ascii_only else _UNICODE_FONTS:
        try:
            return PIL.ImageFont.truetype(name, size)
        except OSError:
            continue
    try:
        return PIL.ImageFont.load_default(size)
    except TypeError:  # Pillow before 10.1 has one size
        return PIL.ImageFont.load_default()


def text_width(text: str, size: int) -> int:
    """Return the width of a text in pixels."""
    return round(font(text, size).getbbox(drawable(text, size))[2])


def drawable(text: str, size: int) -> str:
    """Replace characters that the font lacks: Pillow before 10.1 has Latin letters only."""
    if isinstance(font(text, size), PIL.ImageFont.FreeTypeFont):
        return text
    return text.encode("latin-1", "replace").decode("latin-1")


def write_png(pixels: PIL.Image.Image, path: Path) -> Path:
    """Write a PNG file atomically, and return the path. Its metadata tell it from a photo."""
    content, metadata = io.BytesIO(), PIL.PngImagePlugin.PngInfo()
    metadata.add_text("Software", "Sartor")
    pixels.save(content, "PNG", pnginfo=metadata)
    return write_atomically(path, content.getvalue())


def _draw(canvas: PIL.Image.Image, shape: Box | Line | Text, factor: int) -> None:
    draw = PIL.ImageDraw.Draw(canvas)
    if isinstance(shape, Box):
        right, bottom = shape.x + shape.width, shape.y + shape.height
        corners = [round(each * factor) for each in (shape.x, shape.y, right, bottom)]
        draw.rectangle((corners[0], corners[1], corners[2] - 1, corners[3] - 1), fill=shape.color)
    elif isinstance(shape, Line):
        points = [(x * factor, y * factor) for x, y in shape.points]
        draw.line(points, fill=shape.color, width=round(shape.width * factor), joint="curve")
    else:
        _draw_text(canvas, shape, factor)


def _draw_text(canvas: PIL.Image.Image, text: Text, factor: int) -> None:
    """Draw a text on a mask of its own size, which can be rotated."""
    size = round(text.size * factor)
    typeface, words = font(text.text, size), drawable(text.text, size)
    mask = PIL.Image.new("L", (max(1, text_width(text.text, size)), round(1.6 * size)))
    height = typeface.getbbox("x")[3] + typeface.getbbox("X")[1]  # top of X to base line
    PIL.ImageDraw.Draw(mask).text((0, (mask.height - height) / 2), words, fill=255, font=typeface)
    before = {"start": 0.0, "middle": 0.5, "end": 1.0}[text.align] * mask.width
    x, y = text.x * factor, text.y * factor
    if text.vertical:
        mask = mask.rotate(90, expand=True)
        corner = (x - mask.width / 2, y - (mask.height - before))
    else:
        corner = (x - before, y - mask.height / 2)
    canvas.paste(text.color, (round(corner[0]), round(corner[1])), mask)
