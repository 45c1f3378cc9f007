"""Without PyTorch, an error names the package to install."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import sartor
from sartor.bases import PyTorch
from sartor.cli import main
from sartor.errors import ConversionError


@pytest.fixture(params=["torch", "litert_torch"])
def without(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, request.param, None)


@pytest.mark.usefixtures("without")
def test_the_error_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match=r"model\.pt2 .*pip install 'sartor\[torch\]'"):
        sartor.convert(PyTorch(tmp_path / "model.pt2"), classes=3)


@pytest.mark.usefixtures("without")
def test_the_command_prints_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "model.pt2"
    path.write_bytes(b"PK\3\4")
    with pytest.raises(SystemExit) as exit_info:
        main(["convert", str(path), "-o", str(tmp_path / "m.tflite"), "--classes", "3"])
    assert exit_info.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "pip install 'sartor[torch]'" in line
