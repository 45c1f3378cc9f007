"""Heads from `.tflite` files: equal outputs, correct gradients, clear errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from head_files import (
    CLASSES,
    FEATURES,
    HEADS,
    Build,
    file_of,
    integers,
    mixed_batch,
    no_dense_end,
    normalized,
    one_layer,
    pack_weights,
    pool_image,
    shared,
    two_layers,
    two_outputs,
    without_rule,
)

import sartor
from sartor import PersonalModel
from sartor.contract.manifest import Manifest
from sartor.contract.names import FEATURES as FEATURES_END
from sartor.contract.names import LABELS, LOSS, OUTPUT, SAMPLE_WEIGHTS
from sartor.errors import ConversionError, InvalidModelError
from sartor.flatbuffer import read
from sartor.heads import TFLite
from sartor.losses import Huber, MeanSquaredError, SigmoidCrossEntropy, SoftmaxCrossEntropy
from sartor.testing import verify_contract

Convert = Callable[..., Path]

BATCH = 8
NAMES = ["a", "b", "c", "d"]


def run_head(content: bytes, rows: np.ndarray) -> np.ndarray:
    """Return the outputs of the file of a head."""
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    outputs = []
    (input_detail,), (output_detail,) = (
        interpreter.get_input_details(),
        interpreter.get_output_details(),
    )
    for row in rows:
        interpreter.set_tensor(input_detail["index"], row.reshape(input_detail["shape"]))
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(output_detail["index"])[0])
    return np.array(outputs)


def evaluate_file(path: Path, rows: np.ndarray) -> np.ndarray:
    """Return the outputs of `evaluate` of a personalizable file with all classes active."""
    runner = Interpreter(model_path=str(path)).get_signature_runner("evaluate")
    labels = np.zeros((BATCH, CLASSES), np.float32)
    weights = np.ones(
        manifest_of(path).signatures()["evaluate"][0][SAMPLE_WEIGHTS].shape, np.float32
    )
    batch = {FEATURES_END: rows, LABELS: labels, SAMPLE_WEIGHTS: weights}
    return np.asarray(runner(**batch)[OUTPUT])


def manifest_of(path: Path) -> Manifest:
    return Manifest.from_json(read(path).files["sartor.json"])


@pytest.fixture
def rows() -> np.ndarray:
    return np.random.default_rng(1).standard_normal((BATCH, FEATURES)).astype(np.float32)


@pytest.mark.parametrize("name", HEADS)
def test_head_gives_the_outputs_of_the_file(tiny: Convert, rows: np.ndarray, name: str) -> None:
    content = file_of(HEADS[name])
    path = tiny(head=TFLite(content), classes=NAMES)
    expected = run_head(content, rows)
    if name not in ("softmax", "sigmoid"):
        e = np.exp(expected - expected.max(1, keepdims=True))
        expected = e / e.sum(1, keepdims=True)
    np.testing.assert_allclose(evaluate_file(path, rows), expected, atol=1e-5)


@pytest.mark.parametrize("optimizer", [sartor.SGD(), sartor.Adam()], ids=["sgd", "adam"])
@pytest.mark.parametrize("name", HEADS)
def test_gradients_verify(tiny: Convert, name: str, optimizer: sartor.SGD) -> None:
    path = tiny(head=TFLite(file_of(HEADS[name])), optimizer=optimizer)
    for seed in range(2):
        report = verify_contract(path, seed=seed)
        assert report.passed, report.failures


def test_regression_head_verifies(tiny: Convert) -> None:
    for loss in (MeanSquaredError(), Huber()):
        report = verify_contract(tiny(head=TFLite(file_of(one_layer), loss=loss)))
        assert report.passed, report.failures


def test_features_keep_their_shape() -> None:
    base = file_of(lambda x, random: sartor.ops.relu(x), 1, 4, 4, 1)
    model = sartor.convert(base, classes=CLASSES, head=TFLite(file_of(pool_image, 1, 4, 4, 1)),
                           features="relu", batch_size=5)  # fmt: skip
    assert model.manifest.features[0].shape == (4, 4, 1)
    assert verify_contract(model.content).passed


def test_training_separates_the_classes(tiny: Convert) -> None:
    with PersonalModel(tiny(head=TFLite(file_of(two_layers)))) as model:
        rng = np.random.default_rng(0)
        centres = 3 * rng.standard_normal((CLASSES, 1, 8)).astype(np.float32)

        def samples(count: int) -> list[tuple[np.ndarray, str]]:
            noise = rng.standard_normal((count, CLASSES, 1, 8)).astype(np.float32)
            return [(centres[c] + noise[i, c], NAMES[c]) for i in range(count) for c in range(4)]

        for sample, label in samples(10):
            model.add_sample(sample, label)
        model.fit()
        assert model.evaluate(samples(40)).accuracy > 0.99


@pytest.mark.parametrize("scheme", ["per tensor", "per row", "float16"])
def test_quantized_weights_become_float32(tiny: Convert, rows: np.ndarray, scheme: str) -> None:
    path = tiny(head=TFLite(pack_weights(scheme)), classes=NAMES)
    float_path = tiny("whole", head=TFLite(file_of(two_layers)), classes=NAMES)
    np.testing.assert_allclose(
        evaluate_file(path, rows), evaluate_file(float_path, rows), atol=0.02
    )
    assert verify_contract(path).passed
    assert all(spec.offset for spec in manifest_of(path).variables)


def test_default_loss_follows_from_the_last_op() -> None:
    assert TFLite(file_of(HEADS["softmax"])).loss == SoftmaxCrossEntropy()
    assert TFLite(file_of(HEADS["one layer"])).loss == SoftmaxCrossEntropy()
    assert TFLite(file_of(HEADS["sigmoid"])).loss == SigmoidCrossEntropy()
    assert TFLite(file_of(one_layer), loss=Huber()).loss == Huber()


def parameter_names(**settings: object) -> list[str]:
    head = TFLite(file_of(normalized), **settings)  # type: ignore[arg-type]
    return [each.name for each in head.parameters([(FEATURES,)], CLASSES)]


def test_trainable_constants_are_those_of_layers_or_those_named() -> None:
    layers = ["layer_3/weights", "layer_3/bias"]
    last = ["layer_6/weights", "layer_6/bias"]
    scaled = ["layer_4/factor", "layer_5/term"]
    # The constant 0.5 is not trainable.
    assert parameter_names() == ["layer_1/term", *layers, *scaled, *last, "gain"]
    assert parameter_names(trainable=["layer_6"]) == [*last, "gain"]
    assert parameter_names(trainable=["layer_3/bias", "layer_6"]) == ["layer_3/bias", *last, "gain"]
    with pytest.raises(ConversionError, match=r"no constant 'layer_9' to train; it has layer_1"):
        parameter_names(trainable=["layer_9", "layer_6"])
    with pytest.raises(ConversionError, match="the last layer must be trainable"):
        parameter_names(trainable=["layer_3"])


def test_other_constants_do_not_change(tiny: Convert) -> None:
    path = tiny(head=TFLite(file_of(two_layers), trainable=["layer_2"]))
    assert [v.name for v in manifest_of(path).variables if v.role == "parameter"] == [
        "head/layer_2/weights", "head/layer_2/bias",
    ]  # fmt: skip
    assert verify_contract(path).passed


def test_equal_constants_of_two_layers_are_two_parameters() -> None:
    names = [each.name for each in TFLite(file_of(shared)).parameters([(FEATURES,)], CLASSES)]
    assert names[:4] == ["layer_1/weights", "layer_1/bias", "layer_2/weights", "layer_2/bias"]


def test_fingerprint_covers_the_graph_and_fixed_values(tiny: Convert) -> None:
    def fingerprint(build: Build, **settings: object) -> str:
        head = TFLite(file_of(build), **settings)  # type: ignore[arg-type]
        return manifest_of(tiny(head=head)).fingerprints.head

    def other_values(x: sartor.graph.Tensor, _: np.random.Generator) -> sartor.graph.Tensor:
        return two_layers(x, np.random.default_rng(7))

    def tanh(x: sartor.graph.Tensor, random: np.random.Generator) -> sartor.graph.Tensor:
        return two_layers(sartor.ops.tanh(x), random)

    assert fingerprint(two_layers) == fingerprint(two_layers) == fingerprint(other_values)
    assert fingerprint(two_layers) != fingerprint(tanh)
    last = ["layer_2"]
    assert fingerprint(two_layers, trainable=last) != fingerprint(other_values, trainable=last)
    assert fingerprint(two_layers, trainable=last) != fingerprint(two_layers)


def test_batch_size_of_the_file_has_no_effect(rows: np.ndarray, tiny: Convert) -> None:
    eight = tiny("eight", head=TFLite(file_of(two_layers, 8, FEATURES)), classes=NAMES)
    one = tiny("one", head=TFLite(file_of(two_layers)), classes=NAMES)
    np.testing.assert_array_equal(evaluate_file(eight, rows), evaluate_file(one, rows))


WRONG: dict[str, tuple[bytes, str]] = {
    "two outputs": (two_outputs(), r"has 2 outputs \('dense_4', 'relu'\); a head has one"),
    "integers": (integers(), "computes in integers .*give the float file"),
    "no rule": (
        without_rule(),
        r"SIN, which computes 'model/wave/Sin', has no gradient rule: cut the base after it",
    ),
    "no dense end": (file_of(no_dense_end), "ends in DIV, .* and a head must end in a dense layer"),
    "a mixed batch": (file_of(mixed_batch), "mixes the batch with other axes"),
}


@pytest.mark.parametrize("name", WRONG)
def test_graphs_that_cannot_be_heads_raise_an_error(name: str) -> None:
    content, message = WRONG[name]
    with pytest.raises(ConversionError, match=message):
        TFLite(content)


def test_heads_that_do_not_fit_the_base_raise_an_error(tiny: Convert) -> None:
    message = "features of shape [12], and the base has [16]: cut the base at another tensor"
    with pytest.raises(ConversionError, match=re.escape(message)):
        tiny(head=TFLite(file_of(one_layer, 1, 12)))
    with pytest.raises(ConversionError, match="has 4 outputs, which do not fit a capacity of 7"):
        tiny(head=TFLite(file_of(one_layer)), classes=7)
    assert len(manifest_of(tiny(head=TFLite(file_of(one_layer)), classes=["a"])).classes) == 4
    with pytest.raises(
        ConversionError, match=r"loss must be an instance of Loss, such as Huber\(\)"
    ):
        TFLite(file_of(one_layer), loss=Huber)  # type: ignore[arg-type]


def test_invalid_files_raise_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidModelError):
        TFLite(b"nothing of the kind")
    with pytest.raises(InvalidModelError, match=r"missing\.tflite"):
        TFLite(tmp_path / "missing.tflite")


def test_train_at_learning_rate_0_equals_evaluate(tiny: Convert, rows: np.ndarray) -> None:
    path = tiny(head=TFLite(file_of(two_layers)), classes=NAMES)
    interpreter = Interpreter(model_path=str(path))
    batch = {
        FEATURES_END: rows,
        LABELS: np.eye(CLASSES, dtype=np.float32)[np.arange(BATCH) % CLASSES],
        SAMPLE_WEIGHTS: np.ones(BATCH, np.float32),
    }
    train = interpreter.get_signature_runner("train")
    evaluate = interpreter.get_signature_runner("evaluate")
    step = train(**batch, learning_rate=np.zeros(1, np.float32))
    assert step[LOSS] == pytest.approx(evaluate(**batch)[LOSS], abs=1e-6)
