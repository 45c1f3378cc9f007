"""The text and the JSON of `sartor inspect`."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from inspect_helpers import as_json, command, residual, width

import sartor
from sartor import PersonalModel
from sartor.inspection import ModelDescription

Convert = Callable[..., Path]
Capture = pytest.CaptureFixture[str]


def to_json(value: Any) -> Any:
    """Return a value as it is after a round trip through JSON."""
    if isinstance(value, dict):
        return {name: to_json(each) for name, each in value.items()}
    return [to_json(each) for each in value] if isinstance(value, tuple | list) else value


def test_json_has_everything(real_model: Path, capfd: Capture) -> None:
    report = as_json(capfd, real_model)
    assert report == {"file": str(real_model), **to_json(asdict(sartor.describe(real_model)))}


@pytest.mark.parametrize("options", [(), ("--all",)])
def test_lines_have_at_most_60_columns(
    real_model: Path, options: tuple[str, ...], capfd: Capture
) -> None:
    code, out, err = command(capfd, "inspect", real_model, *options)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == f"{real_model}: model, {real_model.stat().st_size:,} bytes"
    long = [line for line in lines[1:] if width(line) > 60]
    assert all(line.startswith("  sartor convert ") for line in long)  # a command, to be copied
    report = as_json(capfd, real_model)
    rows = sum(line.count(" %") for line in lines)
    assert rows == len(report["cuts"]) if options else rows <= 12
    if not options:
        assert len(lines) < 80


def test_the_summary_and_the_tables_are_printed(tmp_path: Path, capfd: Capture) -> None:
    path = tmp_path / "a model.tflite"
    path.write_bytes(residual("SOFTMAX"))
    _, out, _ = command(capfd, "inspect", path)
    for text in (
        "float32; 78 parameters; 78 multiply-adds; 72 bytes between ops",
        "1 ADD, 3 FULLY_CONNECTED (78 multiply-adds), 1 SOFTMAX",
        "│ * sum ", "│ x ", "76.9 %",
        "inputs: x float32 1×4 ", "outputs: end float32 1×3 ",
        "* default: the input of FULLY_CONNECTED 'c', the last layer with weights", "2 more cuts",
        "gradients reach 3 of the base's 3 layers (78",
    ):  # fmt: skip
        assert text in " ".join(out.split()), text
    assert "gradients stop" not in out
    _, all_out, _ = command(capfd, "inspect", path, "--all")
    assert "other tensors, inside branches" in all_out
    assert "yes" in all_out
    assert "trainable: 18 of 18" in all_out


def test_quantized_inputs_have_scale_and_zero_point(real_model: Path, capfd: Capture) -> None:
    _, out, _ = command(capfd, "inspect", real_model)
    description = sartor.describe(real_model)
    assert isinstance(description, ModelDescription)
    for tensor in description.inputs:
        if tensor.scale is not None:
            text = f"(scale {tensor.scale:.6g}, zero point {tensor.zero_point})"
            assert text in " ".join(out.split())


def test_the_suggested_command_runs(tmp_path: Path, capfd: Capture) -> None:
    path, output = tmp_path / "a model.tflite", tmp_path / "model_with_head.tflite"
    path.write_bytes(residual())
    _, out, _ = command(capfd, "inspect", path)
    command_line = out.split("to cut earlier:\n")[1].splitlines()[0]
    parts = shlex.split(command_line.replace("OUT.tflite", shlex.quote(str(output))))
    arguments = [str(path) if "model.tflite" in part else part for part in parts[1:]]
    code, _, _ = command(capfd, *("3" if part == "N" else part for part in arguments))
    assert code == 0
    assert output.exists()


def test_saved_files_are_described(tiny: Convert, tmp_path: Path, capfd: Capture) -> None:
    model, checkpoint = tiny(classes=["[hat]", "shoes"]), tmp_path / "mine.safetensors"
    store, project = tmp_path / "mine.samples", tmp_path / "mine.sartor"
    with PersonalModel(model, store=store) as personal:
        for index in range(6):
            personal.add_sample(np.full((1, 8), index, np.float32), ("[hat]", "shoes")[index % 2])
        personal.fit(epochs=2)
        personal.save(checkpoint)
        personal.export_project(project)
    for path, texts in (
        (
            model,
            ("personalizable model", "task classification, 2 of 2 classes named: [hat], shoes"),
        ),
        (checkpoint, ("2 of 2 classes: [hat], shoes", "6 samples added so far", "head/weights")),
        (store, ("6 samples, 0 held out", "0 photos", "[hat]", "schema version 4")),
        (project, ("sartor import", "model.tflite: personalizable", "checkpoint.samples: samples")),
    ):
        code, out, err = command(capfd, "inspect", path)
        assert (code, err) == (0, ""), path
        for text in texts:
            assert text in out, (path, text)
        assert as_json(capfd, path)["bytes"] == path.stat().st_size


def test_damaged_files_print_one_line(tmp_path: Path, capfd: Capture) -> None:
    path = tmp_path / "bad"
    for content in (b"", b"hello, world", b"PK\x03\x04 and no more", b"SQLite format 3\0" * 40):
        path.write_bytes(content)
        code, out, err = command(capfd, "inspect", path)
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert err.startswith("error: ")
        assert str(path) in err


def test_no_framework_and_no_runtime_is_imported(tmp_path: Path) -> None:
    """`describe` needs neither a framework nor the interpreter of LiteRT."""
    path = tmp_path / "model.tflite"
    path.write_bytes(residual())
    code = f"import sartor, sys; sartor.describe({str(path)!r}); print(*sys.modules)"
    listing = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    modules = set(listing.stdout.split())
    assert "sartor.inspection" in modules
    assert not modules & {
        "tensorflow", "keras", "torch", "PIL", "typer", "rich", "ai_edge_litert.interpreter",
        "sartor.convert", "sartor.runtime", "sartor.testing", "sartor.cli",
    }  # fmt: skip
