"""Check that the shapes that a file states fit each other.

Other kernels compute the shapes of their outputs. XNNPACK writes as many values as it computes to
a buffer of the size that the file states. The shapes in the file of a converter agree. Ops whose
row has no shape check, and tensors whose sizes may vary, are not checked.
"""

from __future__ import annotations

from ..errors import InvalidModelError
from ..graph import Model, Op, Tensor
from ..ops import find_row

__all__ = ["check_shapes"]

_ADVICE = "Use another copy of the file, or convert the base again."


def check_shapes(model: Model) -> None:
    """Check a model whose shapes were stated by a converter that knows them all.

    Raises:
        InvalidModelError: If an op returns another shape than the file states for its output.
    """
    for index, graph in enumerate(model.graphs):
        for op in graph.ops:
            error = _find_error(op)
            if error is not None:
                raise InvalidModelError(f"subgraph {index} {graph.name!r}, {op!r}: {error}")


def _find_error(op: Op) -> str | None:
    output_shape = find_row(op).output_shape
    if output_shape is None or not all(map(_is_fixed, (*op.inputs, *op.outputs))):
        return None
    try:
        expected = output_shape(op)
    except (ValueError, TypeError, LookupError, ArithmeticError) as error:
        return f"its inputs and options do not fit: {error}. {_ADVICE}"
    stated = op.outputs[0].shape
    if expected is None or expected == stated:
        return None
    return (
        f"the file states an output of shape {list(stated)}, expected {list(expected)}. {_ADVICE}"
    )


def _is_fixed(tensor: Tensor | None) -> bool:
    """Return True if the shape is certain; a tensor without axes may be one of unknown shape."""
    if tensor is None or tensor.data is not None:
        return True
    return tensor.rank > 0 and -1 not in (tensor.shape_signature or ())
