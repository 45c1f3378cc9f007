"""Keras models as bases: equal features and a file that trains."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from keras_bases import CASES, Arrays, numbers, predict, until

import sartor
from sartor.bases import Keras
from sartor.errors import ConversionError, InvalidModelError
from sartor.litert import Engine
from sartor.testing import verify_contract


def assert_close(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Assert equality up to 1e-4 of the largest value; the values must vary."""
    assert ours.shape == theirs.shape
    assert np.ptp(theirs) > 0
    assert np.abs(ours - theirs).max() <= 1e-4 * np.abs(theirs).max()


def infer(model: sartor.PersonalizableModel, inputs: Arrays, folder: Path) -> np.ndarray:
    """Return the features of one sample."""
    path = model.save(folder / "model.tflite")
    engine = Engine(path, model.manifest, threads=1)
    try:
        return engine.run("infer", inputs)["features"]
    finally:
        engine.close()


def assert_trains(path: Path, draw: Callable[[int], Arrays]) -> None:
    """Assert that training separates two classes of samples."""
    with sartor.PersonalModel(path) as model:
        for label in (0, 1):
            for _ in range(4):
                model.add_sample(draw(label), str(label))
        history = model.fit(weight_decay=0)
        assert history.epochs[-1].loss < history.epochs[0].loss
        assert model.evaluate().accuracy == 1


@pytest.mark.parametrize("name", CASES)
def test_each_model_converts_passes_the_verifier_and_trains(
    keras: Any, name: str, tmp_path: Path
) -> None:
    case, rng = CASES[name], np.random.default_rng(0)
    net = case.build(keras)
    model = sartor.convert(Keras(net, case.layer, case.input_shape), classes=2, normalize=False)
    inputs = case.sample(rng)
    part = until(keras, net, case.layer or case.expected_layer or "")
    assert_close(infer(model, inputs, tmp_path), predict(part, inputs))
    assert {spec.name for spec in model.manifest.inputs} == set(inputs)
    report = verify_contract(model.content)
    assert report.passed, report.failures
    samples = [case.sample(rng), case.sample(rng)]
    assert_trains(tmp_path / "model.tflite", samples.__getitem__)
    assert not any("call" in vars(layer) for layer in net.layers), "the model must not change"


@pytest.mark.parametrize(
    "name", ["MobileNetV2", "MobileNetV3Small", "EfficientNetV2B0", "ResNet50"]
)
def test_architectures_of_keras_convert(keras: Any, name: str) -> None:
    net = getattr(keras.applications, name)(weights=None, input_shape=(64, 64, 3))
    layer_class = keras.layers.GlobalAveragePooling2D
    (*_, pooled) = [layer.name for layer in net.layers if isinstance(layer, layer_class)]
    content = Keras(net, pooled).content()
    image = np.random.default_rng(0).uniform(0, 255, (1, 64, 64, 3)).astype(np.float32)
    interpreter = Interpreter(model_content=content, num_threads=2)
    (features,) = interpreter.get_signature_runner("features")(input=image).values()
    part = keras.Model(net.inputs, net.get_layer(pooled).output)
    assert_close(features.reshape(1, -1), predict(part, {"input": image}))


def test_a_keras_2_file_gives_the_features_of_its_tflite(
    keras: Any, shared_models: Path, tmp_path: Path
) -> None:
    ours = sartor.convert(shared_models / "vww_96.h5", classes=2, normalize=False)
    theirs = sartor.convert(shared_models / "vww_96_float.tflite", classes=2, normalize=False)
    assert verify_contract(ours.content).passed
    for seed in range(3):
        image = np.random.default_rng(seed).random((1, 96, 96, 3), np.float32)
        features = [infer(each, {"input": image}, tmp_path) for each in (ours, theirs)]
        assert np.ptp(features[1]) > 0.1
        np.testing.assert_allclose(features[0], features[1], rtol=0, atol=1e-4)


