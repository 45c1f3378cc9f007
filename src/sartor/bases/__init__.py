"""Bases: where the frozen part comes from."""

from .base import STARTER, Base, load_base
from .efficientnet_lite0 import EfficientNetLite0
from .tflite import TFLite

__all__ = ["STARTER", "Base", "EfficientNetLite0", "TFLite", "load_base"]
