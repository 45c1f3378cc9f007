"""Every function that reads a model file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import sartor
from sartor import PersonalModel
from sartor.errors import VerificationError
from sartor.inspection import describe
from sartor.runtime import bake, reembed
from sartor.testing.verify import verify_contract

__all__ = ["READERS", "Files"]


@dataclass(frozen=True)
class Files:
    """The other files that a reader needs, and a path that it may write.

    Attributes:
        checkpoint: a checkpoint of the model.
        store: a sample store of the model.
        output: path of a file that does not exist.
    """

    checkpoint: Path
    store: Path
    output: Path


def _open(model: Path, files: Files) -> None:
    PersonalModel(model).close()


def _verify(model: Path, files: Files) -> None:
    report = verify_contract(model)
    if not report.passed:
        details = (f"{check.name}: {check.detail}" for check in report.failures)
        raise VerificationError("; ".join(details))


def _convert(model: Path, files: Files) -> None:
    sartor.convert(model, classes=3).save(files.output)


READERS: Mapping[str, Callable[[Path, Files], object]] = {
    "open": _open,
    "inspect": lambda model, _: describe(model),
    "verify": _verify,
    "convert": _convert,
    "bake": lambda model, files: bake(model, files.checkpoint, files.output),
    "freeze": lambda model, files: sartor.freeze(model, files.output, files.checkpoint),
    "reembed": lambda model, files: reembed(model, files.store),
}
"""Name → function of the model's path and the other files."""
