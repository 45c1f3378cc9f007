"""Print the description of a model for `sartor inspect`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ._inspect_cuts import print_cuts, print_trainable
from ._inspect_format import (
    format_number,
    format_shape,
    format_tensor,
    print_wrapped,
    wrap_name,
    wrap_text,
)
from ._inspect_training import print_training
from .report import print_table, shorten

if TYPE_CHECKING:
    from ..contract.manifest import Manifest
    from ..inspection import ModelDescription, OpInfo, TensorInfo

__all__ = ["print_model"]


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
    if description.training is not None:
        print_training(description.training)
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
        for side, tensors in (("inputs", description.inputs), ("outputs", description.outputs)):
            _print_tensors(side, (tensor.name for tensor in tensors), tensors)
    for signature in description.signatures:
        for side, named in (("inputs", signature.inputs), ("outputs", signature.outputs)):
            _print_tensors(f"signature {signature.key}, {side}", named, named.values())


def _print_tensors(title: str, names: Iterable[str], tensors: Iterable[TensorInfo]) -> None:
    texts = [f"{name} {format_tensor(each)}" for name, each in zip(names, tensors, strict=True)]
    print_wrapped(f"{title}: {shorten(texts) or 'none'}")


def _print_variables(description: ModelDescription) -> None:
    rows = [
        (
            f"{wrap_name(v.name, 30)}\n  {v.dtype or '–'} {format_shape(v.shape or ())}",
            wrap_text(", ".join(v.written_by), 23),
        )
        for v in description.variables
    ]
    if rows:
        print_table(("variable", "written by"), rows)


def _print_ops(description: ModelDescription, everything: bool) -> None:
    if not everything:
        print_wrapped(f"ops: {', '.join(map(_format_op, description.ops))}")
        return
    rows = [
        (
            op.op if op.kind == "builtin" else f"{op.op} ({op.kind})",
            op.count,
            "–" if op.multiply_adds is None else format_number(op.multiply_adds),
            op.gradient[0] if op.gradient else "–",
        )
        for op in description.ops
    ]
    print_table(("op", "uses", "multiply-\nadds", "gradient"), rows)


def _format_op(op: OpInfo) -> str:
    kind = "" if op.kind == "builtin" else f" {op.kind}"
    cost = f" ({format_number(op.multiply_adds)} multiply-adds)" if op.multiply_adds else ""
    return f"{op.count} {op.op}{kind}{cost}"
