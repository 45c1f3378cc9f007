"""Photos in a terminal: half blocks, two pixels per character."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import PIL.Image
from rich.text import Text

from ..charts.chart import shorten
from .sheet import PhotoPrediction

__all__ = ["photo_rows", "spark"]

_SIDE, _GAP = 24, 2  # in characters; a photo has half as many rows
_BARS = "▁▂▃▄▅▆▇█"


def photo_rows(predictions: Sequence[PhotoPrediction], width: int) -> list[Text]:
    """Draw the photos that fit side by side, with their predicted classes below.

    Args:
        predictions: photos and predictions.
        width: width of the terminal in characters. If no photo fits, there are no rows.
    """
    visible = predictions[: (width + _GAP) // (_SIDE + _GAP)]
    pixels = [
        np.asarray(prediction.photo.resize((_SIDE, _SIDE), PIL.Image.Resampling.BOX))
        for prediction in visible
    ]
    rows = []
    for top in range(0, _SIDE, 2):
        row = Text()
        for photo in pixels:
            for upper, lower in zip(photo[top].tolist(), photo[top + 1].tolist(), strict=True):
                row.append("▀", f"{_color(upper)} on {_color(lower)}")
            row.append(" " * _GAP)
        rows.append(row)
    return [*rows, _captions(visible)] if visible else []


def spark(values: Sequence[float], width: int = 24) -> str:
    """Return a line of bars, the highest for the largest value."""
    if not len(values):
        return ""
    sampled = np.asarray(values, float)[np.linspace(0, len(values) - 1, width).astype(int)]
    highest = float(sampled.max()) or 1.0
    return "".join(_BARS[min(7, int(8 * value / highest))] for value in sampled.tolist())


def _captions(predictions: Sequence[PhotoPrediction]) -> Text:
    row = Text()
    for prediction in predictions:
        percent = f" {100 * prediction.probability:.0f} %"
        caption = shorten(prediction.predicted, _SIDE - len(percent)) + percent
        row.append(f"{caption:<{_SIDE + _GAP}}", "green" if prediction.correct else "red")
    return row


def _color(pixel: Sequence[int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*pixel)
