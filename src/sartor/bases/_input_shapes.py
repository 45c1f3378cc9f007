"""Determine the static shapes of inputs, with batch 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from ..errors import ConversionError

__all__ = ["InputShape", "fixed_shapes"]

InputShape: TypeAlias = "Sequence[int] | Mapping[str, Sequence[int]] | None"
"""Shape of one sample, without the batch; for several inputs, name → shape."""

_ADVICE = "state it without the batch (input_shape=, --input-shape), for example 224,224,3"


def fixed_shapes(
    stated: Mapping[str, Sequence[int | None] | None], input_shape: InputShape, what: str
) -> dict[str, tuple[int, ...]]:
    """Return the shape [1, …] of each input.

    Args:
        stated: shapes of the model, with the batch; None for an unknown axis or shape.
        input_shape: shapes of the user, which take precedence.
        what: name of the model, for messages.

    Raises:
        ConversionError: If an axis remains unknown, or a shape of the user does not fit.
    """
    shapes = _by_name(stated, input_shape, what)
    return {
        name: _static_shape(name, shape, shapes.get(name), what) for name, shape in stated.items()
    }


def _by_name(
    stated: Mapping[str, object], input_shape: InputShape, what: str
) -> Mapping[str, Sequence[int]]:
    if input_shape is None:
        return {}
    names = ", ".join(stated)
    if not isinstance(input_shape, Mapping):
        if len(stated) != 1:
            raise ConversionError(
                f"{what} has {len(stated)} inputs ({names}): input_shape must be a mapping, "
                "name → shape without the batch"
            )
        input_shape = dict.fromkeys(stated, input_shape)
    for name in input_shape:
        if name not in stated:
            raise ConversionError(f"{what} has no input {name!r}: its inputs are {names}")
    return input_shape


def _static_shape(
    name: str,
    stated: Sequence[int | None] | None,
    input_shape: Sequence[int] | None,
    what: str,
) -> tuple[int, ...]:
    if stated is not None and not stated:
        return ()
    batch, *axes = stated if stated is not None else (1,)
    if input_shape is not None:
        if not all(type(size) is int and size > 0 for size in input_shape):
            raise ConversionError(f"input_shape must be positive integers, got {list(input_shape)}")
        if stated is not None and not _fits(input_shape, axes):
            raise ConversionError(
                f"the shape of {name} in {what} is {_format_shape(axes)} without the batch; "
                f"input_shape is {_format_shape(input_shape)}"
            )
        axes = list(input_shape)
    elif stated is None:
        raise ConversionError(f"{what} does not state the shape of {name}: {_ADVICE}")
    sizes = [size for size in axes if size is not None]
    if len(sizes) < len(axes):
        raise ConversionError(
            f"{what} does not state the whole shape of {name}, {_format_shape(axes)}: {_ADVICE}"
        )
    return (batch or 1, *sizes)


def _fits(input_shape: Sequence[int], stated: Sequence[int | None]) -> bool:
    return len(input_shape) == len(stated) and all(
        size in (None, own) for own, size in zip(input_shape, stated, strict=True)
    )


def _format_shape(shape: Sequence[int | None]) -> str:
    return "[" + ", ".join("?" if size is None else str(size) for size in shape) + "]"
