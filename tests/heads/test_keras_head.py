"""Heads from Keras models, including dropout."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

import sartor
from sartor import PersonalModel
from sartor.contract.manifest import Manifest
from sartor.contract.names import FEATURES, LABELS, LEARNING_RATE, LOSS, OUTPUT, SAMPLE_WEIGHTS
from sartor.errors import ConversionError
from sartor.flatbuffer import read
from sartor.heads import Keras
from sartor.losses import MeanSquaredError, SigmoidCrossEntropy
from sartor.testing import verify_contract

Convert = Callable[..., Path]

tensorflow = pytest.importorskip("tensorflow", reason="the extra `tensorflow` is not installed")
layers = tensorflow.keras.layers

SIZE, CLASSES, BATCH = 16, 4, 8
NAMES = ["a", "b", "c", "d"]


def model_of(*stack: Any, size: int = SIZE) -> Any:
    tensorflow.keras.utils.set_random_seed(0)
    return tensorflow.keras.Sequential([tensorflow.keras.Input((size,)), *stack])


def dense_dropout_dense() -> Any:
    return model_of(layers.Dense(64, activation="relu"), layers.Dropout(0.5), layers.Dense(CLASSES))


def normalized() -> Any:
    model = model_of(
        layers.Dense(32), layers.BatchNormalization(), layers.Activation("relu"),
        layers.Dropout(0.25), layers.LayerNormalization(), layers.Dense(24, activation="swish"),
        layers.Dense(CLASSES, activation="softmax"),
    )  # fmt: skip
    for weight in model.weights:  # weights of a trained model: neither 0 nor 1
        weight.assign(weight + np.random.default_rng(0).uniform(0.1, 0.5, weight.shape))
    return model


def several_labels() -> Any:
    return model_of(layers.Dense(24, activation="elu"), layers.Dense(CLASSES, activation="sigmoid"))


def nested() -> Any:
    inner = model_of(layers.Dense(24, activation="leaky_relu"), layers.Dropout(0.3))
    return model_of(inner, layers.Reshape((4, 6)), layers.Dense(5), layers.Flatten(),
                    layers.Dense(CLASSES, activation="softmax"))  # fmt: skip


HEADS = {
    "dense, dropout, dense": dense_dropout_dense,
    "normalizations": normalized,
    "several labels": several_labels,
    "nested": nested,
}


@pytest.fixture(scope="module", params=HEADS)
def keras_model(request: pytest.FixtureRequest) -> Any:
    return HEADS[request.param]()


@pytest.fixture
def rows() -> np.ndarray:
    return np.random.default_rng(1).standard_normal((BATCH, SIZE)).astype(np.float32)


def samples(rows: np.ndarray, path: Path) -> dict[str, np.ndarray]:
    manifest = Manifest.from_json(read(path).files["sartor.json"])
    shape = manifest.signatures()["evaluate"][0][SAMPLE_WEIGHTS].shape
    labels = np.eye(CLASSES, dtype=np.float32)[np.arange(BATCH) % CLASSES]
    return {FEATURES: rows, LABELS: labels, SAMPLE_WEIGHTS: np.ones(shape, np.float32)}


def test_head_gives_the_outputs_of_keras(keras_model: Any, tiny: Convert, rows: np.ndarray) -> None:
    head = Keras(keras_model)
    path = tiny(head=head, classes=NAMES)
    evaluate = Interpreter(model_path=str(path)).get_signature_runner("evaluate")
    expected = np.asarray(keras_model(rows, training=False))
    if keras_model.layers[-1].activation is tensorflow.keras.activations.linear:
        expected = np.asarray(tensorflow.nn.softmax(expected))
    np.testing.assert_allclose(evaluate(**samples(rows, path))[OUTPUT], expected, atol=1e-5)


def test_gradients_verify(keras_model: Any, tiny: Convert) -> None:
    path = tiny(head=Keras(keras_model))
    for seed in range(3):
        report = verify_contract(path, seed=seed)
        assert report.passed, report.failures


def test_dropout_is_active_only_in_training(tiny: Convert, rows: np.ndarray) -> None:
    path = tiny(head=Keras(dense_dropout_dense()), classes=NAMES)
    interpreter = Interpreter(model_path=str(path))
    batch = samples(rows, path)
    step = interpreter.get_signature_runner("train")
    evaluate = interpreter.get_signature_runner("evaluate")
    rate = {LEARNING_RATE: np.zeros(1, np.float32)}
    losses = {float(step(**batch, **rate)[LOSS][0]) for _ in range(5)}
    assert len(losses) == 5
    assert len({float(evaluate(**batch)[LOSS][0]) for _ in range(5)}) == 1
    manifest = Manifest.from_json(read(path).files["sartor.json"])
    assert manifest.head.settings["dropout"] == [0.5]
    assert "LEAKY_RELU" not in {op.code for graph in read(path).graphs for op in graph.ops}


def test_leaky_relu_of_the_user_is_not_a_marker(tiny: Convert, rows: np.ndarray) -> None:
    model = model_of(
        layers.Dense(12), layers.LeakyReLU(negative_slope=0.3), layers.Dropout(0.5),
        layers.Dense(CLASSES, activation="softmax"),
    )  # fmt: skip
    path = tiny(head=Keras(model), classes=NAMES)
    evaluate = Interpreter(model_path=str(path)).get_signature_runner("evaluate")
    output = evaluate(**samples(rows, path))[OUTPUT]
    np.testing.assert_allclose(output, model(rows, training=False), atol=1e-5)


def test_keras_model_does_not_change(rows: np.ndarray) -> None:
    model = dense_dropout_dense()
    before = np.asarray(model(rows, training=False))
    Keras(model)
    np.testing.assert_array_equal(model(rows, training=False), before)
    dropped = np.asarray(model(rows, training=True))
    assert not np.allclose(dropped, before)


def test_training_separates_the_classes(tiny: Convert) -> None:
    with PersonalModel(tiny(head=Keras(dense_dropout_dense()))) as model:
        rng = np.random.default_rng(0)
        centres = 3 * rng.standard_normal((CLASSES, 1, 8)).astype(np.float32)

        def draw(count: int) -> list[tuple[np.ndarray, str]]:
            noise = rng.standard_normal((count, CLASSES, 1, 8)).astype(np.float32)
            return [(centres[c] + noise[i, c], NAMES[c]) for i in range(count) for c in range(4)]

        for sample, label in draw(10):
            model.add_sample(sample, label)
        model.fit()
        assert model.evaluate(draw(40)).accuracy > 0.99


def test_default_loss_follows_from_the_last_op() -> None:
    assert Keras(several_labels()).loss == SigmoidCrossEntropy()
    assert Keras(dense_dropout_dense(), loss=MeanSquaredError()).loss == MeanSquaredError()


def test_layers_that_are_not_trainable_do_not_change() -> None:
    model = dense_dropout_dense()
    model.layers[0].trainable = False
    names = [each.name for each in Keras(model).parameters([(SIZE,)], CLASSES)]
    assert names == ["layer_2/weights", "layer_2/bias", "gain"]
    model.layers[-1].trainable = False
    with pytest.raises(ConversionError, match="the last layer must be trainable"):
        Keras(model)


def test_saved_keras_files_are_heads(tmp_path: Path, tiny: Convert) -> None:
    path = tmp_path / "head.keras"
    dense_dropout_dense().save(path)
    fingerprints = {
        Manifest.from_json(read(tiny(head=Keras(each))).files["sartor.json"]).fingerprints.head
        for each in (path, str(path), dense_dropout_dense())
    }
    assert len(fingerprints) == 1  # the fingerprint excludes names, which Keras numbers


def test_parameters_load_with_another_dropout_rate(tiny: Convert) -> None:
    without = model_of(layers.Dense(64, activation="relu"), layers.Dense(CLASSES))
    fingerprints = [
        Manifest.from_json(read(tiny(head=Keras(each))).files["sartor.json"]).fingerprints.head
        for each in (dense_dropout_dense(), without)
    ]
    assert fingerprints[0] == fingerprints[1]


def functional(outputs: int) -> Any:
    x = tensorflow.keras.Input((SIZE,))
    return tensorflow.keras.Model(x, [layers.Dense(CLASSES)(x) for _ in range(outputs)])


WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "noise": (
        lambda: model_of(layers.GaussianNoise(0.1, name="hiss"), layers.Dense(CLASSES)),
        "the layer 'hiss' is a GaussianNoise, which heads do not support: use Dropout",
    ),
    "an op without a rule": (
        lambda: model_of(
            layers.Dense(8), layers.Activation(tensorflow.sin, name="bend"), layers.Dense(CLASSES)
        ),
        "which computes '.*bend.*', has no gradient rule",
    ),
    "two outputs": (lambda: functional(2), "has 2 outputs"),
    "no classes": (
        lambda: model_of(layers.Dense(8), layers.Activation("tanh")),
        "a head must end in a dense layer",
    ),
    "no model": (lambda: 3, "must be a Keras model"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_graphs_that_cannot_be_heads_raise_an_error(name: str) -> None:
    make, message = WRONG[name]
    with pytest.raises(ConversionError, match=message):
        Keras(make())


def test_head_for_other_features_raises_an_error(tiny: Convert) -> None:
    with pytest.raises(ConversionError, match=r"features of shape \[9\], and the base has \[16\]"):
        tiny(head=Keras(model_of(layers.Dense(CLASSES), size=9)))


def test_command_line_accepts_keras_heads(tmp_path: Path, tiny_base: bytes) -> None:
    model = sartor.convert(
        tiny_base, classes=CLASSES, head=Keras(dense_dropout_dense()), batch_size=5
    )
    assert model.manifest.head.name == "graph"
    assert model.manifest.capacity == CLASSES


def test_code_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[2] / "docs" / "heads.md").read_text()
    examples = re.findall(r"^```python\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE)
    assert len(examples) == 3
    monkeypatch.chdir(tmp_path)
    for code in examples:
        exec(compile(code, "docs/heads.md", "exec"), {})
        assert verify_contract(tmp_path / "model.tflite").passed
