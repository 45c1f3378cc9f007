"""BASE on the command line: what it stands for, and how its inputs are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import typer

from ._progress import busy

if TYPE_CHECKING:
    from ..bases import Base

__all__ = ["find", "while_it_converts"]

_OPTION = "--input-shape"


def find(base: str, signature: str | None, shapes: Sequence[str] | None) -> Base:
    """The base that is meant; what cannot be converted is said when it is loaded."""
    from ..bases import find_base

    return find_base(base, signature=signature, input_shape=_input_shape(shapes or ()))


def while_it_converts(base: Base, name: str) -> AbstractContextManager[None]:
    """Show that something goes on, where a framework takes its time to convert a base."""
    from ..bases import EfficientNetLite0, TFLite

    quick = isinstance(base, TFLite | EfficientNetLite0)
    return nullcontext() if quick else busy(f"making a .tflite of {name}")


def _input_shape(texts: Sequence[str]) -> Sequence[int] | Mapping[str, Sequence[int]] | None:
    """`96,96,3`; or for several inputs `ids=8` and `mask=8`."""
    named = dict(text.split("=", 1) for text in texts if "=" in text)
    if named and len(named) == len(texts):
        return {name: _sizes(sizes) for name, sizes in named.items()}
    if named or len(texts) > 1:
        raise typer.BadParameter(
            f"one shape, or NAME=SHAPE for each input; got {' '.join(texts)}", param_hint=_OPTION
        )
    return _sizes(texts[0]) if texts else None


def _sizes(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(
            f"whole numbers, please, as 96,96,3; got {text!r}", param_hint=_OPTION
        ) from None
