"""Check that all ops that read or write a resource variable state the same size.

LiteRT copies as many bytes as the output of READ_VARIABLE states, without a check.
"""

from __future__ import annotations

from ..errors import InvalidModelError
from ..graph import DType, Model, Op, Tensor

__all__ = ["check_variables"]


def check_variables(model: Model) -> None:
    """Check each variable whose handle is in the same graph as its use.

    Raises:
        InvalidModelError: If two ops state different sizes of a variable.
    """
    sizes: dict[tuple[object, object], tuple[Tensor, str]] = {}
    for index, graph in enumerate(model.graphs):
        for op in graph.ops:
            value = _value(op)
            handle = op.input(0).producer if value is not None else None
            if value is None or handle is None or handle.code != "VAR_HANDLE":
                continue
            name = handle.options.get("sharedName")
            where = f"subgraph {index} {graph.name!r}"
            first, before = sizes.setdefault(
                (handle.options.get("container"), name), (value, where)
            )
            if (first.dtype, first.size) != (value.dtype, value.size):
                raise InvalidModelError(
                    f"{where}, {op!r} states {_describe(value)} for the variable {name!r}, and "
                    f"{before} states {_describe(first)}; expected one size. LiteRT would read "
                    "beyond its end: correct the program that wrote the model."
                )


def _value(op: Op) -> Tensor | None:
    """Return the tensor that an op reads from or writes to a variable, if its size is fixed."""
    if op.code == "READ_VARIABLE":
        value = op.output
    elif op.code == "ASSIGN_VARIABLE":
        value = op.input(1)
    else:
        return None
    # A tensor without axes is a scalar, or has an unknown shape.
    fixed = value.rank and -1 not in (value.shape_signature or ())
    return value if fixed and value.dtype is not DType.STRING else None


def _describe(tensor: Tensor) -> str:
    return f"{tensor.dtype.name} {list(tensor.shape)}"
