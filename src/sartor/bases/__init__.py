"""Bases: where the frozen part comes from."""

from .base import Base, load_base
from .tflite import TFLite

__all__ = ["Base", "TFLite", "load_base"]
