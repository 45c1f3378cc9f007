"""Heads from Keras models."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..bases._tensorflow import keras_to_tflite, load_keras, tensorflow
from ..errors import ConversionError
from ..flatbuffer import read
from ..losses import Loss
from ._dropout import check_rate
from ._emit_graph import FIRST_MARKER_ALPHA
from .graph_head import GraphHead

__all__ = ["Keras"]

_DROPOUT = "Dropout"
_OTHER_NOISE = (
    "AlphaDropout", "GaussianDropout", "GaussianNoise", "SpatialDropout1D", "SpatialDropout2D",
    "SpatialDropout3D",
)  # fmt: skip


class Keras(GraphHead):
    """A head from a Keras model that computes logits or probabilities from features.

    TensorFlow's converter writes the model as a float `.tflite` file; this needs
    `pip install 'sartor[tensorflow]'`. `Dropout` layers drop units in training, as in `MLP`.
    Layers with `trainable = False` do not change. A batch normalization is converted for
    inference: mean and variance are fixed, and it is merged into the adjacent layer or becomes a
    trainable factor and term.

    Args:
        source: the model, or the path of a `.keras` or `.h5` file.
        loss, trainable: see `GraphHead`.

    Raises:
        ConversionError: If TensorFlow is not installed, or the model cannot be a head.
        OSError: If the file does not exist.
    """

    def __init__(
        self,
        source: Any,
        *,
        loss: Loss | None = None,
        trainable: Sequence[str] | None = None,
    ) -> None:
        is_path = isinstance(source, str | os.PathLike)
        model = load_keras(Path(source)) if is_path else source
        label = os.fspath(source) if is_path else f"the Keras model {getattr(model, 'name', '')!r}"
        layers = list(_leaf_layers(model))
        with _dropout_markers(layers, label) as rates:
            content = keras_to_tflite(model, what=label)
        frozen = [weight for layer in layers if not layer.trainable for weight in _weights(layer)]
        super().__init__(
            read(content),
            label,
            loss=loss,
            trainable=trainable,
            rates=rates,
            is_frozen=lambda value: any(_is_equal(value, weight) for weight in frozen),
        )
        self._source = label

    def __repr__(self) -> str:
        return f"<heads.Keras: {self._source}>"


def _leaf_layers(model: Any) -> Iterator[Any]:
    """Yield the layers without sublayers, including those of nested models."""
    inner = [*getattr(model, "layers", ()), *[x for x in (getattr(model, "layer", None),) if x]]
    if not inner:
        yield model
    for layer in inner:
        yield from _leaf_layers(layer)


@contextlib.contextmanager
def _dropout_markers(layers: Sequence[Any], label: str) -> Iterator[list[float]]:
    """Replace dropout layers by LEAKY_RELU markers while the block runs.

    TensorFlow's converter removes dropout, and with it the position. It keeps LEAKY_RELU; the
    `alpha` of a marker is one that no real layer has.

    Yields:
        The rate of each marker.
    """
    rates: list[float] = []
    with contextlib.ExitStack() as stack:
        for layer in layers:
            layer_type = type(layer).__name__
            if layer_type in _OTHER_NOISE:
                raise ConversionError(
                    f"{label}: the layer {layer.name!r} is a {layer_type}, which heads do not "
                    "support: use Dropout, or remove it"
                )
            if layer_type == _DROPOUT and layer.rate:
                if layer.noise_shape is not None:
                    raise ConversionError(f"{label}: {layer.name!r}: noise_shape is not supported")
                check_rate(layer.rate, f"{label}: the rate of {layer.name!r}")
                _replace_call(stack, layer, FIRST_MARKER_ALPHA - len(rates))
                rates.append(float(layer.rate))
        yield rates


def _replace_call(stack: contextlib.ExitStack, layer: Any, alpha: float) -> None:
    leaky = tensorflow("a Keras head").nn.leaky_relu

    def call(x: Any, *_: object, **__: object) -> Any:
        return leaky(x, alpha=alpha)

    layer.__dict__["call"] = call  # avoids __setattr__, which tracks attributes
    stack.callback(layer.__dict__.pop, "call")


def _weights(layer: Any) -> list[np.ndarray]:
    return [np.asarray(weight) for weight in layer.weights]


def _is_equal(value: np.ndarray, weight: np.ndarray) -> bool:
    """Return True if a constant equals the weights of a layer, or their transpose."""
    return any(
        value.shape == each.shape and value.any() and np.array_equal(value, each)
        for each in (weight, weight.T)
    )
