"""Print the possible cuts and the trainable layers of a model for `sartor inspect`."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ._inspect_format import (
    COLUMNS,
    format_number,
    format_sample,
    print_wrapped,
    wrap_name,
    wrap_text,
)
from .report import percent, print_table

if TYPE_CHECKING:
    from ..inspection import CutInfo, ModelDescription

__all__ = ["print_cuts", "print_trainable"]

_NAME = 30  # columns for the name of a layer
_MAX_CUTS = 12
_HEADER = ("features", "per sample", "bytes", "before", "trainable")


def print_cuts(name: str, description: ModelDescription, everything: bool) -> None:
    """Print the possible cuts.

    Args:
        name: path of the file.
        description: description of the model.
        everything: print all cuts. Default: the useful ones.
    """
    if description.conversion_error is not None:
        print_wrapped(f"no cut is possible: {description.conversion_error}")
        return
    useful = [cut for cut in description.cuts if cut.is_useful]
    cuts = description.cuts if everything else _shorten(useful)
    print_table(_HEADER, _cut_rows(cuts), title="possible cuts", columns=COLUMNS)
    more = len(description.cuts) - len(cuts)
    default = "* default" if any(cut.is_default for cut in description.cuts) else "no default"
    print_wrapped(f"{default}: {description.default_reason}")
    if more:
        print_wrapped(f"{more} more cuts: use --all")
    _print_earlier_cut(name, useful)
    if everything:
        _print_inner(description)


def _print_earlier_cut(name: str, useful: Sequence[CutInfo]) -> None:
    """Print the command for the useful cut before the default."""
    default = next((index for index, cut in enumerate(useful) if cut.is_default), -1)
    for cut in useful[default + 1 : default + 2]:
        options = " ".join(f"--features {shlex.quote(each)}" for each in cut.features)
        command = f"sartor convert {shlex.quote(name)} -o OUT.tflite --classes N {options}"
        print_wrapped(f"to cut earlier: {command}")


def _print_inner(description: ModelDescription) -> None:
    """Print the other tensors that `--features` accepts."""
    cut_names = {cut.features[0] for cut in description.cuts if len(cut.features) == 1}
    inner = {name: tensor for name, tensor in description.tensors.items() if name not in cut_names}
    if inner:
        rows = [(wrap_name(name, 60), format_sample(tensor)) for name, tensor in inner.items()]
        print_table(("other tensors, inside branches", "per sample"), rows, columns=COLUMNS)


def _shorten(cuts: Sequence[CutInfo]) -> Sequence[CutInfo]:
    """Return the first cuts and the inputs."""
    return cuts if len(cuts) <= _MAX_CUTS else [*cuts[: _MAX_CUTS - 1], cuts[-1]]


def _cut_rows(cuts: Sequence[CutInfo]) -> list[tuple[str, ...]]:
    """Format the rows. Names get the columns that the other values leave."""
    values = [_cut_values(cut) for cut in cuts]
    widths = [max(map(len, column)) for column in zip(*values, _HEADER[1:], strict=True)]
    columns = COLUMNS - sum(widths) - len("┃ * ") - 3 * len(widths) - len(" ┃")
    return [_cut_row(cut, row, columns) for cut, row in zip(cuts, values, strict=True)]


def _cut_values(cut: CutInfo) -> tuple[str, ...]:
    return (
        max(map(format_sample, cut.tensors), key=len),
        f"{cut.bytes_per_sample:,}",
        percent(cut.fraction_before),
        f"{format_number(cut.trainable_after)} of {format_number(cut.parameters_after)}",
    )


def _cut_row(cut: CutInfo, values: tuple[str, ...], columns: int) -> tuple[str, ...]:
    mark = "* " if cut.is_default else "  "
    names = [wrap_name(each, columns) for each in cut.features]
    types = [
        format_sample(tensor) + "\n" * name.count("\n")  # beside the first line of its name
        for name, tensor in zip(names, cut.tensors, strict=True)
    ]
    return (mark + textwrap.indent("\n".join(names), "  ")[2:], "\n".join(types), *values[1:])


def print_trainable(description: ModelDescription, everything: bool) -> None:
    """Print the trainable layers and the ops that gradients do not pass."""
    trainable = [layer for layer in description.layers if layer.trainable]
    total, part = (
        sum(layer.parameters for layer in layers) for layers in (description.layers, trainable)
    )
    print_wrapped(
        "a new head can be trained on any of these features; gradients reach "
        f"{len(trainable)} of the base's {len(description.layers)} layers "
        f"({part:,} of {total:,} parameters)"
    )
    if everything:
        rows = [
            (
                f"{wrap_name(layer.name, _NAME)}\n{layer.op}",
                f"{layer.parameters:,}",
                ", ".join(layer.dtypes),
                wrap_text(layer.reason, 24),
            )
            for layer in description.layers
        ]
        print_table(("layer", "parameters", "dtype", "trainable"), rows, columns=COLUMNS)
    for stop in description.gradient_stops:
        print_wrapped(f"gradients stop here ({stop.support}): {stop.reason}")
