"""MobileNetV2 of Keras: its features with TensorFlow, and its errors without."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import sartor
from sartor.bases import MobileNetV2
from sartor.cli import main
from sartor.errors import ConversionError
from sartor.litert import Engine


@pytest.fixture(scope="module")
def network(keras: Any) -> Any:
    """Return the network with random weights, large enough for features to differ."""
    keras.utils.set_random_seed(1)
    model = keras.applications.MobileNetV2(input_shape=(96, 96, 3), alpha=0.35, weights=None)
    for weight in model.weights:
        if weight.path.endswith("kernel"):
            weight.assign(2.2 * weight)
    return model


def test_without_tensorflow_the_error_names_the_command(no_tensorflow: None) -> None:
    with pytest.raises(
        ConversionError, match=r"pip install 'sartor\[tensorflow\]'.*EfficientNetLite0"
    ):
        MobileNetV2().load()


def test_the_command_accepts_the_name(
    no_tensorflow: None, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main(["convert", "mobilenetv2", "-o", str(tmp_path / "model.tflite"), "--classes", "3"])
    assert exit_info.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "pip install 'sartor[tensorflow]'" in line


def test_without_a_network_the_error_names_alternatives(monkeypatch: pytest.MonkeyPatch) -> None:
    def download(**settings: object) -> None:
        raise Exception("URL fetch failure on https://…")  # as Keras does

    applications = SimpleNamespace(MobileNetV2=download)
    backend = SimpleNamespace(backend=lambda: "tensorflow")
    fake = SimpleNamespace(keras=SimpleNamespace(applications=applications, backend=backend))
    monkeypatch.setitem(sys.modules, "tensorflow", fake)
    with pytest.raises(ConversionError, match=r"URL fetch failure.*weights=FILE.*'starter'"):
        MobileNetV2().load()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"input_size": 31}, "integer >= 32, got 31"),
        ({"input_size": 96.0}, "got 96.0"),
        ({"width": 0.4}, r"one of \(0.35, .*got 0.4"),
        ({"width": 0, "weights": "mine.h5"}, "above 0"),
    ],
)
def test_invalid_options_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        MobileNetV2(**settings)


def test_a_missing_file_raises_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        MobileNetV2(weights=tmp_path / "none.h5").load()


@pytest.mark.parametrize("classes", [True, False])
def test_features_agree_with_keras(keras: Any, network: Any, classes: bool, tmp_path: Path) -> None:
    features = keras.Model(network.input, network.layers[-2].output)
    file = tmp_path / "mine.weights.h5"
    (network if classes else features).save_weights(file)
    path = sartor.convert(MobileNetV2(0.35, 96, file), classes=3, normalize=False).save(
        tmp_path / "m.tflite"
    )
    with sartor.PersonalModel(path) as model:
        (spec,) = model.manifest.inputs
        assert (spec.modality, spec.dtype, spec.mean, spec.std) == (
            "image", "float32", (127.5,), (127.5,),
        )  # fmt: skip
        engine = Engine(path, model.manifest, threads=1)
        image = np.random.default_rng(0).uniform(-1, 1, spec.shape).astype(np.float32)
        actual = engine.run("infer", {spec.name: image})["features"]
    expected = np.asarray(features(image, training=False))
    np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("reason", ["another width", "no weights"])
def test_other_weights_are_refused(keras: Any, network: Any, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.weights.h5"
    network.save_weights(file) if reason == "another width" else file.write_bytes(b"nothing")
    with pytest.raises(ConversionError, match=r"does not contain the weights.*width 0.5"):
        MobileNetV2(width=0.5, input_size=96, weights=file).load()
