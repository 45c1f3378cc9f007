"""What `sartor inspect` prints of a model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ._inspect_cuts import print_cuts, print_trainable
from ._inspect_words import say, shape_of, short, type_of, wrap, wrap_name
from .report import print_table

if TYPE_CHECKING:
    from ..contract.manifest import Manifest
    from ..inspection import ModelDescription, OpFacts, TensorFacts

__all__ = ["print_model"]

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
    print_cuts(name, found, everything)
    print_trainable(found, everything)


def _print_facts(found: ModelDescription) -> None:
    for title, value in (
        ("says of itself", found.description),
        ("metadata", ", ".join(found.metadata)),
        ("files", ", ".join(found.files)),
    ):
        if value:
            say(f"{title}: {value}")
    least = f" and those of {', '.join(found.uncounted)}" if found.uncounted else ""
    say(
        f"{found.quantization}; {found.parameters:,} parameters; "
        f"{short(found.multiply_adds)} multiply-adds{least}; "
        f"{short(found.activation_bytes)} bytes between ops"
    )


def _print_learner(manifest: Manifest) -> None:
    classes = [name for name in manifest.classes if name is not None]
    named = f": {', '.join(classes)}" if classes else ""
    say(f"learns {manifest.task}, {len(classes)} of {len(manifest.classes)} classes named{named}")
    say(
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
    lines = [f"{wrap_name(n, 24)} {type_of(t)}" for n, t in zip(names, tensors, strict=True)]
    more = len(lines) - _MOST_SHAPES - 1
    if more > 0:
        lines = [*lines[:_MOST_SHAPES], f"… {more + 1} more"]
    return "\n".join(lines)


def _print_variables(found: ModelDescription) -> None:
    rows = [
        (
            wrap_name(v.name, 30),
            v.dtype or "–",
            shape_of(v.shape or ()),
            wrap(", ".join(v.written_by), 34),
        )
        for v in found.variables
    ]
    if rows:
        print_table(("variable", "type", "shape", "written by"), rows)


def _print_ops(found: ModelDescription, everything: bool) -> None:
    if not everything:
        say(f"ops: {', '.join(map(_op, found.ops))}")
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
    cost = f" ({short(op.multiply_adds)} multiply-adds)" if op.multiply_adds else ""
    return f"{op.count} {op.op}{kind}{cost}"
