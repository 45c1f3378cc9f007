"""Images: decoding, cropping, resizing, normalization and augmentation."""

from .modality import ImageModality
from .pixels import Image, image_pixels

__all__ = ["Image", "ImageModality", "image_pixels"]
