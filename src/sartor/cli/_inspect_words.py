"""Format text for `sartor inspect`, in lines of at most 100 columns."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from ..inspection import TensorInfo

__all__ = ["sample_of", "say", "shape_of", "short", "type_of", "wrap", "wrap_name"]

_COLUMNS = 100


def type_of(tensor: TensorInfo) -> str:
    """Format the dtype and shape of a tensor."""
    return f"{tensor.dtype} {shape_of(tensor.shape)}"


def sample_of(tensor: TensorInfo) -> str:
    """Format the dtype and shape of a tensor, without the batch."""
    return f"{tensor.dtype} {shape_of(tensor.shape[1:])}"


def shape_of(shape: Sequence[int]) -> str:
    """Format a shape, such as `1×224×224×3`."""
    return "×".join(map(str, shape))


def short(number: int) -> str:
    """Format a number with at least three digits and a unit: `1.51 M`."""
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if number >= 10 * size or (number >= size and unit != "k"):
            scaled = number / size
            return f"{scaled:.{max(0, 2 - int(math.log10(scaled)))}f} {unit}"
    return f"{number:,}"


def wrap(text: str, columns: int) -> str:
    """Break a text into lines of at most `columns` characters."""
    return "\n".join(textwrap.wrap(text, columns, break_on_hyphens=False))


def wrap_name(name: str, columns: int) -> str:
    """Break the name of a tensor into lines, after slashes if possible."""
    lines = [""]
    for part in re.findall(r"[^/]*/|[^/]+$", name):
        if len(lines[-1] + part) > columns and lines[-1]:
            lines.append("")
        lines[-1] += part
    return "\n".join(wrap(line, columns) for line in lines)


def say(text: str) -> None:
    """Print a text in lines of at most 100 columns."""
    typer.echo(textwrap.fill(text, _COLUMNS, subsequent_indent="  ", break_on_hyphens=False))
