"""SavedModels as bases: choice of the signature and equal features."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sartor
from sartor.bases import SavedModel
from sartor.errors import ConversionError
from sartor.litert import Engine
from sartor.testing import verify_contract

X = np.random.default_rng(0).random((1, 4), np.float32)


@pytest.fixture(scope="module")
def weights() -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.standard_normal(shape).astype(np.float32) for shape in ((4, 5), (5, 3))]


@pytest.fixture(scope="module")
def folders(
    tensorflow: Any, weights: list[np.ndarray], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return SavedModels of `relu(x · W) · V` with zero to two signatures, and damaged ones."""
    tf, root = tensorflow, tmp_path_factory.mktemp("saved")
    module = tf.Module()
    module.w, module.v = (tf.Variable(each) for each in weights)

    def embed(x: Any) -> Any:
        return {"embedding": tf.nn.relu(x @ module.w)}

    def classify(x: Any) -> Any:
        return {"scores": embed(x)["embedding"] @ module.v}

    def pooled(x: Any) -> Any:
        return classify(tf.reduce_mean(x, 1))

    def signature(function: Any, *shape: int | None) -> Any:
        return tf.function(function, input_signature=[tf.TensorSpec(shape, name="x")])

    signatures = {
        "none": {},
        "one": {"scores_of": signature(classify, None, 4)},
        "two": {"embed": signature(embed, None, 4), "classify": signature(classify, None, 4)},
        "features": {"features": signature(embed, None, 4)},
        "open": {"classify": signature(pooled, None, None, 4)},
        "batch": {"classify": signature(classify, 3, 4)},
    }
    for name, each in signatures.items():
        tf.saved_model.save(module, str(root / name), signatures=each)
    for name in ("truncated", "without variables"):
        shutil.copytree(root / "one", root / name)
    graph = root / "truncated" / "saved_model.pb"
    graph.write_bytes(graph.read_bytes()[:500])
    shutil.rmtree(root / "without variables" / "variables")
    (root / "empty").mkdir()
    return root


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("one", {}),
        ("two", {"signature": "classify"}),
        ("features", {}),
        ("open", {"input_shape": (6, 4)}),
        ("batch", {}),
    ],
)
def test_the_signature_features_sets_the_cut(
    folders: Path, weights: list[np.ndarray], name: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    model = sartor.convert(SavedModel(folders / name, **settings), classes=2)
    (spec,) = model.manifest.inputs
    value = X if name != "open" else np.repeat(X[:, np.newaxis], 6, 1)
    engine = Engine(model.save(tmp_path / "m.tflite"), model.manifest, threads=1)
    features = engine.run("infer", {spec.name: value})["features"]
    np.testing.assert_allclose(features, np.maximum(X @ weights[0], 0), rtol=1e-5, atol=1e-6)
    assert verify_contract(model.content).passed


WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "two signatures": ("two", {}, r"2 signatures: '(embed', 'classify|classify', 'embed)'.*--sig"),
    "another signature": ("two", {"signature": "infer"}, r"no signature 'infer'; it has '"),
    "no signature": ("none", {}, r"has no signatures.*model\.export"),
    "an open axis": ("open", {}, r"whole shape of x, \[\?, 4\].*input_shape"),
    "another shape": ("one", {"input_shape": (5,)}, r"is \[4\] without.*is \[5\]"),
    "truncated": ("truncated", {}, r"cannot be loaded as a SavedModel"),
    "without variables": ("without variables", {}, r"cannot be loaded as a SavedModel"),
    "an empty folder": ("empty", {}, r"contains no saved_model\.pb"),
}


@pytest.mark.parametrize("name", WRONG)
def test_conversion_errors_give_advice(folders: Path, name: str) -> None:
    folder, settings, message = WRONG[name]
    with pytest.raises(ConversionError, match=message) as error_info:
        SavedModel(folders / folder, **settings).content()
    assert str(folders / folder) in str(error_info.value)


def test_equal_signatures_of_keras_count_once(keras: Any, tmp_path: Path) -> None:
    x = keras.Input((4,))
    net = keras.Model(x, keras.layers.Dense(3)(keras.layers.Dense(5, activation="relu")(x)))
    net.export(tmp_path / "exported", verbose=False)
    model = sartor.convert(tmp_path / "exported", classes=2)
    assert [spec.shape for spec in model.manifest.features] == [(5,)]


def test_a_missing_folder_raises_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        SavedModel(tmp_path / "nothing").load()
