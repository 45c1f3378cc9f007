"""Check the arguments of `convert`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import ConversionError
from .heads import GraphHead, Head, SoftmaxClassifier
from .modalities.image.conventions import Convention, convention
from .optimizers import DEFAULT_OPTIMIZER, Optimizer
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
        classes: the name of each class index, None for a free one.
        features: names of the feature tensors; empty to find them automatically.
        batch_size: B, the rows of one training step.
        scaling: the image scaling that the caller states, or None.
        test_scaling: run the first layer to check whether the scaling is plausible.
        quantize: the quantization mode, or None.
        representative: representative samples, or None.
    """

    head: Head
    optimizer: Optimizer
    classes: tuple[str | None, ...]
    features: tuple[str, ...]
    batch_size: int
    scaling: Convention | None
    test_scaling: bool
    quantize: str | None
    representative: RepresentativeSamples | None


def check_options(
    *,
    classes: int | Sequence[str],
    head: Head | None,
    optimizer: Optimizer | None,
    features: str | Sequence[str] | None,
    capacity: int | None,
    batch_size: int,
    mean: float | Sequence[float] | None,
    std: float | Sequence[float] | None,
    preprocessing: str | None,
    quantize: str,
    representative: RepresentativeSamples | None,
) -> ConversionOptions:
    """Check the arguments of `convert` and fill in the defaults.

    Raises:
        ConversionError: If an argument is invalid or contradicts another.
    """
    head, optimizer = head or SoftmaxClassifier(), optimizer or DEFAULT_OPTIMIZER
    check_parts(head, optimizer)
    if not 1 <= batch_size <= _MAX_BATCH:
        raise ConversionError(f"batch_size must be between 1 and {_MAX_BATCH}, got {batch_size}")
    if quantize == "none" and representative is not None:
        raise ConversionError(
            "representative samples need a quantization mode, for example quantize='full-integer'"
        )
    return ConversionOptions(
        head=head,
        optimizer=optimizer,
        classes=_class_table(classes, capacity, head),
        features=(features,) if isinstance(features, str) else tuple(features or ()),
        batch_size=batch_size,
        scaling=convention(preprocessing, mean, std),
        test_scaling=preprocessing is None,
        quantize=None if quantize == "none" else quantize,
        representative=representative,
    )


def _class_table(
    classes: int | Sequence[str], capacity: int | None, head: Head
) -> tuple[str | None, ...]:
    """Return the name of each class index: the names first, then None up to the capacity."""
    if isinstance(classes, int):
        if capacity not in (None, classes):
            raise ConversionError(
                f"classes={classes} is the capacity already: give classes={capacity} without "
                "capacity, or the names of the classes"
            )
        names, size = [], classes
    else:
        names = _class_names(classes)
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
    if isinstance(classes, str) or not all(isinstance(name, str) for name in classes):
        raise ConversionError(
            "classes must be a number or a list of names, for example ['cup', 'key']; "
            f"got {classes!r}"
        )
    names = [" ".join(name.split()) for name in classes]  # each is a line of labels.txt
    if not all(names) or len(set(names)) != len(names):
        raise ConversionError(f"class names must differ and not be empty, got {names}")
    return names
