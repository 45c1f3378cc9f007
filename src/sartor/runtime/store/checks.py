"""What a store takes; anything else is refused before the file is touched."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ...errors import DataError
from .reading import MAX_PICTURE

__all__ = ["check_bounds", "check_label", "check_picture", "check_targets"]

_MAX_LABEL = 1000  # characters


def check_bounds(**bounds: int | None) -> None:
    """Raise DataError unless each bound is None or at least 1."""
    for name, value in bounds.items():
        if value is not None and value < 1:
            raise DataError(f"{name} must be at least 1, or None for no bound; got {value}")


def check_label(label: object) -> str:
    """The name of a class; raises DataError when it cannot be one."""
    if not isinstance(label, str) or not label.strip() or len(label) > _MAX_LABEL:
        raise DataError(
            f"a label is the name of a class, as 'hat', of at most {_MAX_LABEL} characters; "
            f"got {repr(label)[:80]}"
        )
    try:
        label.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"a label must be text; {label!r} has half of a character pair") from error
    return label


def check_targets(task: str, targets: Mapping[str, float]) -> dict[str, float]:
    """Targets that fit the task: class name → value.

    Raises:
        DataError: they do not.
    """
    checked = {check_label(label): float(value) for label, value in targets.items()}
    if not checked:
        raise DataError("a sample needs a target: class name → value; got none")
    if not all(map(math.isfinite, checked.values())):
        raise DataError(f"targets must be finite numbers; got {dict(targets)}")
    if task == "classification" and list(checked.values()) != [1.0]:
        raise DataError(
            f"the model gives each sample one class, of value 1; got {dict(targets)}. For several "
            "labels a sample convert the base with MultiLabelClassifier"
        )
    if task == "multi_label" and not all(0 <= value <= 1 for value in checked.values()):
        raise DataError(f"the targets of labels are 0…1; got {dict(targets)}")
    return checked


def check_picture(kind: str, data: bytes) -> bytes:
    """The bytes of a picture; raises DataError when it is too large."""
    if len(data) > MAX_PICTURE:
        raise DataError(
            f"the {kind} has {len(data):,} bytes; at most {MAX_PICTURE:,} are kept with a sample"
        )
    return data
