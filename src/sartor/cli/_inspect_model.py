"""What `sartor inspect` prints of a model; no line is longer than 100 columns."""

from __future__ import annotations

import math
import re
import shlex
import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import typer

from .report import percent, print_table

if TYPE_CHECKING:
    from ..inspection import CutFacts, ModelDescription, OpFacts, TensorFacts
    from ..manifest import Manifest

__all__ = ["print_model"]

_COLUMNS = 100
_NAME = 30  # columns for a tensor's name
_MOST_CUTS = 12
_MOST_SHAPES = 3


def print_model(name: str, found: ModelDescription, everything: bool) -> None:
    """Print what is in a model.

    Args:
        name: of its file.
        found: what is in it.
        everything: also what does not fit a short overview.
    """
    _print_facts(found)
    if found.manifest is not None:
        _print_learner(found.manifest)
    _print_ends(found)
    if found.manifest is None or everything:
        _print_variables(found)
    _print_ops(found, everything)
    _print_cuts(name, found, everything)
    _print_trainable(found, everything)


def _print_facts(found: ModelDescription) -> None:
    for title, value in (
        ("says of itself", found.description),
        ("metadata", ", ".join(found.metadata)),
        ("files", ", ".join(found.files)),
    ):
        if value:
            _say(f"{title}: {value}")
    least = f" and those of {', '.join(found.uncounted)}" if found.uncounted else ""
    _say(
        f"{found.quantization}; {found.parameters:,} parameters; "
        f"{_short(found.multiply_adds)} multiply-adds{least}; "
        f"{_short(found.activation_bytes)} bytes between ops"
    )


def _print_learner(manifest: Manifest) -> None:
    classes = [name for name in manifest.classes if name is not None]
    named = f": {', '.join(classes)}" if classes else ""
    _say(f"learns {manifest.task}, {len(classes)} of {len(manifest.classes)} classes named{named}")
    _say(
        f"head {manifest.head.name}, loss {manifest.loss.name}, optimizer "
        f"{manifest.optimizer.name}, batch {manifest.batch}; made by {manifest.generator}"
    )


def _print_ends(found: ModelDescription) -> None:
    if not found.signatures:
        ends = ((t.name for t in found.inputs), (t.name for t in found.outputs))
        rows = [("none", *_sides(*ends, found.inputs, found.outputs))]
    else:
        rows = [
            (s.key, *_sides(s.inputs, s.outputs, s.inputs.values(), s.outputs.values()))
            for s in found.signatures
        ]
    print_table(("signature", "inputs", "outputs"), rows)


def _sides(
    inputs: Iterable[str],
    outputs: Iterable[str],
    taken: Iterable[TensorFacts],
    given: Iterable[TensorFacts],
) -> tuple[str, str]:
    return _side(inputs, taken), _side(outputs, given)


def _side(names: Iterable[str], tensors: Iterable[TensorFacts]) -> str:
    lines = [f"{_wrap_name(n, 24)} {_type(t)}" for n, t in zip(names, tensors, strict=True)]
    more = len(lines) - _MOST_SHAPES - 1
    if more > 0:
        lines = [*lines[:_MOST_SHAPES], f"… {more + 1} more"]
    return "\n".join(lines)


def _print_variables(found: ModelDescription) -> None:
    rows = [
        (
            _wrap_name(v.name, 30),
            v.dtype or "–",
            _shape(v.shape or ()),
            _wrap(", ".join(v.written_by), 34),
        )
        for v in found.variables
    ]
    if rows:
        print_table(("variable", "type", "shape", "written by"), rows)


def _print_ops(found: ModelDescription, everything: bool) -> None:
    if not everything:
        _say(f"ops: {', '.join(map(_op, found.ops))}")
        return
    rows = [
        (
            op.op,
            op.count,
            op.kind,
            "–" if op.multiply_adds is None else f"{op.multiply_adds:,}",
            op.gradient[0] if op.gradient else "–",
        )
        for op in found.ops
    ]
    print_table(("op", "uses", "kind", "multiply-adds", "gradient of its input"), rows)


def _op(op: OpFacts) -> str:
    kind = "" if op.kind == "builtin" else f" {op.kind}"
    cost = f" ({_short(op.multiply_adds)} multiply-adds)" if op.multiply_adds else ""
    return f"{op.count} {op.op}{kind}{cost}"


