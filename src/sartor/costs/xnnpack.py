"""The ops that XNNPACK runs, and the parts into which LiteRT splits a graph for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..graph import DType, Graph, Op, Tensor

__all__ = ["Part", "runs_in_xnnpack", "shares_memory", "split_graph"]

_MOST_JOINED = 5  # inputs of a CONCATENATION in XNNPACK
_SPLITS = (2, 3, 4)  # outputs of a SPLIT in XNNPACK
_REAL = (DType.FLOAT32, DType.INT8, DType.UINT8)


def _always(_: Op) -> bool:
    return True


def _has_constant_weights(op: Op) -> bool:
    return all(tensor is None or tensor.is_constant for tensor in op.inputs[1:3])


def _covers_its_stride(op: Op) -> bool:
    """Return whether the window of a pool is at least as large as its stride."""
    return bool(
        op.options["strideH"] <= op.options["filterHeight"]
        and op.options["strideW"] <= op.options["filterWidth"]
    )


def _has_axes(op: Op) -> bool:
    return op.input(1).is_constant and op.input(1).size > 0


def _has_constant_sizes(op: Op) -> bool:
    return op.input(1).is_constant


def _is_box(op: Op) -> bool:
    return op.input(2).is_constant and bool((op.input(2).value > 0).all())


def _is_dense_box(op: Op) -> bool:
    """Return whether a STRIDED_SLICE keeps every axis and skips nothing."""
    masks = ("ellipsisMask", "newAxisMask", "shrinkAxisMask")
    strides = op.input(3)
    return (
        strides.is_constant
        and bool((strides.value == 1).all())
        and not any(op.options.get(mask) for mask in masks)
    )


_ELEMENTWISE: Mapping[str, Callable[[Op], bool]] = {
    **dict.fromkeys(
        (
            "ABS", "ADD", "DIV", "ELU", "EXP", "GELU", "HARD_SWISH", "LOG", "LOGISTIC", "MAXIMUM",
            "MINIMUM", "MUL", "NEG", "RELU", "RELU6", "RELU_N1_TO_1", "RSQRT", "SQRT", "SQUARE",
            "SQUARED_DIFFERENCE", "SUB", "TANH",
        ),
        _always,
    ),
    "LEAKY_RELU": lambda op: bool(op.options.get("alpha")),
    "RESHAPE": lambda op: len(op.inputs) < 2 or op.input(1).is_constant,
    "SOFTMAX": lambda op: op.options.get("beta", 1.0) == 1.0,
}  # fmt: skip
"""Op → condition, for ops whose output can take the memory of an input of the same size."""

_OPS: Mapping[str, Callable[[Op], bool]] = {
    **_ELEMENTWISE,
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"), _has_axes),
    **dict.fromkeys(("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"), _has_constant_weights),
    **dict.fromkeys(("AVERAGE_POOL_2D", "MAX_POOL_2D"), _covers_its_stride),
    **dict.fromkeys(("PAD", "RESIZE_BILINEAR", "TRANSPOSE"), _has_constant_sizes),
    **dict.fromkeys(
        ("BATCH_MATMUL", "DEPTH_TO_SPACE", "DEQUANTIZE", "QUANTIZE", "SPACE_TO_DEPTH"), _always
    ),
    "CONCATENATION": lambda op: len(op.inputs) <= _MOST_JOINED,
    "SLICE": _is_box,
    "SPLIT": lambda op: len(op.outputs) in _SPLITS,
    "STRIDED_SLICE": _is_dense_box,
    "TRANSPOSE_CONV": lambda op: op.input(1).is_constant,
    **dict.fromkeys(("ASSIGN_VARIABLE", "READ_VARIABLE", "VAR_HANDLE"), _always),
}
"""Op → condition; measured with the ops alone, in ai-edge-litert 2.3.0."""

_ORDERED = ("ASSIGN_VARIABLE", "CALL_ONCE", "READ_VARIABLE")


@dataclass(frozen=True)
class Part:
    """Ops that run one after the other, all in XNNPACK or none.

    Attributes:
        ops: the ops, in the order of their execution.
        in_xnnpack: whether XNNPACK runs them.
    """

    ops: tuple[Op, ...]
    in_xnnpack: bool


def runs_in_xnnpack(op: Op) -> bool:
    """Return whether LiteRT gives an op to XNNPACK."""
    condition = _OPS.get(op.code)
    types = [tensor.dtype for tensor in op.outputs if tensor.dtype is not DType.RESOURCE]
    return condition is not None and all(each in _REAL for each in types) and condition(op)


def shares_memory(op: Op) -> bool:
    """Return whether the output of an op in XNNPACK can take the memory of an input."""
    return op.code in _ELEMENTWISE


def split_graph(graph: Graph) -> list[Part]:
    """Return the parts of a graph, in the order of their execution.

    Each part takes all ops of its kind whose inputs are computed; ops on variables keep their
    order. An op can thus run later than in the file, and its inputs stay in memory until then.
    """
    waiting = list(graph.ops)
    computed = {tensor for tensor in graph.tensors if tensor.producer is None}
    ordered = [op for op in graph.ops if op.code in _ORDERED]
    parts: list[Part] = []
    while waiting:
        ops, kind = _next_part(waiting, computed, ordered)
        parts.append(Part(tuple(ops), kind))
        taken = set(ops)
        waiting = [op for op in waiting if op not in taken]
    return parts


def _next_part(
    waiting: Sequence[Op], computed: set[Tensor], ordered: list[Op]
) -> tuple[list[Op], bool]:
    """Return the ops of the next part; update the tensors that are computed and the ordered ops."""
    ops: list[Op] = []
    kind: bool | None = None
    remaining = list(waiting)
    while True:
        left: list[Op] = []
        for op in remaining:
            is_ready = all(tensor is None or tensor in computed for tensor in op.inputs)
            if not is_ready or (op.code in _ORDERED and op is not ordered[0]):
                left.append(op)
                continue
            in_xnnpack = runs_in_xnnpack(op)
            kind = in_xnnpack if kind is None else kind
            if in_xnnpack != kind:
                left.append(op)
                continue
            ops.append(op)
            computed.update(op.outputs)
            if op.code in _ORDERED:
                ordered.pop(0)
        if len(left) == len(remaining):
            return ops, bool(kind)
        remaining = left
