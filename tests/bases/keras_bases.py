"""Keras models, each with a property that conversion has to handle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Case:
    """A Keras model with its cut and its inputs.

    Attributes:
        build: function from the module `keras` to the model.
        sample: function that draws the inputs of one sample, [1, …] each.
        layer: layer of the cut. Default: the converter chooses it.
        expected_layer: layer that the converter should choose.
        input_shape: input shape, if the model does not state it.
    """

    build: Callable[[Any], Any]
    sample: Callable[[np.random.Generator], Arrays]
    layer: str | None = None
    expected_layer: str | None = None
    input_shape: tuple[int, ...] | None = None


def text(keras: Any) -> Any:
    """Return a model with two inputs: ids and their mask."""
    layers = keras.layers
    ids = keras.Input((8,), dtype="int32", name="ids")
    mask = keras.Input((8,), name="mask")
    embedded = layers.Embedding(50, 16)(ids) * keras.ops.expand_dims(mask, -1)
    hidden = layers.Dense(12, activation="relu", name="hidden")(keras.ops.sum(embedded, 1))
    return keras.Model({"ids": ids, "mask": mask}, layers.Dense(4)(hidden))


def numbers(keras: Any) -> Any:
    """Return a model with an input name that is no Python name, and with dropout."""
    layers = keras.layers
    x = keras.Input((12,), name="my-numbers:0")
    hidden = layers.Dense(9, activation="gelu", name="hidden")(layers.BatchNormalization()(x))
    return keras.Model(x, layers.Dense(3)(layers.Dropout(0.9, name="dropped")(hidden)))


def image_features(keras: Any) -> Any:
    """Return a model with a 4-D feature map and a classifier."""
    layers = keras.layers
    x = keras.Input((16, 16, 3))
    maps = layers.Conv2D(8, 3, activation="relu", name="map")(x)
    return keras.Model(x, layers.Dense(3)(layers.Flatten()(maps)))


def lambda_layer(keras: Any) -> Any:
    """Return a model with a Lambda layer."""
    layers = keras.layers
    x = keras.Input((16, 16, 3))
    scaled = layers.Lambda(lambda v: (v - 0.5) * 2, name="scaled")(x)
    pooled = layers.GlobalAveragePooling2D(name="pooled")(layers.Conv2D(6, 3)(scaled))
    return keras.Model(x, layers.Dense(5)(pooled))


def subclassed(keras: Any) -> Any:
    """Return a subclassed model, whose inputs are unknown before a call."""

    class Net(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.hidden = keras.layers.Dense(6, activation="relu", name="hidden")
            self.top = keras.layers.Dense(2, name="top")

        def call(self, x: Any) -> Any:
            return self.top(self.hidden(x))

    return Net()


def nested(keras: Any) -> Any:
    """Return a model that contains a model."""
    layers = keras.layers
    inner = keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(6, activation="relu", name="first"),
            layers.Dense(7, name="second"),
        ],
        name="inner",
    )
    x = keras.Input((5,))
    return keras.Model(x, layers.Dense(3, name="top")(inner(x)))


def recurrent(keras: Any) -> Any:
    """Return a model for sequences of variable length."""
    layers = keras.layers
    return keras.Sequential([keras.Input((None, 3)), layers.LSTM(5, name="last"), layers.Dense(3)])


def attentive(keras: Any) -> Any:
    """Return a model with a transformer block."""
    layers = keras.layers
    x = keras.Input((6, 8))
    attended = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 4)(x, x))
    pooled = layers.GlobalAveragePooling1D(name="pooled")(attended)
    return keras.Model(x, layers.Dense(3)(pooled))


def floats(*shape: int) -> Callable[[np.random.Generator], Arrays]:
    def sample(rng: np.random.Generator) -> Arrays:
        return {"input": rng.random((1, *shape), np.float32)}

    return sample


def tokens(rng: np.random.Generator) -> Arrays:
    ids = rng.integers(0, 50, (1, 8)).astype(np.int32)
    return {"ids": ids, "mask": (rng.random((1, 8)) < 0.7).astype(np.float32)}


CASES = {
    "two inputs": Case(text, tokens, expected_layer="hidden"),
    "1-D numbers": Case(numbers, floats(12), expected_layer="hidden"),
    "cut after dropout": Case(numbers, floats(12), "dropped"),
    "4-D feature map": Case(image_features, floats(16, 16, 3), "map"),
    "lambda": Case(lambda_layer, floats(16, 16, 3), expected_layer="pooled"),
    "subclassed": Case(subclassed, floats(7), expected_layer="hidden", input_shape=(7,)),
    "subclassed, by layer": Case(subclassed, floats(7), "hidden", input_shape=(7,)),
    "nested": Case(nested, floats(5), "inner/first"),
    "nested, by its short name": Case(nested, floats(5), "second"),
    "any length": Case(recurrent, floats(9, 3), expected_layer="last", input_shape=(9, 3)),
    "attention": Case(attentive, floats(6, 8), expected_layer="pooled"),
}


def until(keras: Any, model: Any, layer: str) -> Any:
    """Return the part of a model that ends at a layer, built by Keras."""
    if not getattr(model, "inputs", None):  # subclassed
        return model.hidden
    outer, _, inner = layer.rpartition("/")
    for part in [model.get_layer(outer)] if outer else [model, *model.layers]:
        if any(each.name == inner for each in getattr(part, "layers", ())):
            return keras.Model(part.inputs, part.get_layer(inner).output)
    raise AssertionError(layer)


def predict(part: Any, inputs: Arrays) -> np.ndarray:
    """Return the output of Keras for one sample, flattened to [1, N]."""
    arguments = inputs if len(inputs) > 1 else inputs["input"]
    return np.asarray(part(arguments, training=False)).reshape(1, -1)
