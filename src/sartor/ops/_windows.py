"""Windows that move over height and width: the geometry of convolutions and pooling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeAlias

__all__ = ["Axis", "Padding", "Window", "window_of"]


class Padding(IntEnum):
    """The padding of windows, with the schema's numbers."""

    SAME = 0
    VALID = 1


@dataclass(frozen=True)
class Axis:
    """One axis along which a window moves.

    A *tap* is one position in the window, `0 … length − 1`.

    Attributes:
        size: size of the input.
        length: number of taps.
        stride: distance between two windows.
        dilation: distance between two taps.
        output: number of windows.
        before: number of padding elements before the input.
    """

    size: int
    length: int
    stride: int
    dilation: int
    output: int
    before: int

    @property
    def blocks(self) -> int:
        """The number of strides that cover the padded input and all windows."""
        reach = (self.length - 1) * self.dilation + 1
        end = max(self.before + self.size, (self.output - 1) * self.stride + reach)
        return -(-end // self.stride)

    @property
    def after(self) -> int:
        """The number of padding elements after the input that fill the last block."""
        return self.blocks * self.stride - self.before - self.size

    def position(self, tap: int) -> tuple[int, int]:
        """Return the block of a tap in the first window, and its position in the block."""
        return divmod(tap * self.dilation, self.stride)


Window: TypeAlias = tuple[Axis, Axis]
"""Height and width."""


def window_of(shape: Sequence[int], lengths: tuple[int, int], options: Mapping[str, Any]) -> Window:
    """Return the geometry of a window on an input [N, H, W, …].

    Args:
        shape: shape of the input.
        lengths: number of taps along height and width.
        options: strides, dilations and padding, under the schema's names.

    Raises:
        ValueError: If a number is below 1, or the window does not fit into the input.
    """
    if len(shape) != 4:
        raise ValueError(f"an image has 4 axes, got shape {list(shape)}")
    return (
        _axis("H", shape[1], lengths[0], options),
        _axis("W", shape[2], lengths[1], options),
    )


def _axis(name: str, size: int, length: int, options: Mapping[str, Any]) -> Axis:
    stride = options[f"stride{name}"]
    dilation = options.get(f"dilation{name}Factor", 1)
    if min(stride, dilation, length) < 1:
        raise ValueError(f"stride {stride}, dilation {dilation}, window {length}")
    reach = (length - 1) * dilation + 1
    if options.get("padding", Padding.SAME) == Padding.VALID:
        return Axis(size, length, stride, dilation, -(-(size - reach + 1) // stride), 0)
    output = -(-size // stride)
    around = max((output - 1) * stride + reach - size, 0)
    return Axis(size, length, stride, dilation, output, around // 2)
