"""`sartor convert --quantize`: what it prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from quantize_bases import base, pictures

from sartor.cli import main

pytest.importorskip("ai_edge_quantizer")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("command")
    (made / "base.tflite").write_bytes(base())
    pictures(made / "shown", classes=2, each=2)
    return made


def run(folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """What `sartor convert` prints on stdout."""
    names = [str(folder / "base.tflite"), "-o", str(folder / "made.tflite"), "--classes", "2"]
    with pytest.raises(SystemExit) as left:
        main(["convert", *names, *options])
    captured = capsys.readouterr()
    assert not left.value.code, captured.err
    return captured.out


def test_a_table_lists_size_and_loss(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = ["--representative", str(folder / "shown")]
    output = run(folder, capsys, "--quantize", "full-integer", *shown)
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
    shown = ["--representative", str(folder / "shown" / "class 0"), "--preprocessing", "0..1"]
    output = run(folder, capsys, "--quantize", "dynamic", "--json", *shown)
    report = json.loads(output)["quantization"]
    assert (report["mode"], report["samples"], report["few_shot"]) == ("dynamic", 2, None)
    assert report["bytes_after"] < report["bytes_before"]
    assert (
        json.loads(run(folder, capsys, "--json", "--preprocessing", "0..1"))["quantization"] is None
    )
