"""MobileNetV2 as Keras has it: the one base that needs TensorFlow, and a network."""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._tensorflow import keras_to_tflite, quiet, tensorflow
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

__all__ = ["MobileNetV2"]

_SMALLEST = 32
_IMAGENET = "imagenet"
_WIDTHS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)  # of those that Keras has weights for
_ALTERNATIVES = (
    "Give a file that you have (weights=FILE, of keras.applications.MobileNetV2), or take the base "
    "that needs no network: EfficientNetLite0() of sartor.bases, 'starter' on the command line."
)


@dataclass(frozen=True)
class MobileNetV2:
    """MobileNetV2 in float32 with Keras's ImageNet weights.

    It needs `pip install 'sartor[tensorflow]'`. Its features are what its last convolution makes,
    averaged over height and width. It takes pictures as float32, scaled to −1…1; the file says so.
    Keras downloads the weights when they are first used, and keeps them.

    Attributes:
        width: the share of channels, Keras's `alpha`.
        input_size: height and width of the pictures; ImageNet's weights were trained at 96, 128,
            160, 192 and 224.
        weights: `"imagenet"`, or the path of a file that Keras has saved of the same model, with
            its classes or without (`.weights.h5`, `.h5`, `.keras`).
    """

    width: float = 1.0
    input_size: int = 224
    weights: str | os.PathLike[str] = _IMAGENET

    def __post_init__(self) -> None:
        if type(self.input_size) is not int or self.input_size < _SMALLEST:
            raise ConversionError(
                f"input_size must be a whole number of {_SMALLEST} or more, got {self.input_size!r}"
            )
        if self.width not in _WIDTHS if self._is_imagenet else not 0 < self.width <= 4:
            wanted = f"one of {_WIDTHS}" if self._is_imagenet else "above 0, and at most 4"
            raise ConversionError(f"width must be {wanted}, got {self.width!r}")

    @property
    def _is_imagenet(self) -> bool:
        return os.fspath(self.weights) == _IMAGENET

    def load(self) -> Model:
        """Let TensorFlow make a float `.tflite` of it, and read that.

        Raises:
            ConversionError: TensorFlow is not installed, the weights cannot be had, or the file is
                not theirs.
            OSError: the file is not there.
        """
        if not self._is_imagenet:
            with Path(self.weights).open("rb"):  # says what is wrong better than Keras does
                pass
        tf = _tensorflow()
        # A download shows how far it is on stderr.
        with quiet(), contextlib.redirect_stdout(sys.stderr):
            network = self._imagenet(tf) if self._is_imagenet else self._filed(tf)
        pooled = next(layer.name for layer in network.layers if "pool" in layer.name)
        model = read(keras_to_tflite(network, features=[pooled], what="MobileNetV2"))
        model.metadata[METADATA_NAME] = encode_metadata(_description())
        return model

    def _imagenet(self, tf: Any) -> Any:
        try:
            return self._network(tf, classes=False, weights=_IMAGENET)
        except Exception as error:  # Keras wraps what a download raises in a plain Exception
            raise ConversionError(
                f"Keras cannot get the weights of ImageNet ({error}). {_ALTERNATIVES}"
            ) from error

    def _filed(self, tf: Any) -> Any:
        """The network with a file's weights; whether they have classes, trying tells."""
        causes = []
        for classes in (False, True):
            network = self._network(tf, classes=classes, weights=None)
            fresh = _kernels(network)
            try:
                with warnings.catch_warnings():  # of what it skips; what matters is checked below
                    warnings.simplefilter("ignore")
                    network.load_weights(os.fspath(self.weights))
            except Exception as error:  # of many kinds
                causes.append(error)
                continue
            loaded = zip(fresh, _kernels(network), strict=True)
            if not any((old == new).all() for old, new in loaded):
                return network
        raise ConversionError(
            f"{self.weights} does not hold the weights of a Keras MobileNetV2 of width "
            f"{self.width}: give the width that it was saved with, or another file"
        ) from (causes[0] if causes else None)

    def _network(self, tf: Any, *, classes: bool, weights: str | None) -> Any:
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
            f"{error}. The base that needs nothing is EfficientNetLite0() of sartor.bases, "
            "'starter' on the command line."
        ) from error


def _kernels(network: Any) -> list[Any]:
    """What every convolution multiplies with: random when fresh, so a loaded one differs."""
    names = ("kernel", "depthwise_kernel")
    return [each.numpy() for each in network.weights if each.name.rpartition("/")[2] in names]


def _description() -> ModelMetadata:
    picture = TensorMetadata(
        name="image",
        content=Content(content_properties=ImageProperties(color_space=ColorSpace.RGB)),
        process_units=(ProcessUnit(options=NormalizationOptions(mean=(127.5,), std=(127.5,))),),
    )
    return ModelMetadata(
        name="MobileNetV2",
        description="MobileNetV2 without its classifier, from Keras.",
        subgraph_metadata=(SubGraphMetadata(input_tensor_metadata=(picture,)),),
    )
