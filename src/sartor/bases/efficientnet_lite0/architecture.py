"""The layers of EfficientNet-Lite0, in execution order.

EfficientNet (Tan and Le, 2019) in the Lite variant of 2020: without squeeze-and-excitation, with
ReLU6 instead of swish, and with a stem and a head of fixed width.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["BLOCKS", "HEAD", "STEM", "Block", "Convolution"]


@dataclass(frozen=True)
class Convolution:
    """A convolution with batch normalization and SAME padding.

    Attributes:
        name: name of its output.
        weights: name of the convolution in the weights file.
        norm: name of the normalization in the weights file.
        stride: stride in both directions. Default: 1.
        depthwise: whether it is a depthwise convolution. Default: False.
        relu6: whether ReLU6 follows. Default: True.
    """

    name: str
    weights: str
    norm: str
    stride: int = 1
    depthwise: bool = False
    relu6: bool = True


@dataclass(frozen=True)
class Block:
    """An inverted residual block: expand, depthwise convolution, project.

    Attributes:
        name: name of its output.
        convolutions: two or three convolutions.
        residual: whether the input is added to the output.
    """

    name: str
    convolutions: tuple[Convolution, ...]
    residual: bool


# Repeats, stride of the first block, expansion. The weights determine kernel sizes and channels.
_STAGES = ((1, 1, 1), (2, 2, 6), (2, 2, 6), (3, 2, 6), (3, 1, 6), (4, 2, 6), (1, 1, 6))


def _blocks() -> Iterator[Block]:
    number = 0
    for repeats, stride, expansion in _STAGES:
        for repeat in range(repeats):
            first = repeat == 0  # it changes the shape, so there is no residual
            yield _block(number, stride if first else 1, expansion > 1, residual=not first)
            number += 1


def _block(number: int, stride: int, has_expansion: bool, *, residual: bool) -> Block:
    name, weights = f"block_{number + 1}", f"_blocks.{number}."
    expand = Convolution(f"{name}/expand", f"{weights}_expand_conv", f"{weights}_bn0")
    filter_ = Convolution(
        f"{name}/depthwise", f"{weights}_depthwise_conv", f"{weights}_bn1", stride, depthwise=True
    )
    project = Convolution(
        f"{name}/project" if residual else name,
        f"{weights}_project_conv", f"{weights}_bn2", relu6=False,
    )  # fmt: skip
    return Block(
        name, (expand, filter_, project) if has_expansion else (filter_, project), residual
    )


STEM = Convolution("stem", "_conv_stem", "_bn0", stride=2)
BLOCKS = tuple(_blocks())
"""The sixteen blocks `block_1` to `block_16`."""
HEAD = Convolution("head", "_conv_head", "_bn1")
