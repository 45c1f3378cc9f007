"""Read, check and write `.tflite` files. No other package uses the schema."""

from .archive import ZIP_ERRORS, append_files, files_start
from .load import load_file
from .metadata import METADATA_NAME, decode_metadata, encode_metadata
from .reader import read
from .shapes import check_shapes
from .write import Tail, Written, write, write_with_places

__all__ = [
    "METADATA_NAME",
    "ZIP_ERRORS",
    "Tail",
    "Written",
    "append_files",
    "check_shapes",
    "decode_metadata",
    "encode_metadata",
    "files_start",
    "load_file",
    "read",
    "write",
    "write_with_places",
]
