"""A model that crashes or hangs LiteRT is tried in another process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import sartor
from sartor import PersonalModel
from sartor.cli.app import run
from sartor.errors import ConversionError
from sartor.flatbuffer import read, write
from sartor.graph import DType, Graph, Model, Op
from sartor.litert import trial, try_model
from sartor.testing.verify import verify_contract

Convert = Callable[..., Path]


def endless_model() -> bytes:
    """A depthwise convolution with a computed filter of 4833 channels never returns."""
    model, graph, size = Model(), Graph("main"), 4833
    model.graphs.append(graph)
    x, weights = graph.input("x", (1, 1, 1, size)), graph.input("w", (1, 1, 1, size))
    bias = graph.constant(np.zeros(size, np.float32))
    y = graph.tensor("y", DType.FLOAT32, (1, 1, 1, size))
    options = {"strideW": 1, "strideH": 1, "depthMultiplier": 1}
    graph.add(
        Op("DEPTHWISE_CONV_2D", (x, weights, bias), (y,), options=options,
           options_type="DepthwiseConv2DOptions")
    )  # fmt: skip
    graph.outputs = [y]
    return write(model)


@pytest.fixture
def crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the worker by a program that aborts when it gets a model."""
    monkeypatch.setattr(trial, "_PROGRAM", "import os, sys; sys.stdin.buffer.read(9); os.abort()")
    monkeypatch.setattr(trial, "_WORKER", None)


def test_a_model_that_runs_has_no_error(tiny: Convert) -> None:
    content = tiny().read_bytes()
    assert try_model(content) is None
    assert try_model(content) is None


def test_a_model_that_cannot_be_opened_gives_its_message(tiny: Convert) -> None:
    assert "not a valid Flatbuffer" in (try_model(b"not a model") or "")
    assert try_model(tiny().read_bytes()) is None  # the process still runs


@pytest.mark.skipif(os.name == "nt", reason="the crash has another name")
@pytest.mark.usefixtures("crash")
def test_a_crash_becomes_a_message(tiny_base: bytes) -> None:
    assert try_model(tiny_base) == "LiteRT crashes (SIGABRT)"
    assert try_model(tiny_base) == "LiteRT crashes (SIGABRT)"


def test_a_hang_becomes_a_message(tiny_base: bytes) -> None:
    assert try_model(endless_model(), seconds=3) == "LiteRT does not finish within 3 s"
    assert try_model(tiny_base) is None


@pytest.mark.skipif(not hasattr(signal, "alarm"), reason="Windows has no alarm")
def test_a_worker_ends_by_itself_if_its_owner_was_killed() -> None:
    program = "import sartor.litert.worker as w; w._LONGEST = 1; w.main()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE) as worker:
        assert worker.stdin is not None
        for part in (b"try", endless_model(), b""):
            worker.stdin.write(len(part).to_bytes(8, "little") + part)
        worker.stdin.flush()
        assert worker.wait(60) == -signal.SIGALRM


@pytest.mark.usefixtures("crash")
def test_convert_refuses_what_crashes(tiny_base: bytes) -> None:
    with pytest.raises(ConversionError, match=re.escape("LiteRT crashes (SIGABRT)")):
        sartor.convert(tiny_base, classes=2)


def test_verify_reports_what_crashes(tiny: Convert, request: pytest.FixtureRequest) -> None:
    path = tiny()
    request.getfixturevalue("crash")
    report = verify_contract(path)
    details = {check.name: check.detail for check in report.failures}
    assert details == {"LiteRT runs the file": "LiteRT crashes (SIGABRT)"}


@pytest.mark.usefixtures("crash")
def test_an_input_shape_that_crashes_is_refused(tiny_base: bytes) -> None:
    with pytest.raises(ConversionError, match=re.escape("LiteRT crashes (SIGABRT)")):
        sartor.convert(sartor.bases.TFLite(tiny_base, input_shape=(8,)), classes=2)


def test_an_imported_project_that_crashes_is_refused(
    tiny: Convert,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    project = tmp_path / "p.sartor"
    with PersonalModel(tiny()) as model:
        model.export_project(project)
    request.getfixturevalue("crash")
    with pytest.raises(SystemExit, match="1"):
        run(["import", str(project), str(tmp_path / "folder")])
    assert "LiteRT crashes (SIGABRT)" in capsys.readouterr().err
    assert not (tmp_path / "folder").exists()


def test_a_worker_in_a_fork_is_another_one(tiny_base: bytes) -> None:
    assert try_model(tiny_base) is None
    child = os.fork()
    if not child:
        os._exit(0 if try_model(tiny_base) is None else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert try_model(tiny_base) is None


def test_a_base_whose_features_are_no_numbers_is_refused(tiny_base: bytes) -> None:
    model = read(tiny_base)
    weights = next(each for each in model.main.tensors if each.is_constant)
    weights.data = np.full(weights.size, np.nan, np.float32).view(np.uint8)
    with pytest.raises(ConversionError, match="features has values that are not finite"):
        sartor.convert(write(model), classes=2)
