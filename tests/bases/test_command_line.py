"""Bases on the command line: formats, options, errors and log messages."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from keras_bases import CASES

from sartor.bases._tensorflow import tensorflow
from sartor.cli import main
from sartor.errors import ConversionError

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """`run(base, …)` → exit code, stdout and stderr of `sartor convert`."""

    def call(base: Path, *arguments: object) -> tuple[int, str, str]:
        capfd.readouterr()
        command = ["convert", base, "-o", tmp_path / "out.tflite", "--classes", 2, *arguments]
        with pytest.raises(SystemExit) as exit_info:
            main([str(word) for word in command])
        return int(exit_info.value.code or 0), *capfd.readouterr()

    return call


@pytest.fixture(scope="module")
def models(keras: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with saved Keras models and a SavedModel with two signatures."""
    import tensorflow as tf

    folder = tmp_path_factory.mktemp("models")
    for name, file in (("1-D numbers", "numbers"), ("any length", "open")):
        CASES[name].build(keras).save(folder / f"{file}.keras")
    module = tf.Module()
    module.v = tf.Variable(tf.ones((4, 3)))

    @tf.function(input_signature=[tf.TensorSpec((None, 4), name="x")])  # type: ignore[untyped-decorator, unused-ignore]
    def scores(x: Any) -> Any:
        return {"scores": tf.nn.relu(x) @ module.v}

    tf.saved_model.save(module, str(folder / "two"), signatures={"a": scores, "b": scores})
    return folder


def test_features_names_a_layer(models: Path, run: Run) -> None:
    code, out, err = run(models / "numbers.keras", "--features", "hidden", "--json")
    assert (code, err) == (0, ""), err
    report = json.loads(out)
    assert [spec["shape"] for spec in report["features"]] == [[9]]
    assert report["base_bytes"] == (models / "numbers.keras").stat().st_size


def test_an_unknown_layer_lists_similar_names(models: Path, run: Run) -> None:
    code, _, err = run(models / "numbers.keras", "--features", "hiden")
    assert code == 1
    (line,) = err.splitlines()
    assert "no layer 'hiden'" in line
    assert "'hidden'" in line


def test_one_of_several_signatures_must_be_chosen(models: Path, run: Run) -> None:
    code, _, err = run(models / "two")
    assert code == 1
    (line,) = err.splitlines()
    assert "'a', 'b'. Choose one" in line
    assert "--signature" in line
    assert run(models / "two", "--signature", "b")[::2] == (0, "")


@pytest.mark.parametrize(
    ("shapes", "code", "message"),
    [
        ((), 1, "--input-shape"),
        (("9,3",), 0, ""),
        (("input=9,3",), 0, ""),
        (("9,x",), 2, "expected integers"),
        (("9,3", "input=9,3"), 2, "one shape, or"),
    ],
)
def test_an_open_shape_must_be_stated(
    models: Path, run: Run, shapes: tuple[str, ...], code: int, message: str
) -> None:
    options = [part for shape in shapes for part in ("--input-shape", shape)]
    actual, _, err = run(models / "open.keras", *options)
    assert actual == code, err
    assert message in err if message else not err


def test_a_terminal_shows_progress_without_log_messages(models: Path, tmp_path: Path) -> None:
    reader, writer = pty.openpty()
    arguments = ["convert", models / "numbers.keras", "-o", tmp_path / "m.tflite", "--classes", "2"]
    output: list[bytes] = []

    def listen() -> None:
        with contextlib.suppress(OSError):
            while data := os.read(reader, 4096):
                output.append(data)

    listener = threading.Thread(target=listen)
    listener.start()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "200"}
    subprocess.run(
        [sys.executable, "-m", "sartor", *map(str, arguments)],
        stderr=writer, stdout=subprocess.DEVNULL, env=environment, check=True, timeout=1800,
    )  # fmt: skip
    os.close(writer)
    listener.join(10)
    os.close(reader)
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", b"".join(output).decode())
    lines = {line.strip() for line in re.split(r"[\r\n]+", text)} - {""}
    assert lines
    assert all(re.search(r"converting .*numbers\.keras +\d:\d\d:\d\d$", line)
               for line in lines), lines  # fmt: skip


def test_native_output_is_suppressed_and_python_output_is_not() -> None:
    script = """
import logging, os, sys
from sartor.bases._tensorflow import quiet
with quiet():
    with quiet():
        os.write(2, b"native\\n")
    os.write(2, b"native\\n")
    print("python", file=sys.stderr)
    logger = logging.StreamHandler()  # keeps the current stream
logger.emit(logging.makeLogRecord({"msg": "logged later"}))
os.write(2, b"native later\\n")
"""
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert process.stderr.splitlines() == ["python", "logged later", "native later"]


def test_a_closed_stderr_is_allowed() -> None:
    script = (
        "import os; os.close(2); from sartor.bases._tensorflow import quiet\nwith quiet(): print(1)"
    )
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert process.stdout == "1\n"


def test_another_backend_of_keras_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = SimpleNamespace(backend=lambda: "jax")
    fake = SimpleNamespace(keras=SimpleNamespace(backend=backend))
    monkeypatch.setitem(sys.modules, "tensorflow", fake)
    with pytest.raises(ConversionError, match=r"is jax.*KERAS_BACKEND=tensorflow"):
        tensorflow("the model")