def test_mixed_precision_models_compute_in_float32(keras: Any, tmp_path: Path) -> None:
    def build(dtype: str) -> Any:
        x = keras.Input((5,))
        hidden = keras.layers.Dense(6, activation="relu", name="hidden", dtype=dtype)(x)
        return keras.Model(x, keras.layers.Dense(3, dtype="float32")(hidden))

    half, full = build("mixed_float16"), build("float32")
    full.set_weights(half.get_weights())
    model = sartor.convert(Keras(half), classes=2)
    inputs = {"input": np.random.default_rng(0).random((1, 5), np.float32)}
    features = infer(model, inputs, tmp_path)
    np.testing.assert_allclose(features, predict(until(keras, full, "hidden"), inputs), rtol=1e-5)
    assert half.get_layer("hidden").compute_dtype == "float16", "the model must not change"


# --- files ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model_files(keras: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a model in each file format of Keras."""
    folder, net = tmp_path_factory.mktemp("saved"), numbers(keras)
    net.save(folder / "whole.keras")
    net.save(folder / "whole.h5")
    net.save_weights(folder / "alone.weights.h5")
    return folder


@pytest.mark.parametrize("name", ["whole.keras", "whole.h5"])
def test_the_content_determines_the_format(
    keras: Any, model_files: Path, name: str, tmp_path: Path
) -> None:
    inputs = {"input": np.random.default_rng(0).random((1, 12), np.float32)}
    part = until(keras, keras.models.load_model(model_files / name), "hidden")
    fingerprints = set()
    for path in (
        model_files / name,
        Path(shutil.copy(model_files / name, tmp_path / "renamed.bin")),
    ):
        model = sartor.convert(path, classes=2, features="hidden")
        assert_close(infer(model, inputs, tmp_path), predict(part, inputs))
        fingerprints.add(model.manifest.fingerprints)
    assert len(fingerprints) == 1, "checkpoints must load into both"


# Arguments in the configuration of Keras 2 that Keras 3 lacks.
OLD: dict[str, tuple[tuple[int, ...], dict[str, Any], tuple[str, Any, Any]]] = {
    "DepthwiseConv2D": ((6, 6, 2), {"kernel_size": 3}, ("groups", 1, 2)),
    "Conv2DTranspose": ((6, 6, 2), {"filters": 3, "kernel_size": 3}, ("groups", 1, 2)),
    "SeparableConv1D": ((6, 2), {"filters": 3, "kernel_size": 3}, ("groups", 1, 2)),
    "LSTM": ((6, 2), {"units": 3}, ("time_major", False, True)),
    "GRU": ((6, 2), {"units": 3}, ("time_major", False, True)),
}


@pytest.mark.parametrize("name", OLD)
def test_arguments_of_keras_2_without_effect_are_accepted(
    keras: Any, name: str, tmp_path: Path
) -> None:
    shape, settings, (argument, neutral, other) = OLD[name]
    layer = getattr(keras.layers, name)(**settings)
    net = keras.Sequential([keras.Input(shape), layer, keras.layers.Flatten(name="end")])
    net.save(tmp_path / "old.h5")
    inputs = {"input": np.random.default_rng(0).random((1, *shape), np.float32)}
    for value, is_read in ((neutral, True), (other, False)):
        _configure(tmp_path / "old.h5", name, argument, value)
        if not is_read:
            with pytest.raises(ConversionError, match=argument):
                Keras(tmp_path / "old.h5", "end").content()
            continue
        model = sartor.convert(tmp_path / "old.h5", classes=2, features="end", normalize=False)
        assert_close(infer(model, inputs, tmp_path), predict(net, inputs))


def _configure(path: Path, layer: str, argument: str, value: object) -> None:
    with pytest.importorskip("h5py").File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        (target,) = [each for each in config["config"]["layers"] if each["class_name"] == layer]
        target["config"][argument] = value
        file.attrs["model_config"] = json.dumps(config)


# --- wrong input ---------------------------------------------------------------------------------


