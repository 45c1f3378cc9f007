"""`.tflite` files: reading, checking and writing them. Nothing else knows the schema."""

from .archive import append_files
from .reader import read
from .writer import write, write_with_ranges

__all__ = ["append_files", "read", "write", "write_with_ranges"]
