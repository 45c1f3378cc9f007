"""Power normalization of the features of a base."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from convert_helpers import session_of

import sartor
from sartor.contract.names import FEATURES
from sartor.errors import ConversionError
from sartor.flatbuffer import write
from sartor.graph import Graph, Model
from sartor.heads import Head
from sartor.ops import fully_connected

COUNT = 96


def base(features: int = COUNT, *, computed: bool = True) -> bytes:
    """Return a base whose features are `x`, or a linear function of it."""
    graph = Graph("base")
    x = graph.input("x", (1, features))
    weights = np.random.default_rng(0).normal(size=(features, features)).astype(np.float32)
    hidden = fully_connected(x, weights) if computed else x
    graph.outputs = [fully_connected(hidden, np.ones((2, features), np.float32))]
    model = Model()
    model.graphs.append(graph)
    return write(model)


def features_of(model: sartor.PersonalizableModel, x: np.ndarray) -> np.ndarray:
    return session_of(model).call("infer", input=x)[FEATURES]


def test_features_are_signed_roots_of_unit_length() -> None:
    for x in np.random.default_rng(1).normal(size=(5, 1, COUNT)).astype(np.float32):
        plain = features_of(sartor.convert(base(), classes=2, normalize=False), x)
        roots = np.sign(plain) * np.sqrt(np.abs(plain.astype(np.float64)))
        normalized = features_of(sartor.convert(base(), classes=2), x)
        np.testing.assert_allclose(normalized, roots / np.linalg.norm(roots), atol=1e-6)
    zero = features_of(sartor.convert(base(), classes=2), np.zeros((1, COUNT), np.float32))
    assert not zero.any()


HEADS: dict[str, tuple[Head, bool]] = {
    "softmax": (sartor.SoftmaxClassifier(), True),
    "multi-label": (sartor.MultiLabelClassifier(), True),
    "cosine": (sartor.CosineClassifier(), True),
    "regression": (sartor.Regressor(), False),
}


@pytest.mark.parametrize("name", HEADS)
def test_the_default_follows_from_the_head(name: str) -> None:
    head, is_normalized = HEADS[name]
    features = features_of(
        sartor.convert(base(), classes=2, head=head), np.full((1, COUNT), 3, np.float32)
    )
    assert (abs(np.linalg.norm(features) - 1) < 1e-4) == is_normalized


def test_few_features_and_stated_features_stay_as_they_are() -> None:
    for content in (base(63), base(computed=False)):
        model = sartor.convert(content, classes=2)
        size = model.manifest.features[0].shape[0]
        assert np.linalg.norm(features_of(model, np.full((1, size), 3, np.float32))) > 2


def test_a_personalizable_file_keeps_its_features() -> None:
    once = sartor.convert(base(), classes=2)
    x = np.random.default_rng(1).normal(size=(1, COUNT)).astype(np.float32)
    again = sartor.convert(once.content, classes=5)
    np.testing.assert_array_equal(features_of(again, x), features_of(once, x))
    assert again.manifest.fingerprints.base == once.manifest.fingerprints.base
    for choice in (True, False):
        with pytest.raises(ConversionError, match="keeps its features"):
            sartor.convert(once.content, classes=5, normalize=choice)


def test_quantized_features_become_float(shared_models: Path) -> None:
    path = shared_models / "mobilenet_v2_1.0_224_quant.tflite"
    plain, normalized = (
        sartor.convert(path, classes=2, normalize=choice) for choice in (False, None)
    )
    assert plain.manifest.features[0].scale is not None
    assert normalized.manifest.features[0].scale is None
