"""From images to the elements of their windows, and back.

A strided window is taken from blocks: with stride `s`, the padded image [N, s·A, s·B, C] is
reshaped to [N, A, s·B, s·C], in which the elements of one tap of all windows are one box. So each
tap is one SLICE: STRIDED_SLICE with strides takes twenty times as long.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

from ..graph import Tensor
from ._windows import Window
from .arithmetic import add
from .joins import concatenation
from .shape import reshape, zeros_like
from .slices import pad, slice_

__all__ = ["fold", "fold_taps", "from_phases", "tap", "taps_of", "to_blocks", "unfold"]

Phases = Mapping[tuple[int, int], Tensor]
"""Position in a block → the elements there of all blocks: [N, A, B, C]."""


def taps_of(window: Window) -> list[tuple[int, int]]:
    """Return the taps of a window, row by row."""
    rows, columns = window
    return list(product(range(rows.length), range(columns.length)))


def to_blocks(x: Tensor, window: Window, value: float = 0.0) -> Tensor:
    """Pad an image and reshape it to blocks: [N, H, W, C] → [N, A, s·B, s·C].

    Args:
        x: the image.
        window: the window; its strides are the size of the blocks.
        value: value of the padding.
    """
    rows, columns = window
    around = [(axis.before, axis.after) for axis in window]
    if any(map(any, around)):
        x = pad(x, [(0, 0), *around, (0, 0)], value)
    if rows.stride == columns.stride == 1:
        return x
    sizes = columns.blocks * rows.stride, x.shape[3] * columns.stride
    return reshape(x, (-1, rows.blocks, *sizes))


def tap(blocks: Tensor, window: Window, row: int, column: int) -> Tensor:
    """Return the elements at one tap of all windows: [N, OH, OW, C]."""
    rows, columns = window
    channels = blocks.shape[3] // columns.stride
    (top, upper), (left, inner) = rows.position(row), columns.position(column)
    begin = (0, top, upper * columns.blocks + left, inner * channels)
    return slice_(blocks, begin, (-1, rows.output, columns.output, channels))


def unfold(x: Tensor, window: Window) -> Tensor:
    """Return the elements of each window as a row: [N, H, W, C] → [N·OH·OW, taps·C]."""
    taps = taps_of(window)
    blocks = to_blocks(x, window)
    if len(taps) == 1 and blocks is x and x.shape[1:3] == tuple(axis.output for axis in window):
        return reshape(x, (-1, x.shape[3]))
    parts = [tap(blocks, window, *each) for each in taps]
    joined = parts[0] if len(parts) == 1 else concatenation(parts, 3)
    return reshape(joined, (-1, joined.shape[3]))


def fold(rows: Tensor, window: Window) -> Tensor:
    """Add the elements of windows to an image: [N·OH·OW, taps·C] → [N, H, W, C].

    This is the gradient of `unfold`.
    """
    taps = taps_of(window)
    height, width = (axis.output for axis in window)
    channels = rows.shape[1] // len(taps)
    x = reshape(rows, (-1, height, width, rows.shape[1]))
    if len(taps) == 1:
        return fold_taps({taps[0]: x}, window)
    parts = {
        each: slice_(x, (0, 0, 0, index * channels), (-1, -1, -1, channels))
        for index, each in enumerate(taps)
    }
    return fold_taps(parts, window)


def fold_taps(parts: Mapping[tuple[int, int], Tensor], window: Window) -> Tensor:
    """Add a part [N, OH, OW, C] for each tap of all windows to an image: [N, H, W, C]."""
    height, width = window
    phases: dict[tuple[int, int], Tensor] = {}
    for (row, column), part in parts.items():
        (top, upper), (left, inner) = height.position(row), width.position(column)
        placed = _place(part, (top, left), (height.blocks, width.blocks))
        phase = upper, inner
        phases[phase] = add(phases[phase], placed) if phase in phases else placed
    return from_phases(phases, window)


def from_phases(phases: Phases, window: Window) -> Tensor:
    """Join the positions of the blocks to an image, without its padding; missing ones are zero."""
    rows, columns = window
    any_phase = next(iter(phases.values()))
    channels = any_phase.shape[3]
    lines = [
        _join([phases.get((i, j)) or zeros_like(any_phase) for j in range(columns.stride)], 3)
        for i in range(rows.stride)
    ]
    x = _join(lines, 2)
    sizes = rows.blocks * rows.stride, columns.blocks * columns.stride
    if len(phases) > 1 or max(rows.stride, columns.stride) > 1:
        x = reshape(x, (-1, *sizes, channels))
    if sizes == (rows.size, columns.size):
        return x
    return slice_(x, (0, rows.before, columns.before, 0), (-1, rows.size, columns.size, -1))


def _place(part: Tensor, begin: tuple[int, int], sizes: tuple[int, int]) -> Tensor:
    """Put zeros around [N, OH, OW, C]: [N, A, B, C]."""
    around = [
        (start, size - start - n)
        for start, size, n in zip(begin, sizes, part.shape[1:3], strict=True)
    ]
    return pad(part, [(0, 0), *around, (0, 0)]) if any(map(any, around)) else part


def _join(parts: list[Tensor], axis: int) -> Tensor:
    return parts[0] if len(parts) == 1 else concatenation(parts, axis)
