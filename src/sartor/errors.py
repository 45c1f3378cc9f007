"""Every error that Sartor raises on purpose.

A message says what was got, what was expected, and what to do about it. All derive from
`SartorError`, so that an app (and the command line) can tell a mistake in the input from a
defect in Sartor.
"""

from __future__ import annotations

__all__ = [
    "CancelledError",
    "CheckpointError",
    "ConversionError",
    "DataError",
    "GradientError",
    "InvalidModelError",
    "NotPersonalizableError",
    "SartorError",
    "StoreError",
    "TrainingError",
    "VerificationError",
]


class SartorError(Exception):
    """The base of all errors that Sartor raises on purpose."""


class InvalidModelError(SartorError):
    """The file is not a `.tflite` model, or one that LiteRT must not be given."""


class NotPersonalizableError(SartorError):
    """The file is a model, but does not keep the contract of a personalizable file."""


class ConversionError(SartorError):
    """The base, head and optimizer given cannot become a personalizable file."""


class GradientError(ConversionError):
    """A gradient was asked for that does not exist or is not yet supported."""


class DataError(SartorError, ValueError):
    """A sample, label, array or folder is not what the model takes."""


class CheckpointError(SartorError):
    """A checkpoint is damaged, or belongs to another model."""


class StoreError(SartorError):
    """A sample store is damaged, in use elsewhere, or belongs to another model."""


class TrainingError(SartorError):
    """Training went astray; the weights are those of before."""


class VerificationError(SartorError):
    """A file breaks a promise of the contract: the message lists each one."""


class CancelledError(SartorError):
    """The caller asked to stop before the work was done."""
