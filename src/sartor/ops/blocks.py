"""Ops that move blocks of height and width to channels or to the batch, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..graph import Tensor
from ._shapes import required
from ._versions import I16, INT8_2, VersionRule, has_type
from .builder import emit
from .registry import NOT_DIFFERENTIABLE, NOT_SUPPORTED, OpRow, Spec, register


def _infer_depth(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> list[Spec]:
    x, size = required(inputs[0]), options["blockSize"]
    batch, height, width, channels = x.shape
    if size < 1 or height % size or width % size:
        raise ValueError(f"{height}x{width} is not filled by blocks of {size}x{size}")
    return [((batch, height // size, width // size, channels * size * size), x.dtype)]


def _infer_space(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> list[Spec]:
    x, size = required(inputs[0]), options["blockSize"]
    batch, height, width, channels = x.shape
    if size < 1 or channels % (size * size):
        raise ValueError(f"{channels} channels do not fill blocks of {size}x{size}")
    return [((batch, height * size, width * size, channels // (size * size)), x.dtype)]


def _np_depth(xs: Sequence[Any], options: Mapping[str, Any]) -> list[np.ndarray]:
    x, size = xs[0], options["blockSize"]
    n, h, w, c = x.shape
    blocks = x.reshape(n, h // size, size, w // size, size, c)
    return [blocks.transpose(0, 1, 3, 2, 4, 5).reshape(n, h // size, w // size, c * size * size)]


def _np_space(xs: Sequence[Any], options: Mapping[str, Any]) -> list[np.ndarray]:
    x, size = xs[0], options["blockSize"]
    n, h, w, c = x.shape
    blocks = x.reshape(n, h, w, size, size, c // (size * size))
    return [blocks.transpose(0, 1, 3, 2, 4, 5).reshape(n, h * size, w * size, c // (size * size))]


_BATCH = (NOT_SUPPORTED, NOT_DIFFERENTIABLE)
_VERSIONS: tuple[VersionRule, ...] = ((4, has_type(I16)), (3, lambda op: op.rank() != 4), *INT8_2)

register(
    OpRow(
        "SPACE_TO_DEPTH",
        gradients=(
            lambda op, _, g: emit("DEPTH_TO_SPACE", g, blockSize=op.options["blockSize"]),
        ),
        infer=_infer_depth, reference=_np_depth, options="SpaceToDepthOptions", versions=INT8_2,
    ),
    OpRow(
        "DEPTH_TO_SPACE",
        gradients=(
            lambda op, _, g: emit("SPACE_TO_DEPTH", g, blockSize=op.options["blockSize"]),
        ),
        infer=_infer_space, reference=_np_space, options="DepthToSpaceOptions", versions=INT8_2,
    ),
    OpRow("SPACE_TO_BATCH_ND", integers=(1, 2), gradients=_BATCH, inputs=3, versions=_VERSIONS),
    OpRow("BATCH_TO_SPACE_ND", integers=(1, 2), gradients=_BATCH, inputs=3, versions=_VERSIONS),
    family="Shapes and axes",
)  # fmt: skip
