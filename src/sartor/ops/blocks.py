"""Ops that move blocks of height and width to channels or to the batch, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from ..graph import Tensor
from ._shapes import constant_ints, required
from ._versions import I16, INT8_2, VersionRule, has_type
from .builder import emit
from .registry import NOT_DIFFERENTIABLE, OpRow, Rule, Shape, Spec, register


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


# --- SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND: a dilated convolution in TensorFlow ----------------


def _infer_batches(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    x, blocks = required(inputs[0]), constant_ints(inputs[1])
    margins = constant_ints(inputs[2])
    batch, sizes, rest = _split_axes(x.shape, len(blocks))
    padded = [n + before + after for n, before, after in zip(sizes, *_pairs(margins), strict=True)]
    if any(n % block for n, block in zip(padded, blocks, strict=True)):
        raise ValueError(f"{padded} is not filled by blocks of {list(blocks)}")
    counts = [n // block for n, block in zip(padded, blocks, strict=True)]
    return [((batch * prod(blocks), *counts, *rest), x.dtype)]


def _infer_merged(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    x, blocks = required(inputs[0]), constant_ints(inputs[1])
    margins = constant_ints(inputs[2])
    batch, sizes, rest = _split_axes(x.shape, len(blocks))
    if batch % prod(blocks):
        raise ValueError(f"a batch of {batch} does not fill blocks of {list(blocks)}")
    merged = [
        n * block - before - after
        for n, block, before, after in zip(sizes, blocks, *_pairs(margins), strict=True)
    ]
    return [((batch // prod(blocks), *merged, *rest), x.dtype)]


def _split_axes(shape: Shape, count: int) -> tuple[int, Shape, Shape]:
    """Return the batch, the sizes of `count` axes of space, and those of the others."""
    return shape[0], shape[1 : 1 + count], shape[1 + count :]


def _pairs(margins: Sequence[int]) -> tuple[Sequence[int], Sequence[int]]:
    """Return the margins before and after each axis."""
    return margins[::2], margins[1::2]


def _np_batches(xs: Sequence[Any], _: Mapping[str, Any]) -> list[np.ndarray]:
    x, blocks, margins = xs
    count = len(blocks)
    around = [(0, 0), *map(tuple, margins), *[(0, 0)] * (x.ndim - 1 - count)]
    padded = np.pad(x, around)
    batch, sizes, rest = _split_axes(padded.shape, count)
    axes = [each for n, block in zip(sizes, blocks, strict=True) for each in (n // block, block)]
    split = padded.reshape(batch, *axes, *rest)
    within = range(2, 2 + 2 * count, 2)
    order = [*within, 0, *(axis - 1 for axis in within), *range(1 + 2 * count, split.ndim)]
    return [split.transpose(order).reshape(-1, *axes[::2], *rest)]


def _np_merged(xs: Sequence[Any], _: Mapping[str, Any]) -> list[np.ndarray]:
    x, blocks, margins = xs
    count = len(blocks)
    sizes, rest = _split_axes(x.shape, count)[1:]
    split = x.reshape(*blocks, -1, *sizes, *rest)
    order = [count]
    for axis in range(count):
        order += [count + 1 + axis, axis]
    order += range(2 * count + 1, split.ndim)
    merged = [n * block for n, block in zip(sizes, blocks, strict=True)]
    y = split.transpose(order).reshape(-1, *merged, *rest)
    inside = [slice(None)]
    inside += (slice(before, n - after) for n, (before, after) in zip(merged, margins, strict=True))
    return [y[tuple(inside)]]


def _inverse(code: str) -> Rule:
    """Return the rule of an op that moves elements: `code` moves them back."""
    return lambda op, _, g: emit(code, g, *op.inputs[1:])


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
    OpRow(
        "SPACE_TO_BATCH_ND", integers=(1, 2),
        gradients=(_inverse("BATCH_TO_SPACE_ND"), NOT_DIFFERENTIABLE), infer=_infer_batches,
        reference=_np_batches, options="SpaceToBatchNDOptions", inputs=3, versions=_VERSIONS,
    ),
    OpRow(
        "BATCH_TO_SPACE_ND", integers=(1, 2),
        gradients=(_inverse("SPACE_TO_BATCH_ND"), NOT_DIFFERENTIABLE), infer=_infer_merged,
        reference=_np_merged, options="BatchToSpaceNDOptions", inputs=3, versions=_VERSIONS,
    ),
    family="Shapes and axes",
)  # fmt: skip
