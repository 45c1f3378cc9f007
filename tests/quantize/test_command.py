"""The output of `sartor convert --quantize`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from quantize_bases import base, save_images

from sartor.cli import main

pytest.importorskip("ai_edge_quantizer")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("command")
    (path / "base.tflite").write_bytes(base())
    save_images(path / "samples", classes=2, count=2)
    return path


def run(folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """Return the stdout of `sartor convert`."""
    arguments = [str(folder / "base.tflite"), "-o", str(folder / "model.tflite"), "--classes", "2"]
    with pytest.raises(SystemExit) as exit_info:
        main(["convert", *arguments, *options])
    captured = capsys.readouterr()
    assert not exit_info.value.code, captured.err
    return captured.out


def test_a_table_lists_size_and_loss(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    samples = ["--representative", str(folder / "samples")]
    output = run(folder, capsys, "--quantize", "full-integer", *samples)
    assert "measured on 4 samples" in output
    assert "features, cosine" in output
    assert "accuracy, 1 per class" in output


def test_without_samples_only_the_size_is_printed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = run(folder, capsys, "--quantize", "float16")
    assert "--representative FOLDER measures its loss" in output
    assert "cosine" not in output


def test_json_contains_the_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--representative", str(folder / "samples" / "class 0"), "--preprocessing", "0..1"]
    output = run(folder, capsys, "--quantize", "dynamic", "--json", *options)
    report = json.loads(output)["quantization"]
    assert (report["mode"], report["samples"], report["few_shot"]) == ("dynamic", 2, None)
    assert report["bytes_after"] < report["bytes_before"]
    assert (
        json.loads(run(folder, capsys, "--json", "--preprocessing", "0..1"))["quantization"] is None
    )
