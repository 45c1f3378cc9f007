"""Give every base the same image layout: [1, height, width, channels], channels in RGB order.

Mean and standard deviation cannot express another order of axes or channels, so an op at the start
of the base reorders them, for every language alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import ConversionError
from ...flatbuffer.metadata_tables import ImageProperties, TensorMetadata
from ...graph import DType, Graph, Op, Tensor
from .check_scaling import is_convolution

__all__ = ["adapt_image_layout"]

_MIN_IMAGE_SIZE = 8
_NHWC_TO_NCHW = (0, 3, 1, 2)
_CHANNEL_AXIS = 3
_REORDERING = ("TRANSPOSE", "RESHAPE")


def adapt_image_layout(
    graph: Graph, metadata: Sequence[TensorMetadata | None], *, bgr: bool = False
) -> None:
    """Insert a TRANSPOSE after channels-first inputs, and a REVERSE_V2 after BGR inputs.

    Before: inputs [1, C, H, W], or with channels in BGR order. After: inputs [1, H, W, C] in RGB
    order.

    Args:
        graph: the base; changed in place.
        metadata: the standard metadata of each input, or None.
        bgr: images of three channels are in BGR order.

    Raises:
        ConversionError: If `bgr`, and no input is an image of three channels.
    """
    has_bgr_input = False
    for index, tensor_metadata in enumerate(metadata):
        if _is_channels_first(graph.inputs[index], tensor_metadata):
            _insert_transpose(graph, index)
        if bgr and _has_three_channels(graph.inputs[index]):
            _insert_reverse(graph, index)
            has_bgr_input = True
    if bgr and not has_bgr_input:
        raise ConversionError(
            "BGR order needs an image input of three channels; the inputs of the base are "
            f"{', '.join(map(repr, graph.inputs))}"
        )


def _has_three_channels(tensor: Tensor) -> bool:
    return tensor.rank == 4 and tensor.shape[_CHANNEL_AXIS] == 3


def _is_channels_first(tensor: Tensor, metadata: TensorMetadata | None) -> bool:
    if tensor.dtype not in (DType.FLOAT32, DType.UINT8) or tensor.rank != 4:
        return False
    content = metadata.content if metadata is not None else None
    properties = content.content_properties if content is not None else None
    if properties is not None and not isinstance(properties, ImageProperties):
        return False
    _, channels, height, width = tensor.shape
    if width in (1, 3) or min(height, width) < _MIN_IMAGE_SIZE:
        return False
    if not (channels == 3 or (channels == 1 and height == width)):
        return False
    return not _is_convolved(tensor)


def _is_convolved(tensor: Tensor) -> bool:
    """Return whether a convolution takes the last axis of an input as its channels.

    Ops between them may change values and sizes, but not the order of the axes.
    """
    reached = [tensor]
    for current in reached:
        for op in current.consumers:
            if is_convolution(op):
                return True
            if op.outputs and op.code not in _REORDERING and op.output.rank == tensor.rank:
                reached.append(op.output)
    return False


def _insert_transpose(graph: Graph, index: int) -> None:
    batch, channels, height, width = graph.inputs[index].shape
    order = np.array(_NHWC_TO_NCHW, np.int32)
    _insert_op(graph, index, (batch, height, width, channels), "TRANSPOSE", order)


def _insert_reverse(graph: Graph, index: int) -> None:
    axes = np.array([_CHANNEL_AXIS], np.int32)
    _insert_op(graph, index, graph.inputs[index].shape, "REVERSE_V2", axes)


def _insert_op(
    graph: Graph, index: int, shape: tuple[int, ...], code: str, operand: np.ndarray
) -> None:
    """Put a new input of the same dtype and name before an input, and an op between them."""
    inner = graph.inputs[index]
    outer = graph.tensor(inner.name, inner.dtype, shape)
    outer.quantization = inner.quantization
    inner.name = f"{inner.name}_{code.lower()}"
    options_type = "TransposeOptions" if code == "TRANSPOSE" else "ReverseV2Options"
    op = Op(code, (outer, graph.constant(operand)), (inner,), options_type=options_type)
    graph.ops.insert(0, op)
    graph.inputs[index] = outer