def _print_cuts(name: str, found: ModelDescription, everything: bool) -> None:
    if found.obstacle is not None:
        _say(f"no features can be cut: {found.obstacle}")
        return
    cuts = [cut for cut in found.cuts if everything or cut.is_useful]
    shown = cuts if everything else _thinned(cuts)
    print_table(
        ("features", "a sample", "bytes", "before", "could train"),
        [_cut_row(cut) for cut in shown],
        title="features can be cut at",
    )
    hidden = f". {len(found.cuts) - len(shown)} more: --all" if len(shown) < len(found.cuts) else ""
    where = "* the default" if any(cut.is_default for cut in found.cuts) else "no default"
    _say(f"{where}: {found.default}{hidden}")
    useful = [cut for cut in shown if cut.is_useful]
    default = next((index for index, cut in enumerate(useful) if cut.is_default), -1)
    for cut in useful[default + 1 : default + 2]:
        chosen = " ".join(f"--features {shlex.quote(each)}" for each in cut.features)
        _say(f"the next: sartor convert {shlex.quote(name)} -o OUT.tflite --classes N {chosen}")
    if everything:
        alone = {cut.features[0] for cut in found.cuts if len(cut.features) == 1}
        rows = [(_wrap_name(n, 60), _sample(t)) for n, t in found.tensors.items() if n not in alone]
        if rows:
            print_table(("also, within branches", "a sample"), rows)


def _thinned(cuts: Sequence[CutFacts]) -> Sequence[CutFacts]:
    """The first ones, and the inputs."""
    return cuts if len(cuts) <= _MOST_CUTS else [*cuts[: _MOST_CUTS - 1], cuts[-1]]


def _cut_row(cut: CutFacts) -> tuple[str, ...]:
    mark = "* " if cut.is_default else "  "
    names = [_wrap_name(each, _NAME) for each in cut.features]
    types = [
        _sample(tensor) + "\n" * name.count("\n")  # beside the first line of its name
        for name, tensor in zip(names, cut.tensors, strict=True)
    ]
    return (
        mark + textwrap.indent("\n".join(names), "  ")[2:],
        "\n".join(types),
        f"{cut.bytes:,}",
        percent(cut.share_before),
        f"{_short(cut.trainable_after)} of {_short(cut.parameters_after)}",
    )


def _print_trainable(found: ModelDescription, everything: bool) -> None:
    could = [layer for layer in found.layers if layer.trainable]
    total, part = (sum(layer.parameters for layer in each) for each in (found.layers, could))
    _say(
        f"a new head can be trained on any of these; of the base's own {len(found.layers)} layers "
        f"{len(could)} could be ({part:,} of {total:,} parameters)"
    )
    if everything:
        rows = [
            (
                f"{_wrap_name(layer.name, _NAME)}\n{layer.op}",
                f"{layer.parameters:,}",
                ", ".join(layer.dtypes),
                _wrap(layer.why, 24),
            )
            for layer in found.layers
        ]
        print_table(("layer", "parameters", "type", "could be trained"), rows)
    for stop in found.stops:
        _say(f"here gradients end, {stop.state}: {stop.why}")


def _type(tensor: TensorFacts) -> str:
    return f"{tensor.dtype} {_shape(tensor.shape)}"


def _sample(tensor: TensorFacts) -> str:
    """Without the batch."""
    return f"{tensor.dtype} {_shape(tensor.shape[1:])}"


def _shape(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))


def _short(number: int) -> str:
    """Three digits or more, and a unit where there are many."""
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if number >= 10 * size or (number >= size and unit != "k"):
            scaled = number / size
            return f"{scaled:.{max(0, 2 - int(math.log10(scaled)))}f} {unit}"
    return f"{number:,}"


def _wrap(text: str, columns: int) -> str:
    return "\n".join(textwrap.wrap(text, columns, break_on_hyphens=False))


def _wrap_name(name: str, columns: int) -> str:
    """The name of a tensor in lines, each of which ends with a slash if there is one."""
    lines = [""]
    for part in re.findall(r"[^/]*/|[^/]+$", name):
        if len(lines[-1] + part) > columns and lines[-1]:
            lines.append("")
        lines[-1] += part
    return "\n".join(_wrap(line, columns) for line in lines)


def _say(text: str) -> None:
    typer.echo(textwrap.fill(text, _COLUMNS, subsequent_indent="  ", break_on_hyphens=False))
