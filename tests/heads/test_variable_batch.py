"""Fine-tuning of models that compute shapes, as TensorFlow's converter writes a variable batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sartor
from sartor import PersonalModel
from sartor.flatbuffer import read
from sartor.heads import FineTune
from sartor.testing import verify_contract

CLASSES = ["a", "b", "c"]


@pytest.fixture(scope="module")
def tf() -> Any:
    return pytest.importorskip("tensorflow", reason="the extra `tensorflow` is not installed")


def transformer(keras: Any) -> Any:
    """Return attention and a dense layer of two axes, each with a residual connection."""
    layers = keras.layers
    x = keras.Input((6, 8))
    attended = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 4)(x, x))
    hidden = layers.Dense(8)(layers.Dense(12, activation="gelu")(attended))
    pooled = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(attended + hidden))
    return keras.Model(x, layers.Dense(5, activation="softmax")(pooled))


def class_token(keras: Any) -> Any:
    """Return attention on the positions and a class token, which every sample shares."""
    layers, tf = keras.layers, pytest.importorskip("tensorflow")

    class ClassToken(layers.Layer):  # type: ignore[misc, name-defined]
        def build(self, _: object) -> None:
            self.token = self.add_weight(shape=(1, 1, 8), initializer="random_normal")

        def call(self, x: Any) -> Any:
            return tf.concat([tf.tile(self.token, [tf.shape(x)[0], 1, 1]), x], 1)

    x = keras.Input((6, 8))
    tokens = ClassToken()(layers.Dense(8)(x))
    attended = tokens + layers.MultiHeadAttention(2, 4)(tokens, tokens)
    return keras.Model(x, layers.Dense(5, activation="softmax")(attended[:, 0]))


def u_net(keras: Any) -> Any:
    """Return a small network that shrinks and enlarges its maps."""
    layers = keras.layers
    x = keras.Input((8, 6, 3))
    wide = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    deep = layers.Conv2D(6, 3, padding="same")(layers.MaxPool2D()(wide))
    joined = layers.Concatenate()([wide, layers.Conv2DTranspose(4, 2, strides=2)(deep)])
    maps = layers.PReLU(shared_axes=[1, 2])(layers.UpSampling2D()(joined))
    pooled = layers.GlobalAveragePooling2D()(layers.Conv2D(6, 3)(maps))
    return keras.Model(x, layers.Dense(5, activation="softmax")(pooled))


MODELS = {"transformer": (transformer, 6), "class_token": (class_token, 5), "u_net": (u_net, 4)}
"""Function that builds a model, and the number of layers with weights before its classifier."""


@pytest.fixture(scope="module", params=MODELS)
def case(request: pytest.FixtureRequest, tf: Any) -> tuple[bytes, int]:
    build, layers = MODELS[request.param]
    tf.keras.utils.set_random_seed(0)
    content: bytes = tf.lite.TFLiteConverter.from_keras_model(build(tf.keras)).convert()
    (signature,) = read(content).signatures
    assert "SHAPE" in {op.code for op in signature.graph.ops}
    return content, layers


@pytest.mark.parametrize("part", [1, 0.5, 0])
def test_the_layers_predict_like_the_base_and_the_gradients_verify(
    case: tuple[bytes, int], part: float, tmp_path: Path
) -> None:
    base, layers = case
    last = max(1, round(part * layers))
    tuned = sartor.convert(base, classes=CLASSES, head=FineTune(last), batch_size=4)
    report = verify_contract(tuned.content)
    assert report.passed, report.failures
    plain = sartor.convert(base, classes=CLASSES, batch_size=4, normalize=False)
    samples = np.random.default_rng(0).normal(size=(3, 1, *tuned.manifest.inputs[0].shape[1:]))
    results = []
    for name, model in ("tuned", tuned), ("plain", plain):
        with PersonalModel(model.save(tmp_path / f"{name}.tflite")) as personal:
            for sample, label in zip(samples.astype(np.float32), CLASSES, strict=True):
                personal.add_sample(sample, label)
            results.append([each.probability for each in personal.predict(samples[0])])
    np.testing.assert_allclose(results[0], results[1], atol=1e-3)  # the store keeps float16
