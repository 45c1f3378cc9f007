"""Print the possible cuts and the trainable layers of a model for `sartor inspect`."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from ._inspect_format import (
    format_number,
    format_sample,
    print_wrapped,
    wrap_name,
    wrap_text,
)
from .report import COLUMNS, percent, print_table

if TYPE_CHECKING:
    from ..inspection import CutInfo, ModelDescription

__all__ = ["print_cuts", "print_trainable"]

_LAYER, _REASON = 20, 20  # columns for the name of a layer, and why it is not trainable
_MAX_CUTS = 12
_HEADER = ("features", "bytes", "before")


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
    print_table(_HEADER, _cut_rows(cuts, everything), title="possible cuts")
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
        typer.echo(f"to cut earlier:\n  {command}")  # on one line, to be copied


def _print_inner(description: ModelDescription) -> None:
    """Print the other tensors that `--features` accepts."""
    cut_names = {cut.features[0] for cut in description.cuts if len(cut.features) == 1}
    inner = {name: tensor for name, tensor in description.tensors.items() if name not in cut_names}
    if inner:
        rows = [(wrap_name(name, 35), format_sample(tensor)) for name, tensor in inner.items()]
        print_table(("other tensors, inside branches", "per sample"), rows)


def _shorten(cuts: Sequence[CutInfo]) -> Sequence[CutInfo]:
    """Return the first cuts and the inputs."""
    return cuts if len(cuts) <= _MAX_CUTS else [*cuts[: _MAX_CUTS - 1], cuts[-1]]


def _cut_rows(cuts: Sequence[CutInfo], everything: bool) -> list[tuple[str, ...]]:
    """Format the rows. Names get the columns that the other values leave."""
    values = [(f"{cut.bytes_per_sample:,}", percent(cut.fraction_before)) for cut in cuts]
    widths = [max(map(len, column)) for column in zip(*values, _HEADER[1:], strict=True)]
    columns = COLUMNS - sum(widths) - len("┃ * ") - 3 * len(widths) - len(" ┃")
    return [
        (_format_features(cut, columns, everything), *row)
        for cut, row in zip(cuts, values, strict=True)
    ]


def _format_features(cut: CutInfo, columns: int, everything: bool) -> str:
    """Format the names of the features, each above its dtype and shape."""
    lines = [
        f"{wrap_name(name, columns)}\n  {format_sample(tensor)}"
        for name, tensor in zip(cut.features, cut.tensors, strict=True)
    ]
    if everything:
        trainable, total = map(format_number, (cut.trainable_after, cut.parameters_after))
        lines.append(f"  trainable: {trainable} of {total}")
    return ("* " if cut.is_default else "  ") + textwrap.indent("\n".join(lines), "  ")[2:]


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
                f"{wrap_name(layer.name, _LAYER)}\n  {layer.op}\n  {', '.join(layer.dtypes)}",
                f"{layer.parameters:,}",
                wrap_text(layer.reason, _REASON),
            )
            for layer in description.layers
        ]
        print_table(("layer", "parameters", "trainable"), rows)
    for stop in description.gradient_stops:
        print_wrapped(f"gradients stop here ({stop.support}): {stop.reason}")
