"""The plain classifier in a file gives the output of `infer`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from make import CASES, FOLDER
from plain_freeze import plain_freeze
from runtimes import ROOT

import sartor
from sartor.contract.manifest import Manifest
from sartor.contract.names import LABELS_FILE, MANIFEST_FILE, MASK, OUTPUT, TEMPERATURE
from sartor.flatbuffer import decode_metadata, read
from sartor.flatbuffer.metadata import METADATA_NAME

MOBILENET = ROOT.parent / "shared" / "models" / "tf2_mobilenet_v2_1.0_224_ptq.tflite"
VARIABLES = {"VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE"}


def manifest_of(content: bytes) -> Manifest:
    return Manifest.from_json(read(content).files[MANIFEST_FILE])


def random_variables(manifest: Manifest, active: list[int]) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    variables = {
        spec.name: random.normal(size=spec.shape).astype(np.float32) * np.float32(0.3)
        for spec in manifest.variables
    }
    variables[MASK] = np.isin(np.arange(manifest.capacity), active).astype(np.float32)
    variables[TEMPERATURE] = np.full(1, 1.7, np.float32)
    return variables


def random_inputs(manifest: Manifest) -> dict[str, np.ndarray]:
    random = np.random.default_rng(1)
    return {
        spec.name: random.uniform(0, 2 if spec.dtype == "int32" else 255, spec.shape).astype(
            spec.dtype
        )
        for spec in manifest.inputs
    }


def check_outputs(content: bytes, active: list[int]) -> bytes:
    """Compare with `infer` of the personalizable file; return the classifier."""
    manifest = manifest_of(content)
    variables, inputs = random_variables(manifest, active), random_inputs(manifest)
    model = Interpreter(model_content=content)
    model.get_signature_runner("restore")(**variables)
    expected = model.get_signature_runner("infer")(**inputs)[OUTPUT][:, active]
    names = [f"class {i}" if i in active else None for i in range(manifest.capacity)]
    frozen = plain_freeze(content, variables, names)
    outputs = Interpreter(model_content=frozen).get_signature_runner()(**inputs)
    np.testing.assert_allclose(outputs[OUTPUT], expected, rtol=0, atol=1e-5)
    assert read(frozen).files[LABELS_FILE].decode().split("\n") == [f"class {i}" for i in active]
    return frozen


@pytest.mark.parametrize("name", CASES)
def test_the_classifier_in_a_file_gives_the_output_of_infer(name: str) -> None:
    content = (FOLDER / f"{name}.tflite").read_bytes()
    capacity = manifest_of(content).capacity
    everything = check_outputs(content, list(range(capacity)))
    assert not VARIABLES.intersection(op.code for op in read(everything).main.ops)
    if capacity > 2:
        check_outputs(content, [0, capacity - 1])


def test_the_classifier_in_mobilenet_gives_the_output_of_infer() -> None:
    if not MOBILENET.exists():
        pytest.skip("the shared models are missing")
    content = sartor.convert(MOBILENET, classes=10).content
    frozen = check_outputs(content, [1, 4, 7])
    assert len(frozen) < len(content)


def test_the_classifier_has_the_metadata_of_a_frozen_file(tmp_path: Path) -> None:
    content = (FOLDER / "float_adam.tflite").read_bytes()
    manifest = manifest_of(content)
    variables = random_variables(manifest, [0, 1])
    frozen = read(plain_freeze(content, variables, ["cup", "key", None, None, None]))
    (tmp_path / "model.tflite").write_bytes(content)
    other = read(sartor.freeze(tmp_path / "model.tflite", tmp_path / "frozen.tflite").path)
    assert [decode_metadata(each.metadata[METADATA_NAME]) for each in (frozen, other)] == [
        decode_metadata(other.metadata[METADATA_NAME])
    ] * 2
    assert frozen.files.keys() == other.files.keys()
    assert [(each.key, list(each.inputs), list(each.outputs)) for each in frozen.signatures] == [
        ("serving_default", ["input"], ["output"])
    ]
