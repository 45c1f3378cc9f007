"""What a chart is: shapes in a rectangle, from the top left; later ones over earlier ones."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from .._files import write_atomically

if TYPE_CHECKING:
    import PIL.Image

__all__ = ["BLUE", "GREY", "INK", "PALE", "RED", "Align", "Box", "Chart", "Line", "Text", "short"]

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
    colour: str


@dataclass(frozen=True)
class Line:
    """A line through points."""

    points: tuple[tuple[float, float], ...]
    colour: str
    width: float = 1.0


@dataclass(frozen=True)
class Text:
    """One line of text.

    Attributes:
        x: where the text starts, or what `align` says.
        y: the middle of its height.
        text: what it says.
        size: of the letters.
        colour: of the letters.
        align: which part of the text stands at (x, y).
        turned: it runs upwards.
    """

    x: float
    y: float
    text: str
    size: float = 11
    colour: str = INK
    align: Align = "start"
    turned: bool = False


@dataclass(frozen=True)
class Chart:
    """A picture made of shapes.

    Attributes:
        width: in units of the shapes.
        height: likewise.
        shapes: what is on it.
        title: what it shows, in words, for those who cannot see it.
    """

    width: float
    height: float
    shapes: tuple[Box | Line | Text, ...]
    title: str

    def svg(self) -> str:
        """As an SVG element, for a page."""
        from .svg import svg

        return svg(self)

    def image(self, scale: int = 2) -> PIL.Image.Image:
        """As RGB pixels, `scale` to a unit."""
        from .image import image

        return image(self, scale)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write an SVG file where the name ends in .svg, else a PNG; returns the path.

        Raises:
            OSError: the folder is not there, not writable, or the disk is full.
        """
        if Path(path).suffix.lower() == ".svg":
            return write_atomically(Path(path), self.svg().encode())
        from .image import write_png

        return write_png(self.image(), Path(path))


def short(text: str, most: int) -> str:
    """A text in one line, cut off behind `most` letters."""
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 1]}…"
