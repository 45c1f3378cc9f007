"""Loading of a model file."""

from __future__ import annotations

from pathlib import Path

from ..errors import InvalidModelError

__all__ = ["load_file"]

_MAX_BYTES = 2**31 - 1


def load_file(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        InvalidModelError: If there is no such file, or it is too large for a flatbuffer.
    """
    advice = "Give the path of a .tflite file."
    try:
        if not path.is_file():
            what = "is a directory" if path.is_dir() else "does not exist"
            raise InvalidModelError(f"{path} {what}, expected a file. {advice}")
        size = path.stat().st_size
        if size > _MAX_BYTES:
            raise InvalidModelError(
                f"{path} has {size} bytes, expected fewer than 2 GiB: a flatbuffer holds no more."
            )
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise InvalidModelError(f"{path} cannot be read: {error}. {advice}") from error
