"""A Keras model as a head."""

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
from ._replay import FIRST_MARK
from .graph_head import GraphHead

__all__ = ["Keras"]

_DROPOUT = "Dropout"
_OTHER_NOISE = (
    "AlphaDropout", "GaussianDropout", "GaussianNoise", "SpatialDropout1D", "SpatialDropout2D",
    "SpatialDropout3D",
)  # fmt: skip


class Keras(GraphHead):
    """A head from a Keras model that takes features and gives logits or probabilities.

    TensorFlow's converter makes a float `.tflite` of it once; needs
    `pip install 'sartor[tensorflow]'`. `Dropout` layers drop units in training, as `MLP` does.
    Layers that are not trainable stay as they are. A batch normalization is converted for
    inference: it keeps its mean and variance, and goes into the layer beside it, or is trained as
    a factor and a term.

    Args:
        source: the model, or the path of what Keras has saved: `.keras`, or the older `.h5`.
        loss, trainable: see `GraphHead`.

    Raises:
        ConversionError: TensorFlow is not installed, or the model is no head; the message says why.
        OSError: the file is not there.
    """

    def __init__(
        self,
        source: Any,
        *,
        loss: Loss | None = None,
        trainable: Sequence[str] | None = None,
    ) -> None:
        filed = isinstance(source, str | os.PathLike)
        model = load_keras(Path(source)) if filed else source
        what = os.fspath(source) if filed else f"the Keras model {getattr(model, 'name', '')!r}"
        layers = list(_leaves(model))
        with _marked(layers, what) as rates:
            content = keras_to_tflite(model, what=what)
        kept = [weight for layer in layers if not layer.trainable for weight in _values(layer)]
        super().__init__(
            read(content), what, loss=loss, trainable=trainable, rates=rates,
            frozen=lambda value: any(_same(value, each) for each in kept),
        )  # fmt: skip
        self._source = what

    def __repr__(self) -> str:
        return f"<heads.Keras: {self._source}>"


def _leaves(model: Any) -> Iterator[Any]:
    """The layers that hold no others, those inside nested models included."""
    inner = [*getattr(model, "layers", ()), *[x for x in (getattr(model, "layer", None),) if x]]
    if not inner:
        yield model
    for layer in inner:
        yield from _leaves(layer)


@contextlib.contextmanager
def _marked(layers: Sequence[Any], what: str) -> Iterator[list[float]]:
    """While the block runs let each dropout be a LEAKY_RELU of an `alpha` that no layer has.

    The converter would leave it out, and with it where it was; this op it keeps.

    Yields:
        The rate of each mark.
    """
    rates: list[float] = []
    with contextlib.ExitStack() as stack:
        for layer in layers:
            kind = type(layer).__name__
            if kind in _OTHER_NOISE:
                raise ConversionError(
                    f"{what}: the layer {layer.name!r} is a {kind}, which heads do not do: use "
                    "Dropout, or take it out"
                )
            if kind == _DROPOUT and layer.rate:
                if layer.noise_shape is not None:
                    raise ConversionError(f"{what}: {layer.name!r}: noise_shape is not supported")
                check_rate(layer.rate, f"{what}: the rate of {layer.name!r}")
                _mark(stack, layer, FIRST_MARK - len(rates))
                rates.append(float(layer.rate))
        yield rates


def _mark(stack: contextlib.ExitStack, layer: Any, alpha: float) -> None:
    leaky = tensorflow("a Keras head").nn.leaky_relu

    def call(x: Any, *_: object, **__: object) -> Any:
        return leaky(x, alpha=alpha)

    layer.__dict__["call"] = call  # past __setattr__, which tracks what it is given
    stack.callback(layer.__dict__.pop, "call")


def _values(layer: Any) -> list[np.ndarray]:
    return [np.asarray(weight) for weight in layer.weights]


def _same(value: np.ndarray, weight: np.ndarray) -> bool:
    """Whether a constant is a layer's weights, which the converter turns."""
    return any(
        value.shape == each.shape and value.any() and np.array_equal(value, each)
        for each in (weight, weight.T)
    )
