"""Check that the indices of sparse constants fit their shapes.

Kernels use the indices without a check.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import InvalidModelError
from ..graph import Tensor
from .layout import Record

__all__ = ["stored_values"]

_DENSE, _CSR = 0, 1


def stored_values(tensor: Tensor, what: str) -> int:
    """Return the number of elements that a sparse constant stores.

    The file states an order of the axes of the tensor and of its blocks. A dense axis has all of
    its slices; a compressed axis (CSR) has the slices that its indices name, segment by segment.

    Raises:
        InvalidModelError: If the indices do not fit the shape.
    """
    record: Record = tensor.sparsity  # type: ignore[assignment]  # as the reader left it
    blocks = _numbers(record["blockMap"])
    order = _numbers(record["traversalOrder"])
    levels = record["dimMetadata"] or []
    axes = tensor.rank + len(blocks)
    if sorted(order) != list(range(axes)) or len(levels) != axes:
        raise _error(what, f"{axes} axes, each once, and as much about each")
    if len(set(blocks)) < len(blocks) or not all(0 <= axis < tensor.rank for axis in blocks):
        raise _error(what, f"blocks of different axes of the {tensor.rank}")
    sizes = _sizes(tensor, blocks, order, levels, what)
    count = 1
    for axis, level in zip(order, levels, strict=True):
        if level["format"] == _DENSE:
            if level["denseSize"] != sizes[axis]:
                raise _error(what, f"{sizes[axis]} slices along axis {axis}")
            count *= sizes[axis]
        elif level["format"] == _CSR:
            count = _compressed(level, count, sizes[axis], what)
        else:
            raise _error(what, "axes that are dense or compressed (CSR)")
    return count


def _sizes(
    tensor: Tensor, blocks: list[int], order: list[int], levels: list[Record], what: str
) -> list[int]:
    """Return the sizes of the axes: of the tensor in blocks, then of a block."""
    level_of = dict(zip(order, levels, strict=True))
    inner = [level_of[tensor.rank + i]["denseSize"] for i in range(len(blocks))]
    sizes = list(tensor.shape)
    for axis, size in zip(blocks, inner, strict=True):
        if size <= 0 or sizes[axis] % size:
            raise _error(what, f"blocks that divide the {sizes[axis]} slices of axis {axis}")
        sizes[axis] //= size
    return sizes + inner


def _compressed(level: Record, count: int, size: int, what: str) -> int:
    """Return the number of slices that the indices of one axis name."""
    if level["arraySegments"] is None or level["arrayIndices"] is None:
        raise _error(what, "segments and indices for each compressed axis")
    segments = _array(level["arraySegments"][1]["values"])
    indices = _array(level["arrayIndices"][1]["values"])
    if (
        segments.size != count + 1
        or segments[0] != 0
        or segments[-1] != indices.size
        or bool(np.any(np.diff(segments) < 0))
    ):
        raise _error(what, f"{count + 1} segments, from 0 up to {indices.size}")
    if indices.size and (indices.min() < 0 or indices.max() >= size):
        raise _error(what, f"indices below {size}")
    return int(indices.size)


def _array(values: np.ndarray | None) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.zeros(0, np.int64) if values is None else values.astype(np.int64)


def _numbers(values: np.ndarray | None) -> list[int]:
    return [] if values is None else list(map(int, values))


def _error(what: str, expected: str) -> InvalidModelError:
    return InvalidModelError(
        f"{what} is sparse, but its indices do not fit its shape: expected {expected}. "
        "Download the model again, or correct the program that wrote it."
    )
