"""The argument BASE and its options."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..errors import FeatureError
from ._parse import parse_integers
from ._progress import busy
from .report import fail

if TYPE_CHECKING:
    from ..bases import Base

__all__ = ["base_labels", "find", "list_choices", "show_conversion"]

_OPTION = "--input-shape"
_FEATURES = "--features"


def find(base: str, signature: str | None, shapes: Sequence[str] | None) -> Base:
    """Return a base.

    Args:
        base: path or name.
        signature: value of `--signature`.
        shapes: values of `--input-shape`.
    """
    from ..bases import find_base

    return find_base(base, signature=signature, input_shape=_input_shape(shapes or ()))


def base_labels(base: str) -> Sequence[str]:
    """Return the class names of a model in a ZIP archive; none for other bases."""
    from ..bases.archive import is_exported_model, read_exported_model

    is_archive = Path(base).is_file() and is_exported_model(Path(base))
    return read_exported_model(Path(base)).labels if is_archive else ()


def show_conversion(base: Base, name: str) -> AbstractContextManager[None]:
    """Show a spinner while a framework converts a base, which can take seconds."""
    from ..bases import EfficientNetLite0, TFLite

    quick = isinstance(base, TFLite | EfficientNetLite0)
    return nullcontext() if quick else busy(f"converting {name}")


@contextmanager
def list_choices(arguments: Sequence[str]) -> Iterator[None]:
    """If the features are not clear, print the command for each choice.

    Args:
        arguments: arguments of this command.
    """
    try:
        yield
    except FeatureError as error:
        if not error.choices:
            raise
        command = _without_features(arguments)
        lines = [
            f"  {shlex.join(['sartor', *command, *_options(names)])}  # {count:,} numbers"
            for names, count in error.choices.items()
        ]
        fail(f"{error.reason}. Choose the features with:", lines)


def _without_features(arguments: Sequence[str]) -> list[str]:
    """Return the arguments without `--features NAME` and `--features=NAME`."""
    values = {i + 1 for i, text in enumerate(arguments) if text == _FEATURES}
    return [
        text
        for i, text in enumerate(arguments)
        if i not in values and text.split("=")[0] != _FEATURES
    ]


def _options(names: Sequence[str]) -> list[str]:
    return [text for name in names for text in (_FEATURES, name)]


def _input_shape(texts: Sequence[str]) -> Sequence[int] | Mapping[str, Sequence[int]] | None:
    """Return the shapes of `96,96,3`, or of `ids=8` and `mask=8` for several inputs."""
    named = dict(text.split("=", 1) for text in texts if "=" in text)
    if named and len(named) == len(texts):
        return {name: parse_integers(_OPTION, sizes) for name, sizes in named.items()}
    if named or len(texts) > 1:
        raise typer.BadParameter(
            f"expected one shape, or NAME=SHAPE for each input; got {' '.join(texts)}",
            param_hint=_OPTION,
        )
    return parse_integers(_OPTION, texts[0]) if texts else None
