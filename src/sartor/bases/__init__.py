"""Bases: where the frozen part comes from."""

from .base import MOBILENET_V2, STARTER, Base, load_base
from .efficientnet_lite0 import EfficientNetLite0
from .mobilenet_v2 import MobileNetV2
from .tflite import TFLite

__all__ = [
    "MOBILENET_V2",
    "STARTER",
    "Base",
    "EfficientNetLite0",
    "MobileNetV2",
    "TFLite",
    "load_base",
]
