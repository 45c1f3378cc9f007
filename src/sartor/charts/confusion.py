"""Confusion matrices."""

from __future__ import annotations

from collections.abc import Sequence

from .chart import BLUE, GREY, INK, RED, Box, Chart, Line, Text, shorten

__all__ = ["CONFUSION_CAPTION", "cell_color", "confusion_chart"]

CONFUSION_CAPTION = "Confusion matrix: rows are true classes, columns are predictions"

_MAX_LETTERS = 18
_LETTER_WIDTH = 6.2  # approximate, at size 11
_MATRIX_SIDE = 420.0
_MIN_CELL, _MAX_CELL = 5.0, 34.0
_MIN_CELL_NAME, _MIN_CELL_COUNT = 11.0, 20.0  # smallest cell with a name, and with a count


def confusion_chart(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> Chart:
    """Draw a confusion matrix.

    Args:
        labels: C class names.
        counts: [C][C]; `counts[i][j]` is the number of samples of class i predicted as class j.
    """
    cell = min(_MAX_CELL, max(_MIN_CELL, _MATRIX_SIDE / max(1, len(labels))))
    names = [shorten(label, _MAX_LETTERS) for label in labels] if cell >= _MIN_CELL_NAME else []
    margin = 12 + _LETTER_WIDTH * max(map(len, names), default=0)
    left = top = margin + 20
    center = cell * len(labels) / 2
    shapes: list[Box | Line | Text] = [
        Text(left + center, 10, "prediction", color=GREY, align="middle"),
        Text(10, top + center, "true class", color=GREY, align="middle", vertical=True),
    ]
    for index, name in enumerate(names):
        middle = (index + 0.5) * cell
        shapes.append(Text(left - 6, top + middle, name, align="end"))
        shapes.append(Text(left + middle, top - 6, name, align="start", vertical=True))
    for i, row in enumerate(counts):
        for j, count in enumerate(row):
            corner = (left + j * cell, top + i * cell)
            shapes += _cell(corner, cell, count, sum(row), correct=i == j)
    width = max(left + cell * len(labels), 120.0) + 12
    height = max(top + cell * len(labels), 80.0) + 12
    return Chart(width, height, tuple(shapes), f"{CONFUSION_CAPTION} ({len(labels)} classes)")


def cell_color(fraction: float, *, correct: bool) -> str:
    """Return the color of a cell: blue if correct, else red, mixed with white.

    Args:
        fraction: fraction of the samples of the row, 0…1; a larger one gives a stronger color.
        correct: whether the cell is on the diagonal.
    """
    if not fraction:
        return "#f6f7f9"
    color, opacity = BLUE if correct else RED, 0.12 + 0.88 * fraction
    mixed = [round(255 + (int(color[i : i + 2], 16) - 255) * opacity) for i in (1, 3, 5)]
    return "#" + "".join(f"{each:02x}" for each in mixed)


def _cell(
    corner: tuple[float, float], side: float, count: int, total: int, *, correct: bool
) -> list[Box | Text]:
    fraction = count / total if total else 0.0
    gap = 1 if side >= _MIN_CELL_NAME else 0
    box = Box(*corner, side - gap, side - gap, cell_color(fraction, correct=correct))
    if not count or side < _MIN_CELL_COUNT:
        return [box]
    middle = (side - gap) / 2
    color = "#ffffff" if fraction > 0.5 else INK
    return [box, Text(corner[0] + middle, corner[1] + middle, str(count), 11, color, "middle")]
