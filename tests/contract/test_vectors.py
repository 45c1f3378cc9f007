"""The vectors of `contract/` in both Python runtimes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from make import CASES, FOLDER, main, write_case
from runtimes import RUNTIMES, VERSION
from vectors import compare, load

import sartor
from sartor.contract.manifest import Manifest
from sartor.contract.names import VARIABLE_TENSORS
from sartor.testing.verify import verify_contract

no_variables = pytest.mark.skipif(VERSION < (2, 1, 5), reason="CompiledModel has no variables")
MARKS = {"CompiledModel": [no_variables]}
both_runtimes = pytest.mark.parametrize(
    "runtime", [pytest.param(name, marks=MARKS.get(name, [])) for name in RUNTIMES]
)


def replay(vectors: Path, runtime: str) -> float:
    """Return the largest difference over all calls."""
    text = vectors.read_text(encoding="utf-8")
    call = RUNTIMES[runtime](vectors.parent / json.loads(text)["model"])
    largest = 0.0
    for number, step in enumerate(load(text)):
        outputs = call(step.signature, step.inputs)
        try:
            largest = max(largest, compare(outputs, step.outputs))
        except AssertionError as error:
            raise AssertionError(
                f"call {number}, {step.signature} ({step.about}): {error}"
            ) from None
    return largest


@both_runtimes
@pytest.mark.parametrize("name", CASES)
def test_the_outputs_of_a_case_equal_its_vectors(name: str, runtime: str) -> None:
    if runtime == "CompiledModel" and VARIABLE_TENSORS in manifest_of(name).requires:
        with pytest.raises(RuntimeError):  # if it loads the file now, the contract can say so
            replay(FOLDER / f"{name}.json", runtime)
        return
    assert replay(FOLDER / f"{name}.json", runtime) <= 1e-5


@both_runtimes
def test_the_outputs_of_mobilenet_equal_its_vectors(mobilenet: Path, runtime: str) -> None:
    assert replay(mobilenet, runtime) <= 1e-5


@pytest.mark.parametrize("name", CASES)
def test_the_committed_files_are_up_to_date(name: str, tmp_path: Path) -> None:
    path = write_case(tmp_path, name, CASES[name]())
    committed = FOLDER / path.name
    is_equal = path.with_suffix(".tflite").read_bytes() == (FOLDER / f"{name}.tflite").read_bytes()
    assert is_equal, "the converter writes another file: run `python contract/make.py`"
    vectors, expected = (load(path.read_text(encoding="utf-8")) for path in (path, committed))
    for call, other in zip(vectors, expected, strict=True):
        assert (call.about, call.signature) == (other.about, other.signature)
        compare(call.inputs, other.inputs, 0.0)
        compare(call.outputs, other.outputs, 1e-7)


@pytest.mark.parametrize("name", CASES)
def test_a_case_calls_every_signature(name: str) -> None:
    calls = load((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    assert {call.signature for call in calls} == set(manifest_of(name).signatures())


@pytest.mark.parametrize("name", CASES)
def test_a_case_fulfills_the_contract(name: str) -> None:
    report = verify_contract(FOLDER / f"{name}.tflite")
    assert report.passed, report.failures


def test_a_wrong_value_is_detected() -> None:
    expected = {"loss": np.array([2.0], np.float32)}
    assert compare(expected, expected) == 0
    for wrong in (
        {"loss": np.array([2.0001], np.float32)},
        {"loss": np.array([np.nan], np.float32)},
        {"loss": np.array([[2.0]], np.float32)},
        {"output": expected["loss"]},
    ):
        with pytest.raises(AssertionError):
            compare(wrong, expected)


@pytest.mark.parametrize("option", ["--model", "--base"])
def test_the_script_writes_vectors_for_a_given_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, option: str
) -> None:
    model = FOLDER / "two_inputs.tflite"  # can also be a base
    monkeypatch.setattr("sys.argv", ["make.py", option, str(model), "-o", str(tmp_path)])
    main()
    assert replay(tmp_path / "two_inputs.json", "Interpreter") <= 1e-5


def test_the_cases_cover_several_features_and_input_types() -> None:
    features = manifest_of("two_features").features
    assert [len(spec.shape) + 1 for spec in features] == [4, 4]  # rank, including the batch
    assert [spec.dtype for spec in manifest_of("two_inputs").inputs] == ["float32", "int32"]
    assert [spec.dtype for spec in manifest_of("int8_sgd").inputs] == ["uint8"]


def manifest_of(name: str) -> Manifest:
    files = sartor.flatbuffer.read(FOLDER / f"{name}.tflite").files
    return Manifest.from_json(files["sartor.json"])
