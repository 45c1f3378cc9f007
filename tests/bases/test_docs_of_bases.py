"""The code and the commands of the page on bases run."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from sartor.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "bases.md"


def test_the_blocks_of_the_page_run(
    keras: Any, shared_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks run in order: later code uses the files of earlier code."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(shared_models / "tf2_mobilenet_v2_1.0_224_ptq.tflite", "mobilenet_v2.tflite")
    names: dict[str, object] = {}
    for language, code in re.findall(r"^```(\w+)\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.M):
        if language == "python":
            exec(compile(code, PAGE.name, "exec"), names)
            continue
        for line in code.splitlines():
            program, *arguments = shlex.split(line)
            assert program == "sartor"
            with pytest.raises(SystemExit) as exit_info:
                main(arguments)
            assert not exit_info.value.code, line
    assert (tmp_path / "model.tflite").stat().st_size > 10_000
