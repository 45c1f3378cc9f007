"""`.tflite` files: reading, checking and writing them. Nothing else knows the schema."""

from .archive import append_files
from .metadata import METADATA_NAME, decode_metadata, encode_metadata
from .reader import read
from .shapes import check_shapes
from .writer import write, write_with_ranges

__all__ = [
    "METADATA_NAME",
    "append_files",
    "check_shapes",
    "decode_metadata",
    "encode_metadata",
    "read",
    "write",
    "write_with_ranges",
]
