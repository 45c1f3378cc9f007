"""Keras models with several outputs or a convolution as classifier: their features."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sartor
from sartor.bases import Keras
from sartor.errors import ConversionError, FeatureError


@pytest.fixture(scope="module")
def parts(keras: Any) -> dict[str, Any]:
    """Return an input and tensors of a network with a main and an auxiliary classifier."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    x = keras.Input((24, 24, 3))
    early = layers.Conv2D(4, 3, strides=2, activation="relu", name="early")(x)
    deep = layers.Conv2D(12, 3, strides=2, activation="relu", name="deep")(early)
    pool = layers.GlobalAveragePooling2D
    return {
        "x": x,
        "main": layers.Dense(3, activation="softmax")(pool(name="main_pool")(deep)),
        "side": layers.Dense(3, activation="softmax")(pool(name="side_pool")(early)),
        "scores": layers.Softmax()(pool()(layers.Conv2D(5, 1, name="scores")(deep))),
        "segments": layers.Conv2D(2, 1, activation="softmax")(deep),
    }


def size(base: Keras, **options: Any) -> int:
    (spec,) = sartor.convert(base, classes=2, **options).manifest.features
    return int(np.prod(spec.shape))


@pytest.mark.parametrize("order", ["main first", "side first", "dictionary"])
def test_the_order_of_outputs_does_not_change_the_features(
    order: str, keras: Any, parts: dict[str, Any]
) -> None:
    main, side = parts["main"], parts["side"]
    outputs: dict[str, Any] = {
        "main first": [main, side], "side first": [side, main],
        "dictionary": {"a": side, "b": main},
    }  # fmt: skip
    assert size(Keras(keras.Model(parts["x"], outputs[order]))) == 12


def test_a_pooled_convolution_is_cut_before_it(keras: Any, parts: dict[str, Any]) -> None:
    assert size(Keras(keras.Model(parts["x"], parts["scores"]))) == 12


def test_the_choices_of_the_error_convert(keras: Any, parts: dict[str, Any]) -> None:
    base = Keras(keras.Model(parts["x"], parts["segments"]))
    with pytest.raises(FeatureError, match="are not clear") as error_info:
        sartor.convert(base, classes=2)
    assert list(error_info.value.choices.values()) == [12, 300]
    for names, numbers in error_info.value.choices.items():
        assert size(base, features=names) == numbers


def test_a_name_may_be_a_layer_a_tensor_or_a_mean(keras: Any, parts: dict[str, Any]) -> None:
    net = keras.Model(parts["x"], parts["main"])
    assert size(Keras(net), features="deep") == 300
    assert size(Keras(net), features="mean:deep") == 12
    with pytest.raises(ConversionError, match=r"no layer 'pool'. .*'main_pool'"):
        sartor.convert(Keras(net), classes=2, features="pool")
