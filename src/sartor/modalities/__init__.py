"""Modalities: from the user's values to the inputs of the base, the same in every language.

Everything that depends on the modality of an input is in one object, see `Modality`.
"""

from .folder import FileLabel, LabelledFile, Listing, read_folder
from .image import Image, image_pixels
from .labels import has_files, read_labels
from .modality import LoadedInput, Modality
from .sample import (
    LoadedSample,
    Sample,
    identity_of_name,
    is_sample_file,
    load,
    load_stored,
    prepare,
)
from .table import MODALITIES, modality_of
from .windows import read_labelled_windows, read_windows

__all__ = [
    "MODALITIES",
    "FileLabel",
    "Image",
    "LabelledFile",
    "Listing",
    "LoadedInput",
    "LoadedSample",
    "Modality",
    "Sample",
    "has_files",
    "identity_of_name",
    "image_pixels",
    "is_sample_file",
    "load",
    "load_stored",
    "modality_of",
    "prepare",
    "read_folder",
    "read_labelled_windows",
    "read_labels",
    "read_windows",
]
