"""Resizing of images.

Both kinds are linear and separable: a matrix for the height, and one for the width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..graph import Op, Tensor
from ._shapes import constant_ints, required
from ._versions import I16, INT8_2, VersionRule, has_type
from .contraction import matmul
from .registry import NOT_DIFFERENTIABLE, OpRow, Rule, Spec, register
from .shape import reshape


def _infer_resize(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    x, size = required(inputs[0]), constant_ints(inputs[1])
    return [((x.shape[0], *size, x.shape[3]), x.dtype)]


def _gradient(code: str) -> Rule:
    def rule(op: Op, _: int, g: Tensor) -> Tensor:
        """Multiply by the transposes of both matrices."""
        _, height, width, channels = op.input(0).shape
        rows = _matrix(code, height, g.shape[1], op.options)
        columns = _matrix(code, width, g.shape[2], op.options)
        lines = matmul(rows.T, reshape(g, (-1, g.shape[1], g.shape[2] * channels)))
        pixels = matmul(columns.T, reshape(lines, (-1, g.shape[2], channels)))
        return reshape(pixels, (-1, height, width, channels))

    return rule


def _reference(code: str, xs: Sequence[Any], options: Mapping[str, Any]) -> list[np.ndarray]:
    x, (height, width) = xs[0], (int(size) for size in xs[1])
    rows = _matrix(code, x.shape[1], height, options)
    columns = _matrix(code, x.shape[2], width, options)
    return [np.einsum("ah,bw,nhwc->nabc", rows, columns, x)]


def _matrix(code: str, size: int, output: int, options: Mapping[str, Any]) -> np.ndarray:
    """Return the weight of each input element for each output element: float32 [output, size]."""
    corners, half = bool(options.get("alignCorners")), bool(options.get("halfPixelCenters"))
    scale = (size - 1) / (output - 1) if corners and output > 1 else size / output
    scale, centers = np.float32(scale), np.arange(output, dtype=np.float32)
    result = np.zeros((output, size), np.float32)
    if code == "RESIZE_NEAREST_NEIGHBOR":
        position = (centers + np.float32(0.5 if half else 0)) * scale
        nearest = np.floor(position + np.float32(0.5)) if corners else np.floor(position)
        result[np.arange(output), np.clip(nearest, 0, size - 1).astype(int)] = 1
        return result
    position = (centers + np.float32(0.5)) * scale - np.float32(0.5) if half else centers * scale
    lower = np.maximum(np.floor(position), 0).astype(int)
    upper = np.minimum(np.ceil(position), size - 1).astype(int)
    share = position - lower
    np.add.at(result, (np.arange(output), lower), 1 - share)
    np.add.at(result, (np.arange(output), upper), share)
    return result


def _resize(code: str, options: str, third: VersionRule) -> OpRow:
    return OpRow(
        code, gradients=(_gradient(code), NOT_DIFFERENTIABLE), infer=_infer_resize,
        reference=lambda xs, o: _reference(code, xs, o), options=options, inputs=2, integers=(1,),
        size_input=1, versions=((4, has_type(I16)), third, *INT8_2),
    )  # fmt: skip


register(
    _resize(
        "RESIZE_BILINEAR", "ResizeBilinearOptions", (3, lambda op: op.option("halfPixelCenters"))
    ),
    _resize(
        "RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighborOptions",
        (3, lambda op: op.option("halfPixelCenters") or op.option("alignCorners")),
    ),
    family="Pooling and resizing",
)  # fmt: skip
