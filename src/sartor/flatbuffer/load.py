"""Loading of a model file."""

from __future__ import annotations

from pathlib import Path

from .._descriptors import read_file
from .._files import check_readable
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
        check_readable(path, InvalidModelError)
        size = path.stat().st_size
        if size > _MAX_BYTES:
            raise InvalidModelError(
                f"{path} has {size} bytes, expected fewer than 2 GiB: a flatbuffer holds no more."
            )
        return read_file(path)
    except (FileNotFoundError, IsADirectoryError) as error:
        what = "does not exist" if isinstance(error, FileNotFoundError) else "is a directory"
        raise InvalidModelError(f"{path} {what}, expected a file. {advice}") from error
    except OSError as error:
        raise InvalidModelError(f"{path} cannot be read: {error}. {advice}") from error
