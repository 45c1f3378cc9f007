"""Convolutions and windows in NumPy: the definitions, in the precision of their inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ._windows import window_of

__all__ = ["np_conv", "np_depthwise", "np_transpose_conv", "np_windows"]


def np_windows(
    x: np.ndarray, lengths: tuple[int, int], options: Mapping[str, Any], value: float = 0.0
) -> np.ndarray:
    """Return the elements of each window: [N, H, W, C] → [N, OH, OW, C, rows, columns].

    Args:
        x: the image.
        lengths: number of rows and columns of the window.
        options: strides, dilations and padding.
        value: value of the padding.
    """
    axes = window_of(x.shape, lengths, options)
    padding = [(0, 0), *((axis.before, axis.after) for axis in axes), (0, 0)]
    padded = np.pad(x, padding, constant_values=value)
    reach = tuple((axis.length - 1) * axis.dilation + 1 for axis in axes)
    windows = np.lib.stride_tricks.sliding_window_view(padded, reach, (1, 2))
    rows, columns = axes
    return np.asarray(
        windows[
            :, :: rows.stride, :: columns.stride, :, :: rows.dilation, :: columns.dilation
        ][:, : rows.output, : columns.output]
    )  # fmt: skip


def np_conv(xs: Sequence[Any], options: Mapping[str, Any]) -> list[np.ndarray]:
    """Return the convolution of `x` [N, H, W, G·D] with weights [C, rows, columns, D]."""
    x, weights = xs[0], xs[1]
    _, height, width, depth = weights.shape
    windows = np_windows(x, (height, width), options)
    groups = x.shape[3] // depth
    parts = [
        np.tensordot(part, kernel, ((3, 4, 5), (3, 1, 2)))
        for part, kernel in zip(
            np.split(windows, groups, 3), np.split(weights, groups), strict=True
        )
    ]
    return [_add_bias(np.concatenate(parts, 3), xs, 2)]


def np_depthwise(xs: Sequence[Any], options: Mapping[str, Any]) -> list[np.ndarray]:
    """Return the convolution of each channel with its own weights [1, rows, columns, C·M]."""
    x, weights = xs[0], xs[1]
    windows = np_windows(x, weights.shape[1:3], options)
    copies = weights.shape[3] // x.shape[3]
    if copies > 1:
        windows = np.repeat(windows, copies, axis=3)
    return [_add_bias(np.einsum("nhwcij,ijc->nhwc", windows, weights[0]), xs, 2)]


def np_transpose_conv(xs: Sequence[Any], options: Mapping[str, Any]) -> list[np.ndarray]:
    """Return the transpose of a convolution with weights [C, rows, columns, D]: adds windows."""
    shape, weights, x = tuple(int(n) for n in xs[0]), xs[1], xs[2]
    rows, columns = window_of(shape, weights.shape[1:3], options)
    padded = np.zeros(
        (
            shape[0],
            rows.before + rows.size + rows.after,
            columns.before + columns.size + columns.after,
            shape[3],
        ),
        x.dtype,
    )
    for i in range(rows.length):
        for j in range(columns.length):
            padded[
                :,
                i : i + rows.output * rows.stride : rows.stride,
                j : j + columns.output * columns.stride : columns.stride,
            ] += x @ weights[:, i, j].T
    y = padded[
        :, rows.before : rows.before + rows.size, columns.before : columns.before + columns.size
    ]
    return [_add_bias(y, xs, 3)]


def _add_bias(y: np.ndarray, xs: Sequence[Any], index: int) -> np.ndarray:
    bias = xs[index] if len(xs) > index else None
    return y if bias is None else np.asarray(y + bias)
