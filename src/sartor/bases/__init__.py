"""Bases: pretrained networks that compute features."""

from .base import MOBILENET_V2, STARTER, Base, find_base, load_base
from .efficientnet_lite0 import EfficientNetLite0
from .keras import Keras
from .mobilenet_v2 import MobileNetV2
from .pytorch import PyTorch
from .saved_model import SavedModel
from .tflite import TFLite

__all__ = [
    "MOBILENET_V2",
    "STARTER",
    "Base",
    "EfficientNetLite0",
    "Keras",
    "MobileNetV2",
    "PyTorch",
    "SavedModel",
    "TFLite",
    "find_base",
    "load_base",
]
