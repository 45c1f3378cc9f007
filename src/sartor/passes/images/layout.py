"""Let every base take pictures the same way: height, width, and channels red, green, blue.

No mean and no deviation can say that a base wants its axes or channels in another order, so an op
in front of it does the reordering, for every language alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import ConversionError
from ...flatbuffer.metadata_tables import ImageProperties, TensorMetadata
from ...graph import DType, Graph, Op, Tensor

__all__ = ["orient"]

_SMALLEST_PICTURE = 8
_TO_CHANNELS_FIRST = (0, 3, 1, 2)


def orient(graph: Graph, described: Sequence[TensorMetadata | None], *, bgr: bool = False) -> None:
    """Put a TRANSPOSE before inputs [1, C, H, W], and REVERSE_V2 before those that take BGR.

    Args:
        graph: the base.
        described: the standard metadata of each input.
        bgr: its pictures of three channels are blue, green, red.

    Raises:
        ConversionError: it takes BGR, and no picture of three channels.
    """
    reversed_one = False
    for index, metadata in enumerate(described):
        if _is_channels_first(graph.inputs[index], metadata):
            _transpose(graph, index)
        if bgr and graph.inputs[index].rank == 4 and graph.inputs[index].shape[-1] == 3:
            _reverse(graph, index)
            reversed_one = True
    if bgr and not reversed_one:
        shapes = ", ".join(map(repr, graph.inputs))
        raise ConversionError(
            f"the base takes no picture with three channels, so none as BGR: {shapes}"
        )


def _is_channels_first(tensor: Tensor, described: TensorMetadata | None) -> bool:
    if tensor.dtype not in (DType.FLOAT32, DType.UINT8) or tensor.rank != 4:
        return False
    content = described.content if described is not None else None
    stated = content.content_properties if content is not None else None
    if stated is not None and not isinstance(stated, ImageProperties):
        return False
    _, channels, height, width = tensor.shape
    if width in (1, 3) or min(height, width) < _SMALLEST_PICTURE:
        return False
    return channels == 3 or (channels == 1 and height == width)


def _transpose(graph: Graph, index: int) -> None:
    batch, channels, height, width = graph.inputs[index].shape
    order = np.array(_TO_CHANNELS_FIRST, np.int32)
    _before(graph, index, (batch, height, width, channels), "TRANSPOSE", order)


def _reverse(graph: Graph, index: int) -> None:
    _before(graph, index, graph.inputs[index].shape, "REVERSE_V2", np.array([3], np.int32))


def _before(
    graph: Graph, index: int, shape: tuple[int, ...], code: str, operand: np.ndarray
) -> None:
    """Put a new input of the same type and name before one, and an op between them."""
    inner = graph.inputs[index]
    outer = graph.tensor(inner.name, inner.dtype, shape)
    outer.quantization = inner.quantization
    inner.name = f"{inner.name}_{code.lower()}"
    kind = "TransposeOptions" if code == "TRANSPOSE" else "ReverseV2Options"
    op = Op(code, (outer, graph.constant(operand)), (inner,), options_type=kind)
    graph.ops.insert(0, op)
    graph.inputs[index] = outer
