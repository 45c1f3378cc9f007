"""From what a user has to what the base takes: the same numbers in every language."""

from .augment import views
from .folder import prepared, read_folder
from .image import Image, image_pixels
from .inputs import Sample, prepare

__all__ = ["Image", "Sample", "image_pixels", "prepare", "prepared", "read_folder", "views"]
