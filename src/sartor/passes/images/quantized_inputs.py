"""Pictures for a base whose input is quantized: bytes where they are right, else reals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import ConversionError
from ...flatbuffer.metadata_tables import TensorMetadata
from ...graph import DType, Graph, Op, Quantization
from ...modalities.image.conventions import Convention
from ..describe import stated_scaling

__all__ = ["are_pixels", "feed_reals", "scale_quantized_pictures"]

_CLOSE = 1.001  # levels of 255; what a mean of 127.5 costs where the zero point is 128
_LEAST_HELD = 0.75
_LEVELS = np.arange(256.0)[:, np.newaxis]


def scale_quantized_pictures(
    graph: Graph, described: Sequence[TensorMetadata | None], told: Convention | None
) -> None:
    """Let pictures arrive as float32 where their pixels are not what a uint8 input takes.

    The quantization of the input says which real each byte stands for; the metadata (or the user)
    say which real each pixel is. Where both are the same to one level, pixels go in as they are.
    Where they differ, the base gets `(pixel − mean) / std`, and a QUANTIZE in front of it makes the
    bytes. Metadata whose reals the input cannot hold (as mean 0, std 1) are meant for its bytes,
    which then are the pixels.

    Args:
        graph: the base; its inputs are of types that cross a signature.
        described: the standard metadata of each input.
        told: as the user says, which goes before the metadata.

    Raises:
        ConversionError: the input cannot hold what the user says.
    """
    for index, metadata in enumerate(described):
        tensor = graph.inputs[index]
        stated = told or stated_scaling(metadata)
        if tensor.dtype is not DType.UINT8 or tensor.rank != 4 or stated is None:
            continue
        quantization = tensor.quantization
        if quantization is None or quantization.per_tensor is None:
            continue
        if are_pixels(quantization, stated):
            continue
        if _held(quantization, stated) >= _LEAST_HELD:
            feed_reals(graph, index)
        elif told is not None:
            scale, zero = quantization.per_tensor
            raise ConversionError(
                f"the base's input {tensor!r} is quantized, and holds {-scale * zero:.4g} to "
                f"{scale * (255 - zero):.4g}; much of what (pixel − mean) / std gives lies "
                "outside. Leave preprocessing, mean and std out: pixels go in as they are"
            )


def are_pixels(quantization: Quantization, stated: Convention) -> bool:
    """Whether the bytes that stand for a picture's reals are its pixels, to one level.

    Args:
        quantization: of a uint8 tensor, with one scale.
        stated: which real a pixel is.
    """
    return bool(np.abs(_bytes(quantization, stated) - _LEVELS).max() <= _CLOSE)


def feed_reals(graph: Graph, index: int) -> None:
    """Put a float32 input before a quantized one."""
    inner = graph.inputs[index]
    outer = graph.tensor(inner.name, DType.FLOAT32, inner.shape)
    inner.name = f"{inner.name}_quantized"
    graph.ops.insert(0, Op("QUANTIZE", (outer,), (inner,), options_type="QuantizeOptions"))
    graph.inputs[index] = outer


def _held(quantization: Quantization, stated: Convention) -> float:
    """The share of pixels whose reals the bytes can stand for."""
    found = _bytes(quantization, stated)
    return float(((found >= -_CLOSE) & (found <= 255 + _CLOSE)).mean())


def _bytes(quantization: Quantization, stated: Convention) -> np.ndarray:
    """The byte, not rounded, that stands for each pixel 0…255, [256, 1 or channels]."""
    scale, zero_point = quantization.per_tensor or (1.0, 0)
    reals: np.ndarray = (_LEVELS - np.array(stated.mean)) / np.array(stated.std)
    return reals / scale + zero_point