def truncated(path: Path) -> Callable[[Any, Path, Path], Any]:
    def make(_: Any, model_files: Path, folder: Path) -> Path:
        content = (model_files / path).read_bytes()
        (folder / path.name).write_bytes(content[: len(content) // 2])
        return folder / path.name

    return make


def empty(_: Any, __: Path, folder: Path) -> Path:
    (folder / "empty.keras").write_bytes(b"")
    return folder / "empty.keras"


def with_lambda(name: str) -> Callable[[Any, Path, Path], Any]:
    def make(keras: Any, _: Path, folder: Path) -> Path:
        layers = keras.layers
        net = keras.Sequential([keras.Input((4,)), layers.Lambda(lambda x: x * 2), layers.Dense(3)])
        net.save(folder / name)
        return folder / name

    return make


def custom_class(keras: Any, _: Path, folder: Path) -> Path:
    net = CASES["subclassed"].build(keras)
    net(np.zeros((1, 7), np.float32))
    net.save(folder / "own.keras")
    return folder / "own.keras"


def takes_text(keras: Any, *_: Path) -> Any:
    x = keras.Input((1,), dtype="string")
    tokens = keras.layers.TextVectorization(vocabulary=["a", "b"], output_mode="multi_hot")(x)
    return keras.Model(x, keras.layers.Dense(3)(tokens))


def needs_flex(keras: Any, *_: Path) -> Any:
    import tensorflow

    x = keras.Input((4,))
    odd = keras.layers.Lambda(lambda v: tensorflow.math.betainc(v, v, v), name="odd")(x)
    return keras.Model(x, keras.layers.Dense(3)(odd))


def build_case(name: str) -> Callable[[Any, Path, Path], Any]:
    return lambda keras, *_: CASES[name].build(keras)


WRONG: dict[str, tuple[Callable[[Any, Path, Path], Any], dict[str, Any], str]] = {
    "truncated .keras": (truncated(Path("whole.keras")), {}, r"whole\.keras is damaged or not"),
    "truncated .h5": (truncated(Path("whole.h5")), {}, r"cannot load .*whole\.h5.*damaged"),
    "empty": (empty, {}, r"empty\.keras is damaged or not"),
    "weights alone": (
        lambda _, model_files, __: model_files / "alone.weights.h5", {},
        r"weights only.*bases\.Keras\(model",
    ),
    "Lambda in .keras": (with_lambda("l.keras"), {}, r"Lambda layer.*If you trust.*safe_mode"),
    "Lambda in .h5": (with_lambda("l.h5"), {}, r"Lambda layer.*If you trust.*safe_mode"),
    "a custom class": (custom_class, {}, r"custom layers.*bases\.Keras\(model\).*Net"),
    "no shape": (build_case("subclassed"), {}, r"does not state the shape.*input_shape"),
    "a variable axis": (
        build_case("any length"), {}, r"whole shape of input, \[\?, 3\]: .*--input-shape",
    ),
    "another shape": (
        build_case("any length"), {"input_shape": (9, 4)}, r"is \[\?, 3\] without.*is \[9, 4\]",
    ),
    "no sizes": (build_case("any length"), {"input_shape": (0, 3)}, r"positive integers"),
    "one shape for two inputs": (
        build_case("two inputs"), {"input_shape": (8,)}, r"2 inputs \(ids, mask\).*mapping",
    ),
    "a missing input": (
        build_case("two inputs"), {"input_shape": {"id": (8,)}}, r"no input 'id'.*ids, mask",
    ),
    "shapes for unknown inputs": (
        build_case("subclassed"), {"input_shape": {"a": (7,)}}, r"one shape.*functional model",
    ),
    "a shape that does not fit the layers": (
        build_case("subclassed"), {"input_shape": ()}, r"cannot be run on inputs input \[1\]",
    ),
    "a missing layer": (
        build_case("two inputs"), {"features": "hiden"}, r"no layer 'hiden'.*'hidden'",
    ),
    "text": (takes_text, {}, r"input of .* is text.*layers after TextVectorization"),
    "a missing op": (needs_flex, {}, r"ops that LiteRT does not have: Betainc in '.*odd"),
    "no model": (lambda *_: 3, {}, r"must be a Keras model; got 3"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_conversion_errors_give_advice(
    keras: Any, model_files: Path, name: str, tmp_path: Path
) -> None:
    make, settings, message = WRONG[name]
    source = make(keras, model_files, tmp_path)
    with pytest.raises(ConversionError, match=message) as error_info:
        Keras(source, **settings).content()
    assert "\n" not in str(error_info.value)
    assert len(str(error_info.value)) < 700


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidModelError, match=r"nothing\.keras does not exist"):
        sartor.convert(tmp_path / "nothing.keras", classes=2)
