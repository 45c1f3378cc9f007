"""The vectors of `contract/`, in both Python runtimes."""

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
from sartor.contract.names import SIGNATURES
from sartor.testing.verify import verify_contract

no_variables = pytest.mark.skipif(VERSION < (2, 1, 5), reason="CompiledModel has no variables")
marks = {"CompiledModel": [no_variables]}
both = pytest.mark.parametrize(
    "runtime", [pytest.param(name, marks=marks.get(name, [])) for name in RUNTIMES]
)


def replay(vectors: Path, runtime: str) -> float:
    """The largest difference, over all calls."""
    text = vectors.read_text(encoding="utf-8")
    call = RUNTIMES[runtime](vectors.parent / json.loads(text)["model"])
    worst = 0.0
    for number, step in enumerate(load(text)):
        got = call(step.signature, step.inputs)
        try:
            worst = max(worst, compare(got, step.outputs))
        except AssertionError as error:
            raise AssertionError(
                f"call {number}, {step.signature} ({step.about}): {error}"
            ) from None
    return worst


@both
@pytest.mark.parametrize("name", CASES)
def test_a_case_gives_what_its_vectors_say(name: str, runtime: str) -> None:
    assert replay(FOLDER / f"{name}.json", runtime) <= 1e-5


@both
def test_mobilenet_gives_what_its_vectors_say(mobilenet: Path, runtime: str) -> None:
    assert replay(mobilenet, runtime) <= 1e-5


@pytest.mark.parametrize("name", CASES)
def test_the_committed_files_are_what_the_script_makes(name: str, tmp_path: Path) -> None:
    made = write_case(tmp_path, name, CASES[name]())
    committed = FOLDER / made.name
    same = made.with_suffix(".tflite").read_bytes() == (FOLDER / f"{name}.tflite").read_bytes()
    assert same, "the converter writes another file now: run `python contract/make.py`"
    ours, theirs = (load(path.read_text(encoding="utf-8")) for path in (made, committed))
    for mine, other in zip(ours, theirs, strict=True):
        assert (mine.about, mine.signature) == (other.about, other.signature)
        compare(mine.inputs, other.inputs, 0.0)
        compare(mine.outputs, other.outputs, 1e-7)


@pytest.mark.parametrize("name", CASES)
def test_a_case_calls_every_signature(name: str) -> None:
    calls = load((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    assert {call.signature for call in calls} == set(SIGNATURES)


@pytest.mark.parametrize("name", CASES)
def test_a_case_keeps_the_contract(name: str) -> None:
    report = verify_contract(FOLDER / f"{name}.tflite")
    assert report.passed, report.failures


def test_a_wrong_value_is_seen() -> None:
    right = {"loss": np.array([2.0], np.float32)}
    assert compare(right, right) == 0
    for wrong in (
        {"loss": np.array([2.0001], np.float32)},
        {"loss": np.array([np.nan], np.float32)},
        {"loss": np.array([[2.0]], np.float32)},
        {"output": right["loss"]},
    ):
        with pytest.raises(AssertionError):
            compare(wrong, right)


@pytest.mark.parametrize("option", ["--model", "--base"])
def test_the_script_makes_vectors_for_a_given_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, option: str
) -> None:
    model = FOLDER / "two_inputs.tflite"  # converted again, it is a base
    monkeypatch.setattr("sys.argv", ["make.py", option, str(model), "-o", str(tmp_path)])
    main()
    assert replay(tmp_path / "two_inputs.json", "Interpreter") <= 1e-5


def test_the_hand_made_files_are_what_they_are_there_for() -> None:
    features = manifest_of("two_features").features
    assert [len(spec.shape) + 1 for spec in features] == [4, 4]  # with the batch
    assert [spec.dtype for spec in manifest_of("two_inputs").inputs] == ["float32", "int32"]
    assert [spec.dtype for spec in manifest_of("int8_sgd").inputs] == ["uint8"]


def manifest_of(name: str) -> Manifest:
    files = sartor.flatbuffer.read(FOLDER / f"{name}.tflite").files
    return Manifest.from_json(files["sartor.json"])
