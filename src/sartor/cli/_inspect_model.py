"""Print the description of a model for `sartor inspect`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ._inspect_cuts import print_cuts, print_trainable
from ._inspect_format import (
    COLUMNS,
    format_number,
    format_shape,
    format_tensor,
    print_wrapped,
    wrap_name,
    wrap_text,
)
from .report import print_table, shorten

if TYPE_CHECKING:
    from ..contract.manifest import Manifest
    from ..inspection import ModelDescription, OpInfo, TensorInfo

__all__ = ["print_model"]

_MAX_TENSORS = 3


def print_model(name: str, description: ModelDescription, everything: bool) -> None:
    """Print a model.

    Args:
        name: path of the file.
        description: description of the model.
        everything: print all cuts, layers and tensors. Default: an overview.
    """
    _print_summary(description)
    if description.manifest is not None:
        _print_head(description.manifest)
    _print_signatures(description)
    if description.manifest is None or everything:
        _print_variables(description)
    _print_ops(description, everything)
    print_cuts(name, description, everything)
    print_trainable(description, everything)
    for part, reason in description.unreadable.items():
        print_wrapped(f"{part}: cannot be described: {reason}")


def _print_summary(description: ModelDescription) -> None:
    for title, value in (
        ("description", description.description),
        ("metadata", ", ".join(description.metadata)),
        ("files", ", ".join(description.files)),
        ("labels", shorten(description.labels)),
    ):
        if value:
            print_wrapped(f"{title}: {value}")
    uncounted = f" and those of {', '.join(description.uncounted)}" if description.uncounted else ""
    print_wrapped(
        f"{description.quantization}; {description.parameters:,} parameters; "
        f"{format_number(description.multiply_adds)} multiply-adds{uncounted}; "
        f"{format_number(description.activation_bytes)} bytes between ops"
    )


def _print_head(manifest: Manifest) -> None:
    classes = [name for name in manifest.classes if name is not None]
    names = f": {', '.join(classes)}" if classes else ""
    print_wrapped(
        f"task {manifest.task}, {len(classes)} of {len(manifest.classes)} classes named{names}"
    )
    print_wrapped(
        f"head {manifest.head.name}, loss {manifest.loss.name}, optimizer "
        f"{manifest.optimizer.name}, batch {manifest.batch_size}; made by {manifest.generator}"
    )


def _print_signatures(description: ModelDescription) -> None:
    if not description.signatures:
        names = ((t.name for t in description.inputs), (t.name for t in description.outputs))
        rows = [("none", *_sides(*names, description.inputs, description.outputs))]
    else:
        rows = [
            (s.key, *_sides(s.inputs, s.outputs, s.inputs.values(), s.outputs.values()))
            for s in description.signatures
        ]
    print_table(("signature", "inputs", "outputs"), rows, columns=COLUMNS)


def _sides(
    inputs: Iterable[str],
    outputs: Iterable[str],
    input_tensors: Iterable[TensorInfo],
    output_tensors: Iterable[TensorInfo],
) -> tuple[str, str]:
    return _format_side(inputs, input_tensors), _format_side(outputs, output_tensors)


def _format_side(names: Iterable[str], tensors: Iterable[TensorInfo]) -> str:
    lines = [f"{wrap_name(n, 24)} {format_tensor(t)}" for n, t in zip(names, tensors, strict=True)]
    more = len(lines) - _MAX_TENSORS - 1
    if more > 0:
        lines = [*lines[:_MAX_TENSORS], f"… {more + 1} more"]
    return "\n".join(lines)


def _print_variables(description: ModelDescription) -> None:
    rows = [
        (
            wrap_name(v.name, 30),
            v.dtype or "–",
            format_shape(v.shape or ()),
            wrap_text(", ".join(v.written_by), 34),
        )
        for v in description.variables
    ]
    if rows:
        print_table(("variable", "dtype", "shape", "written by"), rows, columns=COLUMNS)


def _print_ops(description: ModelDescription, everything: bool) -> None:
    if not everything:
        print_wrapped(f"ops: {', '.join(map(_format_op, description.ops))}")
        return
    rows = [
        (
            op.op,
            op.count,
            op.kind,
            "–" if op.multiply_adds is None else f"{op.multiply_adds:,}",
            op.gradient[0] if op.gradient else "–",
        )
        for op in description.ops
    ]
    print_table(("op", "uses", "kind", "multiply-adds", "gradient"), rows, columns=COLUMNS)


def _format_op(op: OpInfo) -> str:
    kind = "" if op.kind == "builtin" else f" {op.kind}"
    cost = f" ({format_number(op.multiply_adds)} multiply-adds)" if op.multiply_adds else ""
    return f"{op.count} {op.op}{kind}{cost}"
