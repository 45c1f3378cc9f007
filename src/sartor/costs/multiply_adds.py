"""The multiply-adds of an op."""

from __future__ import annotations

from ..graph import Op
from ..ops import find_row

__all__ = ["multiply_adds"]


def multiply_adds(op: Op) -> int | None:
    """Return the multiply-adds of one run of an op; 0 for an op that multiplies no matrices.

    They are counted as papers count them: with padding, without biases and activations.

    Returns:
        None for an op whose work the file does not state, such as a custom op or a loop.
    """
    try:
        return find_row(op).multiply_adds(op)
    except (IndexError, ValueError, ZeroDivisionError):  # shapes that no kernel would take
        return None
