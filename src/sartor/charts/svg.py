"""Charts as SVG."""

from __future__ import annotations

import html

from .chart import Box, Chart, Line, Text

__all__ = ["svg"]

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


def svg(chart: Chart) -> str:
    """Return a self-contained `<svg>` element; texts are escaped."""
    size = f"{_number(chart.width)} {_number(chart.height)}"
    title = html.escape(_printable(chart.title))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" '
            f'width="{_number(chart.width)}" height="{_number(chart.height)}" role="img" '
            f'aria-label="{title}" font-family="{_FONT}" style="max-width: 100%">',
            '<rect width="100%" height="100%" fill="#fff"/>',
            *map(_element, chart.shapes),
            "</svg>",
        ]
    )


def _element(shape: Box | Line | Text) -> str:
    if isinstance(shape, Box):
        position = " ".join(
            f'{name}="{_number(getattr(shape, name))}"' for name in ("x", "y", "width", "height")
        )
        return f'<rect {position} fill="{shape.color}"/>'
    if isinstance(shape, Line):
        points = " ".join(f"{_number(x)},{_number(y)}" for x, y in shape.points)
        return (
            f'<polyline points="{points}" fill="none" stroke="{shape.color}" '
            f'stroke-width="{_number(shape.width)}" stroke-linejoin="round"/>'
        )
    x, y = _number(shape.x), _number(shape.y)
    rotation = f' transform="rotate(-90 {x} {y})"' if shape.vertical else ""
    return (
        f'<text x="{x}" y="{y}" dy="0.35em" font-size="{_number(shape.size)}" '
        f'fill="{shape.color}" text-anchor="{shape.align}"{rotation}>'
        f"{html.escape(_printable(shape.text))}</text>"
    )


def _printable(text: str) -> str:
    """Replace characters that XML does not allow."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
