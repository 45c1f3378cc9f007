"""The size of an arena: memory that tensors share if they are not in use at the same time."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from typing import NamedTuple

from ..graph import Tensor

__all__ = ["ALIGNMENT", "Block", "aligned", "arena_size", "tensor_bytes"]

ALIGNMENT = 64  # bytes; LiteRT's `kDefaultTensorAlignment`


class Block(NamedTuple):
    """Memory that is in use from one step of the execution to another.

    Attributes:
        size: number of bytes.
        first, last: first and last step.
    """

    size: int
    first: int
    last: int


def tensor_bytes(tensor: Tensor) -> int:
    """Return the bytes of a tensor's values."""
    return tensor.size * (tensor.dtype.bits or 0) // 8


def aligned(size: int, alignment: int = ALIGNMENT) -> int:
    """Return a size, rounded up to a multiple of the alignment."""
    return -(-size // alignment) * alignment


def arena_size(blocks: Iterable[Block], alignment: int = 1) -> int:
    """Return the bytes that blocks take, if each goes to the smallest gap that is large enough.

    LiteRT and XNNPACK place the largest block first (greedy by size: Pisarchyk & Lee, 2020).

    Args:
        blocks: the blocks, in the order in which they are placed.
        alignment: alignment of each block. Default: 1.
    """
    placed: list[tuple[int, int, Block]] = []  # start, end; sorted
    size = 0
    for block in blocks:
        start = _find_gap(block, placed, alignment)
        insort(placed, (start, start + block.size, block))
        size = max(size, start + block.size)
    return size


def _find_gap(block: Block, placed: Iterable[tuple[int, int, Block]], alignment: int) -> int:
    """Return the start of the smallest gap between blocks that are in use at the same time."""
    end, best, smallest = 0, None, 0
    for start, other_end, other in placed:
        if other.last < block.first or other.first > block.last:
            continue
        candidate = aligned(end, alignment)
        gap = start - candidate
        if gap >= block.size and (best is None or gap < smallest):
            best, smallest = candidate, gap
        end = max(end, other_end)
    return aligned(end, alignment) if best is None else best
