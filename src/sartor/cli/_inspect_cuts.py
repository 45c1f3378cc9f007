"""What `sartor inspect` prints of the places to cut a model at, and of what could be trained."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ._inspect_words import sample_of, say, short, wrap, wrap_name
from .report import percent, print_table

if TYPE_CHECKING:
    from ..inspection import CutFacts, ModelDescription

__all__ = ["print_cuts", "print_trainable"]

_COLUMNS = 100
_NAME = 30  # columns for the name of a layer
_MOST_CUTS = 12
_HEAD = ("features", "a sample", "bytes", "before", "could train")


def print_cuts(name: str, found: ModelDescription, everything: bool) -> None:
    """Print where features can be cut; `name` is that of the file."""
    if found.obstacle is not None:
        say(f"no features can be cut: {found.obstacle}")
        return
    useful = [cut for cut in found.cuts if cut.is_useful]
    shown = found.cuts if everything else _thinned(useful)
    print_table(_HEAD, _cut_rows(shown), title="features can be cut at")
    more = len(found.cuts) - len(shown)
    where = "* the default" if any(cut.is_default for cut in found.cuts) else "no default"
    say(f"{where}: {found.default}" + (f". {more} more: --all" if more else ""))
    _print_next(name, useful)
    if everything:
        _print_inner(found)


def _print_next(name: str, useful: Sequence[CutFacts]) -> None:
    """How to cut elsewhere, by the example of the cut before the default."""
    default = next((index for index, cut in enumerate(useful) if cut.is_default), -1)
    for cut in useful[default + 1 : default + 2]:
        chosen = " ".join(f"--features {shlex.quote(each)}" for each in cut.features)
        say(f"the next: sartor convert {shlex.quote(name)} -o OUT.tflite --classes N {chosen}")


def _print_inner(found: ModelDescription) -> None:
    """The tensors that are no cut by themselves, and that `--features` takes nevertheless."""
    alone = {cut.features[0] for cut in found.cuts if len(cut.features) == 1}
    inner = {name: tensor for name, tensor in found.tensors.items() if name not in alone}
    if inner:
        rows = [(wrap_name(name, 60), sample_of(tensor)) for name, tensor in inner.items()]
        print_table(("also, within branches", "a sample"), rows)


def _thinned(cuts: Sequence[CutFacts]) -> Sequence[CutFacts]:
    """The first ones, and the inputs."""
    return cuts if len(cuts) <= _MOST_CUTS else [*cuts[: _MOST_CUTS - 1], cuts[-1]]


def _cut_rows(cuts: Sequence[CutFacts]) -> list[tuple[str, ...]]:
    """The names get the columns that the rest leaves."""
    facts = [_cut_facts(cut) for cut in cuts]
    widths = [max(map(len, column)) for column in zip(*facts, _HEAD[1:], strict=True)]
    room = _COLUMNS - sum(widths) - len("┃ * ") - 3 * len(widths) - len(" ┃")
    return [_cut_row(cut, row, room) for cut, row in zip(cuts, facts, strict=True)]


def _cut_facts(cut: CutFacts) -> tuple[str, ...]:
    return (
        max(map(sample_of, cut.tensors), key=len),
        f"{cut.bytes:,}",
        percent(cut.share_before),
        f"{short(cut.trainable_after)} of {short(cut.parameters_after)}",
    )


def _cut_row(cut: CutFacts, facts: tuple[str, ...], room: int) -> tuple[str, ...]:
    mark = "* " if cut.is_default else "  "
    names = [wrap_name(each, room) for each in cut.features]
    types = [
        sample_of(tensor) + "\n" * name.count("\n")  # beside the first line of its name
        for name, tensor in zip(names, cut.tensors, strict=True)
    ]
    return (mark + textwrap.indent("\n".join(names), "  ")[2:], "\n".join(types), *facts[1:])


def print_trainable(found: ModelDescription, everything: bool) -> None:
    """Print what could be trained, and where gradients end."""
    could = [layer for layer in found.layers if layer.trainable]
    total, part = (sum(layer.parameters for layer in each) for each in (found.layers, could))
    say(
        f"a new head can be trained on any of these; of the base's own {len(found.layers)} layers "
        f"{len(could)} could be ({part:,} of {total:,} parameters)"
    )
    if everything:
        rows = [
            (
                f"{wrap_name(layer.name, _NAME)}\n{layer.op}",
                f"{layer.parameters:,}",
                ", ".join(layer.dtypes),
                wrap(layer.why, 24),
            )
            for layer in found.layers
        ]
        print_table(("layer", "parameters", "type", "could be trained"), rows)
    for stop in found.stops:
        say(f"gradients end here ({stop.state}): {stop.why}")
