"""Format text for `sartor inspect`, in lines of at most 60 columns."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from .report import COLUMNS

if TYPE_CHECKING:
    from ..inspection import TensorInfo

__all__ = [
    "format_number",
    "format_sample",
    "format_shape",
    "format_tensor",
    "print_wrapped",
    "wrap_name",
    "wrap_text",
]


def format_tensor(tensor: TensorInfo) -> str:
    """Format the dtype and shape of a tensor, and its quantization."""
    text = f"{tensor.dtype} {format_shape(tensor.shape)}"
    if tensor.scale is None:
        return text
    return f"{text} (scale {tensor.scale:.6g}, zero point {tensor.zero_point})"


def format_sample(tensor: TensorInfo) -> str:
    """Format the dtype and shape of a tensor, without the batch."""
    return f"{tensor.dtype} {format_shape(tensor.shape[1:])}"


def format_shape(shape: Sequence[int]) -> str:
    """Format a shape, such as `1×224×224×3`."""
    return "×".join(map(str, shape))


def format_number(number: int) -> str:
    """Format a number with at least three digits and a unit: `1.51 M`."""
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if number >= 10 * size or (number >= size and unit != "k"):
            scaled = number / size
            return f"{scaled:.{max(0, 2 - int(math.log10(scaled)))}f} {unit}"
    return f"{number:,}"


def wrap_text(text: str, columns: int) -> str:
    """Break a text into lines of at most `columns` characters."""
    return "\n".join(textwrap.wrap(text, columns, break_on_hyphens=False))


def wrap_name(name: str, columns: int) -> str:
    """Break the name of a tensor into lines, after slashes if possible."""
    lines = [""]
    for part in re.findall(r"[^/]*/|[^/]+$", name):
        if len(lines[-1] + part) > columns and lines[-1]:
            lines.append("")
        lines[-1] += part
    return "\n".join(wrap_text(line, columns) for line in lines)


def print_wrapped(text: str) -> None:
    """Print a text in lines of at most 60 columns."""
    typer.echo(textwrap.fill(text, COLUMNS, subsequent_indent="  ", break_on_hyphens=False))
