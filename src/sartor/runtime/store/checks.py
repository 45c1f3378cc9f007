"""Checks of labels, targets and images, before the store is changed."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ...contract.sample_store import STORE_MAX_IMAGE_BYTES, STORE_MAX_LABEL
from ...errors import DataError

__all__ = ["check_images", "check_label", "check_targets"]


def check_label(label: object) -> str:
    """Return a label; raise DataError if it cannot be the name of a class."""
    if not isinstance(label, str) or not label.strip() or len(label) > STORE_MAX_LABEL:
        raise DataError(
            f"a label must be the name of a class, such as 'hat', of at most "
            f"{STORE_MAX_LABEL} characters; got {repr(label)[:80]}"
        )
    try:
        label.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"a label must be valid Unicode; {label!r} has half of a surrogate pair"
        ) from error
    return label


def check_targets(task: str, targets: Mapping[str, float]) -> dict[str, float]:
    """Return class name → target; raise DataError if the targets do not fit the task.

    An unknown task, an empty text, accepts any finite targets.
    """
    checked = {check_label(label): float(value) for label, value in targets.items()}
    if not checked:
        raise DataError("a sample needs a target: a mapping class name → value; got none")
    if not all(map(math.isfinite, checked.values())):
        raise DataError(f"targets must be finite numbers; got {dict(targets)}")
    if task == "classification" and list(checked.values()) != [1.0]:
        raise DataError(
            f"a sample of this model has one class, with target 1; got {dict(targets)}. For "
            "several labels per sample, convert the base with MultiLabelClassifier"
        )
    if task == "multi_label" and not all(0 <= value <= 1 for value in checked.values()):
        raise DataError(f"the target of a label must be 0 to 1; got {dict(targets)}")
    return checked


def check_images(**images: bytes | None) -> dict[str, bytes]:
    """Return kind → image file, without None; raise DataError if one is too large."""
    present = {kind: data for kind, data in images.items() if data is not None}
    for kind, data in present.items():
        if len(data) > STORE_MAX_IMAGE_BYTES:
            raise DataError(
                f"the {kind} has {len(data):,} bytes; at most {STORE_MAX_IMAGE_BYTES:,} can be "
                "stored"
            )
    return present
