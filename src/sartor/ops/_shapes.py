"""Shape arithmetic that more than one family of ops needs."""

from __future__ import annotations

from collections.abc import Sequence

from ..graph import Tensor

__all__ = ["broadcast_shape", "constant_ints", "given", "normalize_axes"]


def given(tensor: Tensor | None) -> Tensor:
    """The tensor, which must not be left out."""
    if tensor is None:
        raise ValueError("an input is left out")
    return tensor


def broadcast_shape(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that NumPy's rules give; raises ValueError when they give none."""
    rank = max(len(shape) for shape in shapes)
    padded = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    result = []
    for sizes in zip(*padded, strict=True):
        large = {size for size in sizes if size != 1}
        if len(large) > 1:
            raise ValueError(f"shapes {', '.join(map(str, shapes))} do not broadcast together")
        result.append(large.pop() if large else 1)
    return tuple(result)


def constant_ints(tensor: Tensor | None) -> tuple[int, ...]:
    """The integers of a constant, flat; raises ValueError when it is computed at run time."""
    tensor = given(tensor)
    if not tensor.is_constant:
        raise ValueError(f"{tensor!r} must be a constant")
    return tuple(int(value) for value in tensor.value.reshape(-1))


def normalize_axes(axes: Sequence[int], rank: int) -> tuple[int, ...]:
    """Axes in ascending order, each once, none negative; raises ValueError when out of range."""
    for axis in axes:
        if not -rank <= axis < rank:
            raise ValueError(f"axis {axis} is out of range for rank {rank}")
    return tuple(sorted({axis % rank for axis in axes}))
