"""Check the arguments of `convert`."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from ._arguments import check_flag, check_integer
from .errors import ConversionError
from .heads import FineTune, GraphHead, Head, SoftmaxClassifier
from .modalities.image.conventions import Convention, convention
from .optimizers import DEFAULT_OPTIMIZER, Adam, Optimizer
from .passes import check_parts

if TYPE_CHECKING:
    from .quantization import RepresentativeSamples

__all__ = ["ConversionOptions", "check_options"]

_MAX_CLASSES = 100_000
_MAX_BATCH = 65_536


@dataclass(frozen=True)
class ConversionOptions:
    """The checked arguments of `convert`.

    Attributes:
        head, optimizer: the trainable parts.
        fine_tune: the layers of the base to train too, or None.
        classes: the name of each class index, None for a free one.
        features: names of the feature tensors; empty to find them automatically.
        batch_size: B, the rows of one training step.
        scaling: the image scaling that the caller states, or None.
        test_scaling: run the first layer to check whether the scaling is plausible.
        normalize: power-normalize the features; None to choose.
        quantize: the quantization mode, or None.
        representative: representative samples, or None.
    """

    head: Head
    optimizer: Optimizer
    fine_tune: FineTune | None
    classes: tuple[str | None, ...]
    features: tuple[str, ...]
    batch_size: int
    scaling: Convention | None
    test_scaling: bool
    normalize: bool | None
    quantize: str | None
    representative: RepresentativeSamples | None


def check_options(
    *,
    classes: int | Sequence[str],
    head: Head | FineTune | None,
    optimizer: Optimizer | None,
    features: str | Sequence[str] | None,
    capacity: int | None,
    batch_size: int,
    mean: float | Sequence[float] | None,
    std: float | Sequence[float] | None,
    preprocessing: str | None,
    normalize: bool | None,
    quantize: str,
    representative: RepresentativeSamples | None,
) -> ConversionOptions:
    """Check the arguments of `convert` and fill in the defaults.

    Raises:
        ConversionError: If an argument is invalid or contradicts another.
    """
    fine_tune = head if isinstance(head, FineTune) else None
    if isinstance(head, FineTune):
        head = head.head
    head = SoftmaxClassifier() if head is None else head
    if optimizer is None:
        optimizer = DEFAULT_OPTIMIZER if fine_tune is None else Adam()
    check_parts(head, optimizer)
    check_integer(batch_size, "batch_size", 1, _MAX_BATCH, error=ConversionError)
    if normalize is not None:
        check_flag(normalize, "normalize", error=ConversionError)
    if not isinstance(quantize, str):
        raise ConversionError(f"quantize must be 'none' or the name of a mode; got {quantize!r}")
    if quantize == "none" and representative is not None:
        raise ConversionError(
            "representative samples need a quantization mode, for example quantize='full-integer'"
        )
    return ConversionOptions(
        head=head,
        optimizer=optimizer,
        fine_tune=fine_tune,
        classes=_class_table(classes, capacity, head),
        features=_feature_names(features),
        batch_size=batch_size,
        scaling=convention(preprocessing, mean, std),
        test_scaling=preprocessing is None,
        normalize=normalize,
        quantize=None if quantize == "none" else quantize,
        representative=representative,
    )


def _feature_names(features: object) -> tuple[str, ...]:
    """Return the names of the feature tensors; empty for None."""
    names = [features] if isinstance(features, str) else [] if features is None else features
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise ConversionError(
            f"features must be the name of a tensor, or a list of names; got {features!r}"
        )
    return tuple(names)


def _class_table(
    classes: int | Sequence[str], capacity: int | None, head: Head
) -> tuple[str | None, ...]:
    """Return the name of each class index: the names first, then None up to the capacity."""
    if capacity is not None:
        check_integer(capacity, "capacity", 1, error=ConversionError)
    if isinstance(classes, int | np.integer) and classes is not True:
        if capacity not in (None, classes):
            raise ConversionError(
                f"classes={classes} is the capacity already: give classes={capacity} without "
                "capacity, or the names of the classes"
            )
        names, size = [], int(classes)
    else:
        names = _class_names(cast("Sequence[str]", classes))
        size = capacity if capacity is not None else _default_capacity(head, len(names))
    if not max(1, len(names)) <= size <= _MAX_CLASSES:
        raise ConversionError(
            f"the capacity must be 1 to {_MAX_CLASSES:,} classes, and at least the number of class "
            f"names; got {len(names)} names and a capacity of {size}"
        )
    return (*names, *[None] * (size - len(names)))


def _default_capacity(head: Head, names: int) -> int:
    """Return the number of outputs if the head fixes it, else the number of names."""
    return head.outputs if isinstance(head, GraphHead) else names


def _class_names(classes: Sequence[str]) -> list[str]:
    is_list = isinstance(classes, Sequence | Set) and not isinstance(classes, str | bytes)
    if not is_list or not all(isinstance(name, str) for name in classes):
        raise ConversionError(
            "classes must be a number or a list of names, for example ['cup', 'key']; "
            f"got {classes!r}"
        )
    names = [" ".join(name.split()) for name in classes]  # each is a line of labels.txt
    if not all(names) or len(set(names)) != len(names):
        raise ConversionError(f"class names must differ and not be empty, got {names}")
    if not all(map(str.isprintable, names)):
        raise ConversionError(f"class names must be printable, got {names}")
    return names
