"""The exceptions of Sartor.

All derive from `SartorError`, so that an app can distinguish invalid input from a defect in
Sartor. A message states the actual value, the expected one, and the next step.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "CheckpointError",
    "ConversionError",
    "DataError",
    "FeatureError",
    "GradientError",
    "InvalidModelError",
    "NotPersonalizableError",
    "OutputError",
    "SartorError",
    "StoreError",
    "TrainingError",
    "VerificationError",
]


class SartorError(Exception):
    """The base class of all exceptions of Sartor."""


class InvalidModelError(SartorError):
    """A file is not a `.tflite` model, or is damaged, so that LiteRT must not load it."""


class NotPersonalizableError(SartorError):
    """A model does not fulfill the contract of a personalizable file."""


class ConversionError(SartorError):
    """A base, head and optimizer cannot be converted into a personalizable file."""


class FeatureError(ConversionError):
    """A base cannot be cut at the default features, or at those that the user names.

    Attributes:
        reason: the message without the choices.
        choices: values of the argument `features` of `convert` that convert, each with the number
            of elements of the features.
    """

    def __init__(self, reason: str, choices: Mapping[tuple[str, ...], int] | None = None) -> None:
        self.reason = reason
        self.choices = dict(choices or {})
        listed = " or ".join(
            f"features={_features(names)!r} ({count:,} numbers)"
            for names, count in self.choices.items()
        )
        super().__init__(f"{reason}. Choose {listed}" if listed else reason)


class GradientError(ConversionError):
    """A gradient does not exist or is not supported."""


class DataError(SartorError, ValueError):
    """An argument is invalid: a sample, label, array, folder or option."""


class CheckpointError(SartorError):
    """A checkpoint is damaged or belongs to another model."""


class StoreError(SartorError):
    """A sample store is damaged, is in use by another process, or has features of another base."""


class OutputError(SartorError, OSError):
    """An output file cannot be written without losing another file."""


class TrainingError(SartorError):
    """A training diverged, so that the weights before it stay; or another training is running."""


class VerificationError(SartorError):
    """A file violates the contract; the message lists each violation."""


def _features(names: tuple[str, ...]) -> str | list[str]:
    """Return names as a value of the argument `features`."""
    return names[0] if len(names) == 1 else list(names)
