"""Recurrent bases: the features of a sample do not depend on the samples before it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from convert_bases import stateful
from convert_helpers import assert_keeps_the_contract, session_of
from recurrent_bases import BASES

import sartor
from sartor.contract.names import FEATURES, OUTPUT
from sartor.errors import ConversionError
from sartor.flatbuffer import write
from sartor.litert import create_interpreter
from sartor.testing.verify import verify_contract

convert_module = import_module("sartor.convert")


def samples(shape: tuple[int, ...], dtype: str) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    if dtype == "uint8":
        return [rng.integers(0, 256, shape, np.uint8) for _ in range(3)]
    return [rng.standard_normal(shape).astype(np.float32) for _ in range(3)]


@pytest.mark.parametrize("name", BASES)
def test_features_do_not_depend_on_earlier_samples(name: str) -> None:
    conversion = sartor.convert(BASES[name](), classes=3)
    (spec,) = conversion.manifest.inputs
    values, session = samples(spec.shape, spec.dtype), session_of(conversion)
    alone = [session_of(conversion).call("infer", input=value)[FEATURES] for value in values]
    for value, expected in zip([*values, *values], [*alone, *alone], strict=True):
        np.testing.assert_array_equal(session.call("infer", input=value)[FEATURES], expected)
    assert not np.array_equal(alone[0], alone[1])


@pytest.mark.parametrize("name", ["LSTM", "SVDF"])
def test_features_are_those_of_the_base_in_its_initial_state(name: str) -> None:
    content = BASES[name]()
    conversion = sartor.convert(content, classes=3, features="logits")
    session = session_of(conversion)
    for value in samples(conversion.manifest.inputs[0].shape, "float32"):
        interpreter = create_interpreter(content)
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], value)
        interpreter.invoke()
        expected = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
        features = session.call("infer", input=value)[FEATURES]
        np.testing.assert_allclose(features, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", BASES)
def test_recurrent_file_fulfills_the_contract_and_converts_again(name: str) -> None:
    conversion = sartor.convert(BASES[name](), classes=3)
    assert_keeps_the_contract(conversion)
    assert conversion.manifest.requires == ("variable_tensors",)
    assert any("recurrent layers" in note for note in conversion.notes)
    again = sartor.convert(conversion.content, classes=4)
    assert again.manifest.fingerprints.base == conversion.manifest.fingerprints.base


def test_frozen_recurrent_model_predicts_as_before(tmp_path: Path) -> None:
    path, frozen = tmp_path / "model.tflite", tmp_path / "frozen.tflite"
    conversion = sartor.convert(BASES["LSTM"](), classes=["a", "b"])
    conversion.save(path)
    sartor.freeze(path, frozen)
    session, interpreter = session_of(conversion), create_interpreter(frozen.read_bytes())
    classify = interpreter.get_signature_runner("serving_default")
    for value in samples(conversion.manifest.inputs[0].shape, "float32") * 2:
        expected = session.call("infer", input=value)[OUTPUT]
        np.testing.assert_allclose(classify(input=value)[OUTPUT], expected, rtol=1e-5)


def test_base_with_a_state_that_cannot_be_reset_is_refused() -> None:
    with pytest.raises(ConversionError, match="features of an input depend on the inputs before"):
        sartor.convert(write(stateful()), classes=3)


def test_verify_reports_features_that_depend_on_earlier_inputs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(convert_module, "try_model", lambda content: None)
    conversion = sartor.convert(write(stateful()), classes=3)
    (failure,) = verify_contract(conversion.content).failures
    assert "features of an input depend on the inputs before" in failure.detail
