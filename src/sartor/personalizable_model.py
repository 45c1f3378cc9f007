"""The result of a conversion."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ._files import write_atomically
from ._outputs import MODEL, check_output
from .contract.manifest import Manifest

if TYPE_CHECKING:
    from .quantization import QuantizationReport

__all__ = ["PersonalizableModel"]


@dataclass(frozen=True)
class PersonalizableModel:
    """A `.tflite` file in memory that can be trained on the device.

    Attributes:
        content: bytes of the `.tflite` file.
        manifest: manifest of the file (`sartor.json`).
        cut: one line that states where the base was cut and why.
        notes: messages for the user.
        quantization: report on the quantization of the base, or None if it was not quantized.
    """

    content: bytes
    manifest: Manifest
    cut: str
    notes: tuple[str, ...] = ()
    quantization: QuantizationReport | None = None

    def save(self, path: str | os.PathLike[str], *, force: bool = False) -> Path:
        """Write the file atomically and return its path.

        Args:
            path: path of the file.
            force: whether to replace a file of another type. Default: False.

        Raises:
            OutputError: If the path is not a regular file, or a file of another type.
            OSError: If the folder does not exist or is not writable, or the disk is full. A
                previous file of that name then stays unchanged.
        """
        return write_atomically(check_output(path, MODEL, force=force), self.content)

    def __repr__(self) -> str:
        size = f"{len(self.content):,} bytes"
        return f"<PersonalizableModel: {size}, capacity {self.manifest.capacity} classes>"
