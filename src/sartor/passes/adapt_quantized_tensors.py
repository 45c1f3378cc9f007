"""Give quantized inputs that are no images real numbers."""

from __future__ import annotations

from collections.abc import Sequence

from ..flatbuffer.metadata_tables import TensorMetadata
from ..graph import DType, Graph, Tensor
from .describe_inputs import is_image
from .images.adapt_quantized_images import insert_quantize

__all__ = ["adapt_quantized_tensors"]


def adapt_quantized_tensors(graph: Graph, metadata: Sequence[TensorMetadata | None]) -> list[str]:
    """Replace quantized inputs, such as windows of a sensor, by float32 inputs.

    Before: a uint8 input with one scale, no image. After: a float32 input takes real numbers, and a
    QUANTIZE computes the integers. Integers that a user has are `scale · (integer − zero point)`.

    Args:
        graph: the base; its inputs have dtypes that a signature allows. Changed in place.
        metadata: the standard metadata of each input, or None.

    Returns:
        A note for each changed input.
    """
    notes = []
    for index, tensor_metadata in enumerate(metadata):
        tensor = graph.inputs[index]
        quantization = tensor.quantization
        if tensor.dtype is not DType.UINT8 or quantization is None:
            continue
        is_color = tensor.rank == 4 and tensor.shape[-1] == 3  # a small image
        if quantization.per_tensor is None or is_color or is_image(tensor, tensor_metadata):
            continue
        name, source = tensor.name, _quantized_in_base(tensor)
        insert_quantize(graph, index)
        graph.inputs[index].name = name
        scale, zero_point = (source.quantization or quantization).per_tensor or (1.0, 0)
        notes.append(
            f"{name} takes real numbers; the base quantizes them to {source.dtype.name.lower()} "
            f"with scale {scale:.6g} and zero point {zero_point}"
        )
    return notes


def _quantized_in_base(tensor: Tensor) -> Tensor:
    """Return the input of the base: int8 if `adapt_inputs` converts a uint8 input to it."""
    outputs = [op.output for op in tensor.consumers if op.code == "QUANTIZE"]
    return next((output for output in outputs if output.dtype is DType.INT8), tensor)
