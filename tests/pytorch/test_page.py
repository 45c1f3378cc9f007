"""The code and the commands of the page on PyTorch run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from conftest import NEEDED

pytest.importorskip("litert_torch", reason=NEEDED)

from sartor.cli import main
from sartor.testing import verify_contract

PAGE = Path(__file__).parents[2] / "docs" / "pytorch.md"


def blocks(language: str) -> list[str]:
    fence = re.compile(rf"^```{language}\n(.*?)^```", flags=re.DOTALL | re.MULTILINE)
    return fence.findall(PAGE.read_text())


def test_code_and_commands_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (code,) = blocks("python")
    exec(compile(code, PAGE.name, "exec"), {})
    commands = [line for block in blocks("sh") for line in block.splitlines()]
    assert commands[0].startswith("pip install")
    for line in commands[1:]:
        program, *arguments = shlex.split(line)
        assert program == "sartor"
        with pytest.raises(SystemExit) as exit_info:
            main(arguments)
        assert not exit_info.value.code, line
    assert verify_contract(tmp_path / "model.tflite").passed
