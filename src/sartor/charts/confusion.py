"""Who is taken for whom."""

from __future__ import annotations

from collections.abc import Sequence

from .chart import BLUE, GREY, INK, RED, Box, Chart, Line, Text, short

__all__ = ["confusion_chart", "shade"]

_MOST_LETTERS = 18
_LETTER = 6.2  # about the width of one, of size 11
_SIDE = 420.0
_SMALLEST, _LARGEST = 5.0, 34.0
_NAMED, _COUNTED = 11.0, 20.0  # a cell has to be as large to be named, and to hold a number


def confusion_chart(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> Chart:
    """A square for each pair of classes: what it is, and what it was taken for.

    Args:
        labels: the C classes.
        counts: [C][C]; `counts[i][j]` samples of class `i` were taken for class `j`.
    """
    cell = min(_LARGEST, max(_SMALLEST, _SIDE / max(1, len(labels))))
    names = [short(label, _MOST_LETTERS) for label in labels] if cell >= _NAMED else []
    margin = 12 + _LETTER * max(map(len, names), default=0)
    left = top = margin + 20
    shapes: list[Box | Line | Text] = [
        Text(left + cell * len(labels) / 2, 10, "taken for", colour=GREY, align="middle"),
        Text(10, top + cell * len(labels) / 2, "is", colour=GREY, align="middle", turned=True),
    ]
    for index, name in enumerate(names):
        middle = (index + 0.5) * cell
        shapes.append(Text(left - 6, top + middle, name, align="end"))
        shapes.append(Text(left + middle, top - 6, name, align="start", turned=True))
    for i, row in enumerate(counts):
        for j, count in enumerate(row):
            corner = (left + j * cell, top + i * cell)
            shapes += _cell(corner, cell, count, sum(row), right=i == j)
    width = max(left + cell * len(labels), 120.0) + 12
    height = max(top + cell * len(labels), 80.0) + 12
    return Chart(width, height, tuple(shapes), f"Confusion matrix of {len(labels)} classes")


def shade(part: float, *, right: bool) -> str:
    """The colour of a cell: the stronger the larger its part, 0…1, of the row is."""
    if not part:
        return "#f6f7f9"
    strong, part = BLUE if right else RED, 0.12 + 0.88 * part
    mixed = [round(255 + (int(strong[i : i + 2], 16) - 255) * part) for i in (1, 3, 5)]
    return "#" + "".join(f"{each:02x}" for each in mixed)


def _cell(
    corner: tuple[float, float], side: float, count: int, total: int, *, right: bool
) -> list[Box | Text]:
    part = count / total if total else 0.0
    gap = 1 if side >= _NAMED else 0
    box = Box(*corner, side - gap, side - gap, shade(part, right=right))
    if not count or side < _COUNTED:
        return [box]
    middle = (side - gap) / 2
    colour = "#ffffff" if part > 0.5 else INK
    return [box, Text(corner[0] + middle, corner[1] + middle, str(count), 11, colour, "middle")]
