"""MobileNetV2 from Keras. It needs TensorFlow, and a network connection for the weights."""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ConversionError
from ..flatbuffer import METADATA_NAME, encode_metadata, read
from ..flatbuffer.metadata_tables import (
    ColorSpace,
    Content,
    ImageProperties,
    ModelMetadata,
    NormalizationOptions,
    ProcessUnit,
    SubGraphMetadata,
    TensorMetadata,
)
from ..graph import Model
from ._tensorflow import keras_to_tflite, quiet, tensorflow

__all__ = ["MobileNetV2"]

_MIN_INPUT_SIZE = 32
_IMAGENET = "imagenet"
_WIDTHS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)  # those with weights in Keras
_ALTERNATIVES = (
    "Use a file with the weights (weights=FILE, of keras.applications.MobileNetV2), or the base "
    "that needs no network: EfficientNetLite0() of sartor.bases, 'starter' on the command line."
)


@dataclass(frozen=True)
class MobileNetV2:
    """MobileNetV2 in float32 with Keras's ImageNet weights.

    It needs `pip install 'sartor[tensorflow]'`. Its features are the output of the last
    convolution, averaged over height and width. Its input are images as float32, scaled to −1…1;
    the metadata state this. Keras downloads the weights at first use and caches them.

    Attributes:
        width: multiplier of the number of channels (`alpha` in Keras).
        input_size: height and width of the images in pixels, 32 or more. The ImageNet weights were
            trained at 96, 128, 160, 192 and 224.
        weights: `"imagenet"`, or the path of a Keras file of the same model, with or without its
            classes (`.weights.h5`, `.h5`, `.keras`).
    """

    width: float = 1.0
    input_size: int = 224
    weights: str | os.PathLike[str] = _IMAGENET

    def __post_init__(self) -> None:
        if type(self.input_size) is not int or self.input_size < _MIN_INPUT_SIZE:
            raise ConversionError(
                f"input_size must be an integer >= {_MIN_INPUT_SIZE}, got {self.input_size!r}"
            )
        if self.width not in _WIDTHS if self._is_imagenet else not 0 < self.width <= 4:
            expected = f"one of {_WIDTHS}" if self._is_imagenet else "above 0 and at most 4"
            raise ConversionError(f"width must be {expected}, got {self.width!r}")

    @property
    def _is_imagenet(self) -> bool:
        return os.fspath(self.weights) == _IMAGENET

    def load(self) -> Model:
        """Convert the network and return its graph.

        Raises:
            ConversionError: If TensorFlow is not installed, the download fails, or the file has
                other weights.
            OSError: If the file does not exist.
        """
        if not self._is_imagenet:
            with Path(self.weights).open("rb"):  # raises a better error than Keras
                pass
        tf = _tensorflow()
        # Keras prints the progress of a download; move it to stderr.
        with quiet(), contextlib.redirect_stdout(sys.stderr):
            network = self._download(tf) if self._is_imagenet else self._load_file(tf)
        pooled = next(layer.name for layer in network.layers if "pool" in layer.name)
        model = read(keras_to_tflite(network, features=[pooled], what="MobileNetV2"))
        model.metadata[METADATA_NAME] = encode_metadata(_metadata())
        return model

    def _download(self, tf: Any) -> Any:
        try:
            return self._create_network(tf, classes=False, weights=_IMAGENET)
        except Exception as error:  # Keras wraps what a download raises in a plain Exception
            raise ConversionError(
                f"Keras cannot download the ImageNet weights ({error}). {_ALTERNATIVES}"
            ) from error

    def _load_file(self, tf: Any) -> Any:
        """Load the weights of a file, without or with classes."""
        causes = []
        for classes in (False, True):
            network = self._create_network(tf, classes=classes, weights=None)
            initial = _kernels(network)
            try:
                with warnings.catch_warnings():  # about skipped weights; the check is below
                    warnings.simplefilter("ignore")
                    network.load_weights(os.fspath(self.weights))
            except Exception as error:  # Keras can raise anything
                causes.append(error)
                continue
            pairs = zip(initial, _kernels(network), strict=True)
            if not any((old == new).all() for old, new in pairs):
                return network
        raise ConversionError(
            f"{self.weights} does not contain the weights of a Keras MobileNetV2 of width "
            f"{self.width}: use the width of the saved model, or another file"
        ) from (causes[0] if causes else None)

    def _create_network(self, tf: Any, *, classes: bool, weights: str | None) -> Any:
        return tf.keras.applications.MobileNetV2(
            input_shape=(self.input_size, self.input_size, 3),
            alpha=self.width,
            include_top=classes,
            pooling=None if classes else "avg",
            weights=weights,
        )


def _tensorflow() -> Any:
    try:
        return tensorflow("MobileNetV2")
    except ConversionError as error:
        raise ConversionError(
            f"{error}. The base without this requirement is EfficientNetLite0() of sartor.bases, "
            "'starter' on the command line."
        ) from error


def _kernels(network: Any) -> list[Any]:
    """Return the kernels of all convolutions. Initial ones are random, so loaded ones differ."""
    names = ("kernel", "depthwise_kernel")
    return [each.numpy() for each in network.weights if each.name.rpartition("/")[2] in names]


def _metadata() -> ModelMetadata:
    image = TensorMetadata(
        name="image",
        content=Content(content_properties=ImageProperties(color_space=ColorSpace.RGB)),
        process_units=(ProcessUnit(options=NormalizationOptions(mean=(127.5,), std=(127.5,))),),
    )
    return ModelMetadata(
        name="MobileNetV2",
        description="MobileNetV2 without its classifier, from Keras.",
        subgraph_metadata=(SubGraphMetadata(input_tensor_metadata=(image,)),),
    )
