"""The C program of `examples/`: it trains the file with no line of Sartor, to the same losses."""

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
    WEIGHTS,
)
from sartor.contract.signatures import numbered

STEPS = 8
LIBRARY = Path(ai_edge_litert.__path__[0]) / "libLiteRt.so"
pytestmark = [
    pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler"),
    pytest.mark.skipif(VERSION < (2, 1, 6), reason="the C API took other arguments before"),
]


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("c") / "train"
    source = ROOT / "examples" / "train.c"
    command = ["cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-O1", "-o", path, source, LIBRARY]
    subprocess.run([*map(str, command), f"-Wl,-rpath,{LIBRARY.parent}"], check=True, text=True)
    return path


@pytest.mark.parametrize("name", CASES)
def test_it_trains_a_case_to_the_same_losses(program: Path, name: str) -> None:
    model = FOLDER / f"{name}.tflite"
    np.testing.assert_allclose(losses_in_c(program, model), losses_in_python(model), rtol=1e-5)


def test_it_trains_mobilenet_to_the_same_losses(program: Path, mobilenet: Path) -> None:
    model = mobilenet.with_suffix(".tflite")
    found = losses_in_c(program, model)
    np.testing.assert_allclose(found, losses_in_python(model), rtol=1e-5)
    assert (np.diff(found) < 0).all()


def test_it_says_what_it_needs(program: Path) -> None:
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.split()[0]) == (2, "usage:")
    done = subprocess.run([program, "missing", "1"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "failed: LiteRtCreateModelFromFile" in done.stderr


def losses_in_c(program: Path, model: Path) -> list[float]:
    command = [str(program), str(model), str(STEPS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    lines = [line for line in done.stdout.splitlines() if line.startswith("step ")]
    assert len(lines) == STEPS
    return [float(line.split()[-1]) for line in lines]


def losses_in_python(model: Path) -> list[float]:
    manifest = Manifest.from_json(sartor.flatbuffer.read(model).files["sartor.json"])
    call = by_interpreter(model)
    batch, capacity = manifest.batch, manifest.capacity
    kinds = np.arange(batch) % min(capacity, 3)
    features = {
        numbered(FEATURES, i): made_up(spec.shape, kinds)
        for i, spec in enumerate(manifest.features)
    }
    one = np.ones(1, np.float32)
    eye = np.eye(capacity, dtype=np.float32)
    for slot in range(min(capacity, 3)):
        weights = (kinds == slot).astype(np.float32)
        call("set_class", {CLASS_ONE_HOT: eye[slot], **features, WEIGHTS: weights, ACTIVE: one})
    each = (batch, capacity) if manifest.weights_per_output else (batch,)
    rows = {**features, LABELS: eye[kinds], WEIGHTS: np.ones(each, np.float32)}
    rate = one * np.float32(0.0625)
    return [float(call("train", {**rows, LEARNING_RATE: rate})[LOSS][0]) for _ in range(STEPS)]


def made_up(shape: tuple[int, ...], kinds: np.ndarray) -> np.ndarray:
    """The samples of the C program."""
    rows, columns = np.ogrid[: len(kinds), : int(np.prod(shape))]
    kind = kinds[:, None]
    values = (kind * 7 + columns * (kind + 3) + rows) % 13
    return np.asarray(values / 16 - 0.375, np.float32).reshape(len(kinds), *shape)
