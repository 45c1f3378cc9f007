"""TensorFlow, where the extra `tensorflow` is installed: from its models to float `.tflite` bytes.

Nothing here imports it before it is needed.
"""

from .export import to_tflite
from .framework import INSTALL, tensorflow
from .keras_files import load_keras
from .keras_models import keras_to_tflite
from .quiet import quiet
from .saved_model import saved_model_to_tflite

__all__ = [
    "INSTALL",
    "keras_to_tflite",
    "load_keras",
    "quiet",
    "saved_model_to_tflite",
    "tensorflow",
    "to_tflite",
]
