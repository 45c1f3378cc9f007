"""What EfficientNet-Lite0 is: its convolutions, in the order that they run.

Tan and Le, *EfficientNet* (2019), in the Lite form of 2020: no squeeze-and-excitation, ReLU6
instead of swish, and a stem and a head that are not scaled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["BLOCKS", "HEAD", "STEM", "Block", "Convolution"]


@dataclass(frozen=True)
class Convolution:
    """A convolution with the batch normalization behind it; padding is SAME.

    Attributes:
        name: of its output.
        weights: its name among the weights.
        norm: the name of its normalization.
        stride: in both directions.
        depthwise: each channel by itself.
        relu6: it ends in ReLU6.
    """

    name: str
    weights: str
    norm: str
    stride: int = 1
    depthwise: bool = False
    relu6: bool = True


@dataclass(frozen=True)
class Block:
    """Expand, filter each channel, project; and add the input where shapes allow.

    Attributes:
        name: of its output.
        convolutions: two or three.
        residual: its input is added to what it projects.
    """

    name: str
    convolutions: tuple[Convolution, ...]
    residual: bool


# Repeats, stride of the first, expansion. Kernel sizes and channels are those of the weights.
_STAGES = ((1, 1, 1), (2, 2, 6), (2, 2, 6), (3, 2, 6), (3, 1, 6), (4, 2, 6), (1, 1, 6))


def _blocks() -> Iterator[Block]:
    number = 0
    for repeats, stride, expansion in _STAGES:
        for repeat in range(repeats):
            first = repeat == 0  # it changes the shape, so there is nothing to add
            yield _block(number, stride if first else 1, expansion > 1, residual=not first)
            number += 1


def _block(number: int, stride: int, expands: bool, *, residual: bool) -> Block:
    name, weights = f"block_{number + 1}", f"_blocks.{number}."
    expand = Convolution(f"{name}/expand", f"{weights}_expand_conv", f"{weights}_bn0")
    filter_ = Convolution(
        f"{name}/depthwise", f"{weights}_depthwise_conv", f"{weights}_bn1", stride, depthwise=True
    )
    project = Convolution(
        f"{name}/project" if residual else name,
        f"{weights}_project_conv", f"{weights}_bn2", relu6=False,
    )  # fmt: skip
    return Block(name, (expand, filter_, project) if expands else (filter_, project), residual)


STEM = Convolution("stem", "_conv_stem", "_bn0", stride=2)
BLOCKS = tuple(_blocks())
"""Sixteen, `block_1` to `block_16`."""
HEAD = Convolution("head", "_conv_head", "_bn1")
