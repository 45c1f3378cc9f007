"""Photos in a terminal: half blocks, two pixels per character."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import PIL.Image
from rich.text import Text

from ..charts.chart import shorten
from .sheet import Answer

__all__ = ["photo_rows", "spark"]

_SIDE, _GAP = 24, 2  # in characters; a photo is half as high
_BARS = "▁▂▃▄▅▆▇█"


def photo_rows(answers: Sequence[Answer], width: int) -> list[Text]:
    """Draw the photos that fit side by side, with their predicted classes below.

    Args:
        answers: photos and predictions.
        width: width of the terminal in characters. If no photo fits, there are no rows.
    """
    shown = answers[: (width + _GAP) // (_SIDE + _GAP)]
    pixels = [
        np.asarray(answer.photo.resize((_SIDE, _SIDE), PIL.Image.Resampling.BOX))
        for answer in shown
    ]
    rows = []
    for top in range(0, _SIDE, 2):
        row = Text()
        for each in pixels:
            for upper, lower in zip(each[top].tolist(), each[top + 1].tolist(), strict=True):
                row.append("▀", f"{_colour(upper)} on {_colour(lower)}")
            row.append(" " * _GAP)
        rows.append(row)
    return [*rows, _captions(shown)] if shown else []


def spark(values: Sequence[float], width: int = 24) -> str:
    """Return a line of bars, the highest for the largest value."""
    if not len(values):
        return ""
    picked = np.asarray(values, float)[np.linspace(0, len(values) - 1, width).astype(int)]
    highest = float(picked.max()) or 1.0
    return "".join(_BARS[min(7, int(8 * value / highest))] for value in picked.tolist())


def _captions(answers: Sequence[Answer]) -> Text:
    row = Text()
    for answer in answers:
        percent = f" {100 * answer.probability:.0f} %"
        words = shorten(answer.predicted, _SIDE - len(percent)) + percent
        row.append(f"{words:<{_SIDE + _GAP}}", "green" if answer.correct else "red")
    return row


def _colour(pixel: Sequence[int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*pixel)
