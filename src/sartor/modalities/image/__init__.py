"""Images: decoding, cropping, resizing, normalization and augmentation."""

from .modality import ImageModality
from .pixels import image_pixels
from .values import Image

__all__ = ["Image", "ImageModality", "image_pixels"]
