"""Charts: shapes in a rectangle. The origin is at the top left; later shapes cover earlier ones."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from .._files import write_atomically

if TYPE_CHECKING:
    import PIL.Image

__all__ = ["BLUE", "GREY", "INK", "PALE", "RED", "Align", "Box", "Chart", "Line", "Text", "shorten"]

INK, GREY, PALE = "#1f2937", "#6b7280", "#e5e7eb"
BLUE, RED = "#2563eb", "#c2410c"

Align: TypeAlias = Literal["start", "middle", "end"]


@dataclass(frozen=True)
class Box:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    color: str


@dataclass(frozen=True)
class Line:
    """A line through points."""

    points: tuple[tuple[float, float], ...]
    color: str
    width: float = 1.0


@dataclass(frozen=True)
class Text:
    """One line of text.

    Attributes:
        x: horizontal position of the anchor point.
        y: vertical middle of the text.
        text: characters to draw.
        size: font size. Default: 11.
        color: color of the letters. Default: `INK`.
        align: alignment of the text at the anchor point. Default: start.
        vertical: whether the text runs upwards. Default: False.
    """

    x: float
    y: float
    text: str
    size: float = 11
    color: str = INK
    align: Align = "start"
    vertical: bool = False


@dataclass(frozen=True)
class Chart:
    """A chart of shapes.

    Attributes:
        width: width, in the units of the shapes.
        height: height, in the same units.
        shapes: shapes, in drawing order.
        title: description for screen readers.
    """

    width: float
    height: float
    shapes: tuple[Box | Line | Text, ...]
    title: str

    def svg(self) -> str:
        """Return an `<svg>` element."""
        from .svg import svg

        return svg(self)

    def image(self, scale: int = 2) -> PIL.Image.Image:
        """Return an RGB image.

        Args:
            scale: pixels per unit. Default: 2.
        """
        from .image import image

        return image(self, scale)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write an SVG file if the name ends in `.svg`, else a PNG file; return the path.

        Raises:
            OSError: If the folder does not exist or is not writable, or the disk is full.
        """
        if Path(path).suffix.lower() == ".svg":
            return write_atomically(Path(path), self.svg().encode())
        from .image import write_png

        return write_png(self.image(), Path(path))


def shorten(text: str, limit: int) -> str:
    """Return a text in one line, with at most `limit` characters."""
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
