"""Encoding of features: exact for integers, precise enough for float16."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sartor
from sartor.contract.manifest import FeatureSpec
from sartor.errors import DataError
from sartor.litert import Engine, open_model
from sartor.runtime.store.codec import FeatureCodec

INTEGERS: dict[str, tuple[Any, float, int]] = {
    "int8": (np.int8, 0.019077831879258156, -128),
    "uint8": (np.uint8, 0.0235, 0),
    "int16": (np.int16, 3.1e-5, 0),
    "a tiny scale": (np.int8, 1e-30, 5),
}


def round_trip(spec: FeatureSpec, *rows: np.ndarray) -> tuple[str, np.ndarray, int]:
    codec = FeatureCodec([spec])
    encoding, data = codec.encode([[row] for row in rows])
    assert codec.is_valid(encoding)
    assert len(data) == codec.size(encoding) * len(rows) <= codec.max_size() * len(rows)
    (decoded,) = codec.decode(encoding, [data])
    return encoding, decoded, len(data)


@pytest.mark.parametrize("name", INTEGERS)
def test_integers_of_a_quantized_base_are_stored_exactly(name: str) -> None:
    dtype, scale, zero = INTEGERS[name]
    limits = np.iinfo(np.dtype(dtype))
    integers = np.arange(limits.min, int(limits.max) + 1)
    real = (integers - zero).astype(np.float32) * np.float32(scale)
    spec = FeatureSpec("features", (len(real),), np.dtype(dtype).name, scale, zero)
    encoding, rows, size = round_trip(spec, real[np.newaxis])
    assert encoding == "q"
    assert size == len(real) * np.dtype(dtype).itemsize
    assert rows.tobytes() == real.tobytes()


FLOATS = {
    "usual": ([0.1, 1.5, 0, 3e-4], "e"),
    "a few tiny ones": ([1.0, 1e-7, 1e-20, 0], "e"),
    "zeros": ([0.0, -0.0, 0, 0], "e"),
    "the largest of float16": ([65504.0, 0, 0, 0], "e"),
    "larger": ([65520.0, 0, 0, 0], "f"),
    "much larger": ([3e38, 1e-3, 0, 0], "f"),
    "all tiny": ([1e-6, 2e-6, 1e-7, 0], "f"),
    "all below float16": ([1e-12, 2e-12, 0, 0], "f"),
}


@pytest.mark.parametrize("name", FLOATS)
def test_float16_is_used_if_it_is_precise_enough(name: str) -> None:
    values, expected = FLOATS[name]
    array = np.array([values], np.float32)
    encoding, rows, _ = round_trip(FeatureSpec("features", (4,)), array)
    assert encoding == expected
    exact = array.astype(np.float64)
    assert np.linalg.norm(rows - exact) <= 2**-11 * np.linalg.norm(exact)


def test_one_row_that_needs_float32_changes_the_encoding_of_all() -> None:
    inputs = [np.full((1, 3), value, np.float32) for value in (1, 1e9, 2)]
    encoding, rows, _ = round_trip(FeatureSpec("features", (3,)), *inputs)
    assert encoding == "f"
    np.testing.assert_array_equal(rows, np.concatenate(inputs))


@pytest.mark.parametrize("value", [0.5, 1000.0, -0.0], ids=["between", "beyond", "minus zero"])
def test_other_values_of_a_quantized_base_are_stored_as_float(value: float) -> None:
    spec = FeatureSpec("features", (2,), "int8", 1.0, 0)
    array = np.array([[value, 3]], np.float32)
    encoding, rows, _ = round_trip(spec, array)
    assert encoding == "e"
    assert rows.tobytes() == array.tobytes()


def test_features_of_real_models(real_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    sartor.convert(real_model, classes=2).save(path)
    manifest = open_model(path)
    engine = Engine(path, manifest)
    rng = np.random.default_rng(0)
    inputs = {
        spec.name: rng.integers(0, 256, spec.shape).astype(spec.dtype) for spec in manifest.inputs
    }
    outputs = engine.run("infer", inputs)
    for spec in manifest.features:
        encoding, rows, _ = round_trip(spec, outputs[spec.name])
        if spec.scale is not None:
            assert encoding == "q"
            assert rows.tobytes() == outputs[spec.name].tobytes()
        else:
            assert encoding == "e"
            np.testing.assert_allclose(rows, outputs[spec.name], rtol=1e-3, atol=1e-6)


def test_an_encoding_of_another_model_is_invalid() -> None:
    codec = FeatureCodec([FeatureSpec("features", (2,)), FeatureSpec("features_1", (3,))])
    assert [text for text in ("ee", "ef", "e", "eq", "eee", "zz", b"ee", None)
            if codec.is_valid(text)] == ["ee", "ef"]  # fmt: skip


def test_not_finite_values_are_refused() -> None:
    with pytest.raises(DataError, match="not finite"):
        round_trip(FeatureSpec("features", (1,)), np.array([[np.nan]], np.float32))
