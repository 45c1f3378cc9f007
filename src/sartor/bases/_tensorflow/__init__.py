"""Convert Keras models and SavedModels to float `.tflite` files (the extra `tensorflow`).

The functions import TensorFlow when they are called.
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
