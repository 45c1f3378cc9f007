"""The shapes of inputs: batch 1, and no axis left open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from ..errors import ConversionError

__all__ = ["InputShape", "fixed_shapes"]

InputShape: TypeAlias = "Sequence[int] | Mapping[str, Sequence[int]] | None"
"""Of one sample, without the batch; for several inputs a mapping from their names."""

_TELL = "tell it (input_shape=, --input-shape), as 224,224,3: without the batch"


def fixed_shapes(
    stated: Mapping[str, Sequence[int | None] | None], told: InputShape, what: str
) -> dict[str, tuple[int, ...]]:
    """The shape [1, …] of each input.

    Args:
        stated: what the model says, the batch included; None where an axis, or all, is open.
        told: what the user says, which goes before.
        what: has these inputs, for messages.

    Raises:
        ConversionError: an axis stays open, or what is told does not fit.
    """
    own = _by_name(stated, told, what)
    return {name: _fixed(name, shape, own.get(name), what) for name, shape in stated.items()}


def _by_name(
    stated: Mapping[str, object], told: InputShape, what: str
) -> Mapping[str, Sequence[int]]:
    if told is None:
        return {}
    names = ", ".join(stated)
    if not isinstance(told, Mapping):
        if len(stated) != 1:
            raise ConversionError(
                f"{what} has {len(stated)} inputs ({names}): give input_shape as a mapping, "
                "name → shape without the batch"
            )
        told = dict.fromkeys(stated, told)
    for name in told:
        if name not in stated:
            raise ConversionError(f"{what} has no input {name!r}: its inputs are {names}")
    return told


def _fixed(
    name: str,
    stated: Sequence[int | None] | None,
    told: Sequence[int] | None,
    what: str,
) -> tuple[int, ...]:
    if stated is not None and not stated:
        return ()
    batch, *own = stated if stated is not None else (1,)
    if told is not None:
        if not all(type(size) is int and size > 0 for size in told):
            raise ConversionError(f"input_shape takes whole numbers above 0, got {list(told)}")
        if stated is not None and not _fits(told, own):
            raise ConversionError(
                f"{what} takes {_text(own)} as {name}, without the batch; input_shape says "
                f"{_text(told)}"
            )
        own = list(told)
    elif stated is None:
        raise ConversionError(f"{what} does not say what shape {name} has: {_TELL}")
    sizes = [size for size in own if size is not None]
    if len(sizes) < len(own):
        raise ConversionError(f"{what} leaves the shape of {name} open, {_text(own)}: {_TELL}")
    return (batch or 1, *sizes)


def _fits(told: Sequence[int], stated: Sequence[int | None]) -> bool:
    return len(told) == len(stated) and all(
        size in (None, own) for own, size in zip(told, stated, strict=True)
    )


def _text(shape: Sequence[int | None]) -> str:
    return "[" + ", ".join("?" if size is None else str(size) for size in shape) + "]"
