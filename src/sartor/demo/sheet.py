"""A sheet of photos with their predicted classes: green if correct."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import PIL.Image
import PIL.ImageDraw

from ..charts.chart import shorten
from ..charts.image import drawable, font, text_width
from .data import Example

__all__ = ["PhotoPrediction", "contact_sheet", "first_of_each_class"]

GREEN, RED = "#15803d", "#b91c1c"

_SIDE, _GAP, _MARGIN, _BORDER = 112, 12, 20, 4
_TEXT, _SMALL = 14, 12
_ROW = _SIDE + 3 * _TEXT


@dataclass(frozen=True)
class PhotoPrediction:
    """A photo and its predicted class.

    Attributes:
        photo: image in RGB.
        label: true class.
        predicted: predicted class.
        probability: probability of the predicted class, 0…1.
    """

    photo: PIL.Image.Image
    label: str
    predicted: str
    probability: float

    @property
    def correct(self) -> bool:
        """Whether the prediction is correct."""
        return self.label == self.predicted


def first_of_each_class(examples: Sequence[Example], count: int, classes: int) -> list[Example]:
    """Return the first `count` photos of each of the first classes, the classes in turn."""
    labels = list(dict.fromkeys(label for _, label in examples))[:classes]
    columns = [[each for each in examples if each[1] == label][:count] for label in labels]
    return [column[i] for i in range(count) for column in columns if i < len(column)]


def contact_sheet(
    predictions: Sequence[PhotoPrediction], title: str, *, columns: int = 10
) -> PIL.Image.Image:
    """Draw photos row by row, in RGB.

    Args:
        predictions: one or more photos and predictions.
        title: title above the photos.
        columns: largest number of photos in a row.
    """
    columns = min(columns, len(predictions))
    rows = -(-len(predictions) // columns)
    width = 2 * _MARGIN + columns * (_SIDE + _GAP) - _GAP
    width = max(width, text_width(title, 16) + 2 * _MARGIN)
    top = _MARGIN + 34
    sheet = PIL.Image.new("RGB", (width, top + rows * _ROW + _MARGIN - _TEXT), "white")
    _write(sheet, (_MARGIN, _MARGIN), title, 16, "#1f2937")
    for index, prediction in enumerate(predictions):
        row, column = divmod(index, columns)
        _draw_photo(sheet, (_MARGIN + column * (_SIDE + _GAP), top + row * _ROW), prediction)
    return sheet


def _draw_photo(
    sheet: PIL.Image.Image, corner: tuple[int, int], prediction: PhotoPrediction
) -> None:
    """Draw one photo with a frame, and the text below it."""
    x, y = corner
    color = GREEN if prediction.correct else RED
    PIL.ImageDraw.Draw(sheet).rectangle((x, y, x + _SIDE - 1, y + _SIDE - 1), fill=color)
    side = _SIDE - 2 * _BORDER
    small = prediction.photo.resize((side, side), PIL.Image.Resampling.LANCZOS)
    sheet.paste(small, (x + _BORDER, y + _BORDER))
    percent = f"{100 * prediction.probability:.0f} %"
    caption = _fit_width(prediction.predicted, f" {percent}", _TEXT)
    _write(sheet, (x, y + _SIDE + 3), caption, _TEXT, color)
    if not prediction.correct:
        truth = _fit_width(f"true: {prediction.label}", "", _SMALL)
        _write(sheet, (x, y + _SIDE + 5 + _TEXT), truth, _SMALL, "#6b7280")


def _fit_width(text: str, end: str, size: int) -> str:
    """Shorten a text, so that it and its end have at most the width of a photo."""
    lengths = range(len(text), 0, -1)
    candidates = (shorten(text, length) + end for length in lengths)
    return next((each for each in candidates if text_width(each, size) <= _SIDE), end)


def _write(
    sheet: PIL.Image.Image, corner: tuple[int, int], text: str, size: int, color: str
) -> None:
    drawable_text = drawable(text, size)
    PIL.ImageDraw.Draw(sheet).text(corner, drawable_text, fill=color, font=font(text, size))
