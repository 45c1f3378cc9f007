"""Whether the shapes in a model go together: XNNPACK takes them as they are stated.

Other kernels find their shapes anew; XNNPACK writes as much as it has computed to where there is
room for what was stated. In a model that a converter has made they agree. Ops that are not in the
table, and tensors whose sizes may vary, are not looked at.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..errors import InvalidModelError
from ..graph import DType, Model, Op, Tensor

__all__ = ["check_shapes"]

Shape = tuple[int, ...]
_SAME = 0  # the padding of that name
_CORRECT = "Take another copy of the file, or convert the base again."


def check_shapes(model: Model) -> None:
    """Check a model whose tensors were stated by a converter that knows them all.

    Raises:
        InvalidModelError: an op makes another shape than its output is said to have.
    """
    for index, graph in enumerate(model.graphs):
        for op in graph.ops:
            rule = _RULES.get(op.code)
            if rule is None or not all(map(_is_fixed, (*op.inputs, *op.outputs))):
                continue
            try:
                expected = rule(op)
            except (ValueError, TypeError, LookupError, ArithmeticError) as error:
                raise InvalidModelError(
                    f"subgraph {index} {graph.name!r}, {op!r}: its inputs and options do not go "
                    f"together: "
                    f"{error}. {_CORRECT}"
                ) from error
            if expected is not None and expected != op.outputs[0].shape:
                raise InvalidModelError(
                    f"subgraph {index} {graph.name!r}, {op!r} makes {list(expected)}, but its "
                    f"output is said to have {list(op.outputs[0].shape)}. {_CORRECT}"
                )


def _is_fixed(tensor: Tensor | None) -> bool:
    """Whether the shape is known; without axes it may be one of which nothing is."""
    if tensor is None or tensor.data is not None:
        return True
    return tensor.rank > 0 and -1 not in (tensor.shape_signature or ())


def _shapes(op: Op) -> list[Shape]:
    return [tensor.shape for tensor in op.inputs if tensor is not None]


def _ints(tensor: Tensor | None) -> list[int] | None:
    """The numbers of a constant; None when it is none."""
    if tensor is None or tensor.data is None:
        return None
    if tensor.dtype is not DType.INT32:
        raise ValueError(f"got {tensor.dtype.name} for axes, expected INT32")
    return [int(each) for each in tensor.value.ravel()]


def _same(op: Op) -> Shape:
    return op.input(0).shape


def _broadcast(op: Op) -> Shape:
    return np.broadcast_shapes(*_shapes(op))


def _reduce(op: Op) -> Shape | None:
    axes, shape = _ints(op.inputs[1]), op.input(0).shape
    if axes is None:
        return None
    if any(not -len(shape) <= axis < len(shape) for axis in axes):
        raise ValueError(f"axes {axes} of {len(shape)}")
    gone = {axis % len(shape) for axis in axes}
    if op.options["keepDims"]:
        return tuple(1 if axis in gone else size for axis, size in enumerate(shape))
    return tuple(size for axis, size in enumerate(shape) if axis not in gone)


def _reshape(op: Op) -> Shape:
    if op.input(0).size != op.outputs[0].size:
        raise ValueError(f"{op.input(0).size} elements cannot be {list(op.outputs[0].shape)}")
    wanted = _ints(op.inputs[1]) if len(op.inputs) > 1 else None
    if wanted is None or len(wanted) != op.outputs[0].rank:  # an old one, or made at run time
        return op.outputs[0].shape
    return tuple(
        there if size == -1 else size
        for size, there in zip(wanted, op.outputs[0].shape, strict=True)
    )


def _transpose(op: Op) -> Shape | None:
    order, shape = _ints(op.inputs[1]), op.input(0).shape
    if order is None:
        return None
    if sorted(order) != list(range(len(shape))):
        raise ValueError(f"{order} is no order of {len(shape)} axes")
    return tuple(shape[axis] for axis in order)


def _fully_connected(op: Op) -> Shape | None:
    units, depth = op.input(1).shape
    rows, rest = divmod(op.input(0).size, depth)
    if rest:
        raise ValueError(f"{op.input(0).size} numbers are no rows of {depth}")
    _check_bias(op, units)
    if op.outputs[0].size != rows * units:
        raise ValueError(f"{rows} rows of {units} are not {list(op.outputs[0].shape)}")
    return None


def _batch_matmul(op: Op) -> Shape:
    x, y = op.input(0).shape, op.input(1).shape
    rows, depth = (x[-1], x[-2]) if op.options["adjX"] else (x[-2], x[-1])
    other, columns = (y[-1], y[-2]) if op.options["adjY"] else (y[-2], y[-1])
    if depth != other:
        raise ValueError(f"{list(x)} and {list(y)} share no axis")
    return (*np.broadcast_shapes(x[:-2], y[:-2]), rows, columns)


def _convolution(op: Op) -> Shape:
    channels, height, width, depth = op.input(1).shape
    if op.input(0).shape[3] % depth:
        raise ValueError(f"{op.input(0).shape[3]} channels are no groups of {depth}")
    _check_bias(op, channels)
    return _spatial(op, (height, width), channels)


def _depthwise(op: Op) -> Shape:
    one, height, width, channels = op.input(1).shape
    if one != 1 or channels != op.input(0).shape[3] * op.options["depthMultiplier"]:
        raise ValueError(f"a filter {list(op.input(1).shape)} for {list(op.input(0).shape)}")
    _check_bias(op, channels)
    return _spatial(op, (height, width), channels)


def _pool(op: Op) -> Shape:
    size = op.options["filterHeight"], op.options["filterWidth"]
    return _spatial(op, size, op.input(0).shape[3])


def _spatial(op: Op, filters: tuple[int, int], channels: int) -> Shape:
    batch, *sizes, _ = op.input(0).shape
    found = []
    for name, size, window in zip("HW", sizes, filters, strict=True):
        stride = op.options[f"stride{name}"]
        dilation = op.options.get(f"dilation{name}Factor", 1)
        reach = (window - 1) * dilation + 1
        if min(stride, dilation, window) < 1:
            raise ValueError(f"stride {stride}, dilation {dilation}, window {window}")
        end = size if op.options["padding"] == _SAME else size - reach + 1
        found.append(-(-end // stride))
    return batch, found[0], found[1], channels


def _check_bias(op: Op, channels: int) -> None:
    bias = op.inputs[2] if len(op.inputs) > 2 else None
    if bias is not None and bias.size != channels:
        raise ValueError(f"a bias of {bias.size} for {channels} channels")


_FAMILIES: tuple[tuple[Callable[[Op], Shape | None], str], ...] = (
    (_same, "ABS CEIL COS ELU EXP FLOOR GELU HARD_SWISH L2_NORMALIZATION LEAKY_RELU LOG LOGICAL_NOT"
            " LOGISTIC LOG_SOFTMAX NEG QUANTIZE DEQUANTIZE CAST RELU RELU6 RELU_N1_TO_1 RELU_0_TO_1"
            " ROUND RSQRT SIGN SIN SOFTMAX SQRT SQUARE TANH ZEROS_LIKE"),
    (_broadcast, "ADD SUB MUL DIV MAXIMUM MINIMUM POW SQUARED_DIFFERENCE FLOOR_DIV FLOOR_MOD"
                 " GREATER GREATER_EQUAL LESS LESS_EQUAL EQUAL NOT_EQUAL LOGICAL_AND LOGICAL_OR"
                 " SELECT_V2"),
    (_reduce, "SUM MEAN REDUCE_MAX REDUCE_MIN REDUCE_PROD REDUCE_ANY REDUCE_ALL"),
    (_reshape, "RESHAPE"),
    (_transpose, "TRANSPOSE"),
    (_fully_connected, "FULLY_CONNECTED"),
    (_batch_matmul, "BATCH_MATMUL"),
    (_convolution, "CONV_2D"),
    (_depthwise, "DEPTHWISE_CONV_2D"),
    (_pool, "AVERAGE_POOL_2D MAX_POOL_2D"),
)  # fmt: skip

_RULES = {code: rule for rule, codes in _FAMILIES for code in codes.split()}
