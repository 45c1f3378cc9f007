"""Loss curves."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .chart import BLUE, GREY, PALE, Box, Chart, Line, Text

__all__ = ["loss_chart"]

_WIDTH, _HEIGHT = 420.0, 200.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 16.0, 24.0, 34.0


def loss_chart(losses: Sequence[float]) -> Chart:
    """Draw the loss of each epoch.

    Args:
        losses: loss of each epoch, finite, at least 0; may be empty.
    """
    upper, step = _axis(max(losses, default=0.0))
    plot = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    shapes: list[Box | Line | Text] = []
    for tick in range(round(upper / step) + 1):
        y = _TOP + plot[1] * (1 - tick * step / upper)
        shapes.append(Box(_LEFT, y - 0.5, plot[0], 1, PALE))
        shapes.append(Text(_LEFT - 6, y, f"{tick * step:.4g}", color=GREY, align="end"))
    for epoch in _epoch_ticks(len(losses)):
        x = _LEFT + plot[0] * _fraction(epoch - 1, len(losses))
        shapes.append(Text(x, _HEIGHT - _BOTTOM + 10, str(epoch), color=GREY, align="middle"))
    middle = _LEFT + plot[0] / 2
    shapes.append(Text(middle, _HEIGHT - 9, "epochs", color=GREY, align="middle"))
    shapes.append(Text(_LEFT, 10, "loss", 12, align="start"))
    points = tuple(
        (_LEFT + plot[0] * _fraction(i, len(losses)), _TOP + plot[1] * (1 - loss / upper))
        for i, loss in enumerate(losses)
    )
    if len(points) == 1:
        shapes.append(Box(points[0][0] - 2, points[0][1] - 2, 4, 4, BLUE))
    elif points:
        shapes.append(Line(points, BLUE, 2))
    if losses:
        text = f"{losses[0]:.3f} to {losses[-1]:.3f}" if len(losses) > 1 else f"{losses[0]:.3f}"
        shapes.append(Text(_WIDTH - _RIGHT, 10, text, 12, BLUE, "end"))
    return Chart(_WIDTH, _HEIGHT, tuple(shapes), f"Loss curve of {len(losses)} epochs")


def _axis(highest: float) -> tuple[float, float]:
    """Return the upper end of an axis from 0, and the distance between its ticks."""
    if highest <= 0:
        return 1.0, 0.5
    power = 10.0 ** math.floor(math.log10(highest / 4))
    step = next(power * each for each in (1, 2, 2.5, 5, 10) if power * each * 4 >= highest)
    return math.ceil(highest / step - 1e-9) * step, step


def _epoch_ticks(count: int) -> list[int]:
    """Return the epochs to label on the axis."""
    if not count:
        return []
    return sorted({1, count, *(round(count * part / 4) for part in (1, 2, 3))} - {0})


def _fraction(index: int, count: int) -> float:
    return index / max(1, count - 1)
