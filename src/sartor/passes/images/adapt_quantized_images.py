"""Give quantized image inputs pixels if pixels are what they take, else float32 values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import ConversionError
from ...flatbuffer.metadata_tables import TensorMetadata
from ...graph import DType, Graph, Op, Quantization, Tensor
from ...modalities.image.conventions import Convention
from ..metadata import image_scaling

__all__ = ["adapt_quantized_images", "insert_quantize", "takes_pixels"]

_TOLERANCE = 1.001  # levels of 255: the difference of mean 127.5 and zero point 128
_MIN_IN_RANGE = 0.75
_PIXELS = np.arange(256.0)[:, np.newaxis]


def adapt_quantized_images(
    graph: Graph, metadata: Sequence[TensorMetadata | None], scaling: Convention | None
) -> None:
    """Replace uint8 image inputs that do not take pixels by float32 inputs.

    The quantization of an input defines the real number of each byte. The image scaling, from the
    user or from the metadata, defines the real number of each pixel. There are three cases:

    - Both agree to within one level: pixels are the bytes, and nothing changes.
    - They differ: a float32 input takes `(pixel − mean) / std`, and a QUANTIZE computes the bytes.
    - The scaling exceeds the range of the input (as mean 0, std 1 often does): metadata then
      describe the bytes, which are pixels, and nothing changes.

    Args:
        graph: the base; its inputs have dtypes that a signature allows. Changed in place.
        metadata: the standard metadata of each input, or None.
        scaling: the image scaling that the user states; it takes precedence over the metadata.

    Raises:
        ConversionError: If the scaling that the user states exceeds the range of an input.
    """
    for index, tensor_metadata in enumerate(metadata):
        tensor, choice = graph.inputs[index], scaling or image_scaling(tensor_metadata)
        quantization = _image_quantization(tensor)
        if quantization is None or choice is None or takes_pixels(quantization, choice):
            continue
        if _fraction_in_range(quantization, choice) >= _MIN_IN_RANGE:
            insert_quantize(graph, index)
        elif scaling is not None:
            scale, zero = quantization.per_tensor or (1.0, 0)
            raise ConversionError(
                f"the base's input {tensor!r} is quantized to the range {-scale * zero:.4g} to "
                f"{scale * (255 - zero):.4g}, and most values of (pixel − mean) / std are outside. "
                "Omit preprocessing, mean and std: the input takes pixels"
            )


def takes_pixels(quantization: Quantization, scaling: Convention) -> bool:
    """Return True if the byte of each pixel is the pixel, to within one level.

    Args:
        quantization: of a uint8 tensor, with one scale.
        scaling: the image scaling.
    """
    return bool(np.abs(_bytes(quantization, scaling) - _PIXELS).max() <= _TOLERANCE)


def insert_quantize(graph: Graph, index: int) -> None:
    """Put a float32 input and a QUANTIZE before a quantized input."""
    inner = graph.inputs[index]
    outer = graph.tensor(inner.name, DType.FLOAT32, inner.shape)
    inner.name = f"{inner.name}_quantized"
    graph.ops.insert(0, Op("QUANTIZE", (outer,), (inner,), options_type="QuantizeOptions"))
    graph.inputs[index] = outer


def _image_quantization(tensor: Tensor) -> Quantization | None:
    """Return the quantization of a uint8 image input with one scale, or None."""
    quantization = tensor.quantization
    if tensor.dtype is not DType.UINT8 or tensor.rank != 4 or quantization is None:
        return None
    return None if quantization.per_tensor is None else quantization


def _fraction_in_range(quantization: Quantization, scaling: Convention) -> float:
    """Return the fraction of pixels whose byte is between 0 and 255."""
    values = _bytes(quantization, scaling)
    return float(((values >= -_TOLERANCE) & (values <= 255 + _TOLERANCE)).mean())


def _bytes(quantization: Quantization, scaling: Convention) -> np.ndarray:
    """Return the byte of each pixel 0…255, not rounded: float64 [256, 1 or channels]."""
    scale, zero_point = quantization.per_tensor or (1.0, 0)
    reals: np.ndarray = (_PIXELS - np.array(scaling.mean)) / np.array(scaling.std)
    return reals / scale + zero_point
