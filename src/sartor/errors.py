"""The exceptions of Sartor.

All derive from `SartorError`, so that an app can distinguish invalid input from a defect in
Sartor. A message states the actual value, the expected one, and the next step.
"""

from __future__ import annotations

__all__ = [
    "CheckpointError",
    "ConversionError",
    "DataError",
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
