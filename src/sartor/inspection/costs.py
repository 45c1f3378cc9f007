"""What one inference costs: multiply-adds by op, and the memory of what flows between ops."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import prod

from ..graph import Graph, Op, Tensor
from ..ops import ROWS

__all__ = ["activation_bytes", "multiply_adds"]


def _per_output(op: Op) -> int:
    """Each output is a sum over a window of all channels: weights [out, …]."""
    weights = op.input(1)
    return op.output.size * prod(weights.shape[1:])


def _per_channel(op: Op) -> int:
    """Each output is a sum over a window of one channel: weights [1, height, width, out]."""
    return op.output.size * prod(op.input(1).shape[1:-1])


def _per_voxel(op: Op) -> int:
    """Likewise: weights [depth, height, width, in, out]."""
    return op.output.size * prod(op.input(1).shape[:-1])


def _per_input(axis: int) -> Callable[[Op], int]:
    """Each input goes into a window of all output channels; its channels are `axis` of weights."""

    def count(op: Op) -> int:
        weights = op.input(1)
        return op.input(2).size * (weights.size // weights.shape[axis])

    return count


def _by_row(code: str) -> Callable[[Op], int]:
    return lambda op: ROWS[code].cost(op) // 2  # a multiply-add is two operations


def _per_step(op: Op) -> int:
    """Of a recurrent layer: each matrix is used once a step."""
    x = op.input(0)
    matrices = [t for t in op.inputs[1:] if t is not None and t.is_constant and t.rank == 2]
    return x.size // x.shape[-1] * sum(t.size for t in matrices)


_COUNTS: dict[str, Callable[[Op], int]] = {
    "BATCH_MATMUL": _by_row("BATCH_MATMUL"),
    "CONV_2D": _per_output,
    "CONV_3D": _per_voxel,
    "CONV_3D_TRANSPOSE": _per_input(-1),
    "DEPTHWISE_CONV_2D": _per_channel,
    "FULLY_CONNECTED": _by_row("FULLY_CONNECTED"),
    "LSTM": _per_step,
    "RNN": _per_step,
    "SVDF": _per_step,
    "TRANSPOSE_CONV": _per_input(-1),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _per_step,
    "UNIDIRECTIONAL_SEQUENCE_RNN": _per_step,
    "BIDIRECTIONAL_SEQUENCE_LSTM": _per_step,
    "BIDIRECTIONAL_SEQUENCE_RNN": _per_step,
}
_UNKNOWN = ("CUSTOM", "CALL", "IF", "WHILE", "STABLEHLO_")


def multiply_adds(op: Op) -> int | None:
    """The multiply-adds of one run of an op; 0 for one that multiplies no matrices.

    As papers count them: padding is multiplied too, biases and activations are not counted.

    Returns:
        None for an op whose work the file does not tell: a custom one, a loop.
    """
    count = _COUNTS.get(op.code)
    if count is not None:
        try:
            return count(op)
        except (IndexError, ValueError, ZeroDivisionError):  # shapes that no kernel would take
            return None
    return None if op.code.startswith(_UNKNOWN) else 0


def activation_bytes(graph: Graph, values: Iterable[Tensor]) -> int:
    """The most bytes that these tensors take at one time, each from its making to its last use."""
    last = {tensor: i for i, op in enumerate(graph.ops) for tensor in op.inputs if tensor}
    last.update(dict.fromkeys(graph.outputs, len(graph.ops)))
    sizes = {tensor: tensor.size * (tensor.dtype.bits or 0) // 8 for tensor in values}
    alive = {tensor for tensor in graph.inputs if tensor in sizes}
    most = sum(sizes[tensor] for tensor in alive)
    for index, op in enumerate(graph.ops):
        alive.update(tensor for tensor in op.outputs if tensor in sizes)
        most = max(most, sum(sizes[tensor] for tensor in alive))
        alive = {tensor for tensor in alive if last.get(tensor, -1) > index}
    return most
