"""Resource variables: whether all that write and read one agree on its size.

LiteRT gives a reader the bytes that its output declares, and does not look how many there are.
"""

from __future__ import annotations

from ..errors import InvalidModelError
from ..graph import DType, Model, Op, Tensor

__all__ = ["check_variables"]


def check_variables(model: Model) -> None:
    """Check each variable of a model whose handle is made where it is used.

    Raises:
        InvalidModelError: two ops take a variable to be of different sizes.
    """
    sizes: dict[tuple[object, object], tuple[Tensor, str]] = {}
    for index, graph in enumerate(model.graphs):
        for op in graph.ops:
            value = _value(op)
            maker = op.input(0).producer if value is not None else None
            if value is None or maker is None or maker.code != "VAR_HANDLE":
                continue
            name = maker.options.get("sharedName")
            where = f"subgraph {index} {graph.name!r}"
            first, before = sizes.setdefault((maker.options.get("container"), name), (value, where))
            if (first.dtype, first.size) != (value.dtype, value.size):
                raise InvalidModelError(
                    f"{where}, {op!r} takes the variable {name!r} to be {_text(value)}, and "
                    f"{before} to be {_text(first)}; expected one size. Correct what made the "
                    "model: LiteRT would read beyond its end."
                )


def _value(op: Op) -> Tensor | None:
    """What an op writes to a variable or reads from it, where its size is fixed."""
    if op.code == "READ_VARIABLE":
        value = op.output
    elif op.code == "ASSIGN_VARIABLE":
        value = op.input(1)
    else:
        return None
    # Without axes, a tensor may be a scalar, or one of which nothing is known.
    fixed = value.rank and -1 not in (value.shape_signature or ())
    return value if fixed and value.dtype is not DType.STRING else None


def _text(tensor: Tensor) -> str:
    return f"{tensor.dtype.name} {list(tensor.shape)}"
