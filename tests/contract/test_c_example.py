"""The C program of `examples/` trains a file to the same losses, without Sartor."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import ai_edge_litert
import numpy as np
import pytest
from make import CASES, FOLDER
from runtimes import ROOT, VERSION, by_interpreter

import sartor
from sartor.contract.manifest import Manifest
from sartor.contract.names import (
    ACTIVE,
    CLASS_ONE_HOT,
    FEATURES,
    LABELS,
    LEARNING_RATE,
    LOSS,
    SAMPLE_WEIGHTS,
)
from sartor.contract.signatures import numbered

STEPS = 8
LIBRARY = Path(ai_edge_litert.__path__[0]) / "libLiteRt.so"
pytestmark = [
    pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler"),
    pytest.mark.skipif(VERSION < (2, 1, 6), reason="older versions have another C API"),
]


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("c") / "train"
    source = ROOT / "examples" / "train.c"
    command = ["cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-O1", "-o", path, source, LIBRARY]
    subprocess.run([*map(str, command), f"-Wl,-rpath,{LIBRARY.parent}"], check=True, text=True)
    return path


# The program uses CompiledModel, which does not support variable tensors.
@pytest.mark.parametrize("name", [name for name in CASES if name != "recurrent"])
def test_the_program_trains_a_case_to_the_same_losses(program: Path, name: str) -> None:
    model = FOLDER / f"{name}.tflite"
    np.testing.assert_allclose(losses_in_c(program, model), losses_in_python(model), rtol=1e-5)


def test_the_program_trains_mobilenet_to_the_same_losses(program: Path, mobilenet: Path) -> None:
    model = mobilenet.with_suffix(".tflite")
    losses = losses_in_c(program, model)
    np.testing.assert_allclose(losses, losses_in_python(model), rtol=1e-5)
    assert (np.diff(losses) < 0).all()


def test_wrong_arguments_are_refused(program: Path) -> None:
    result = subprocess.run([program], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr.split()[0]) == (2, "usage:")
    result = subprocess.run([program, "missing", "1"], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "failed: LiteRtCreateModelFromFile" in result.stderr


def losses_in_c(program: Path, model: Path) -> list[float]:
    command = [str(program), str(model), str(STEPS)]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    lines = [line for line in result.stdout.splitlines() if line.startswith("step ")]
    assert len(lines) == STEPS
    return [float(line.split()[-1]) for line in lines]


def losses_in_python(model: Path) -> list[float]:
    manifest = Manifest.from_json(sartor.flatbuffer.read(model).files["sartor.json"])
    call = by_interpreter(model)
    batch, capacity = manifest.batch_size, manifest.capacity
    indices = np.arange(batch) % min(capacity, 3)
    features = {
        numbered(FEATURES, i): synthetic_rows(spec.shape, indices)
        for i, spec in enumerate(manifest.features)
    }
    one = np.ones(1, np.float32)
    eye = np.eye(capacity, dtype=np.float32)
    for index in range(min(capacity, 3)):
        weights = (indices == index).astype(np.float32)
        call(
            "set_class",
            {CLASS_ONE_HOT: eye[index], **features, SAMPLE_WEIGHTS: weights, ACTIVE: one},
        )
    shape = (batch, capacity) if manifest.weights_per_output else (batch,)
    rows = {**features, LABELS: eye[indices], SAMPLE_WEIGHTS: np.ones(shape, np.float32)}
    rate = one * np.float32(0.0625)
    return [float(call("train", {**rows, LEARNING_RATE: rate})[LOSS][0]) for _ in range(STEPS)]


def synthetic_rows(shape: tuple[int, ...], indices: np.ndarray) -> np.ndarray:
    """Return the samples of the C program."""
    rows, columns = np.ogrid[: len(indices), : int(np.prod(shape))]
    classes = indices[:, None]
    values = (classes * 7 + columns * (classes + 3) + rows) % 13
    return np.asarray(values / 16 - 0.375, np.float32).reshape(len(indices), *shape)
