"""The migration pages: their code and commands run."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from sartor.cli import main

DOCS = Path(__file__).parents[1] / "docs"
PAGES = ("from-2019.md", "from-on-device-training.md")


def blocks(language: str) -> list[tuple[str, str]]:
    """Return the blocks that are meant to run; code for the old library has the language `py`."""
    fence = re.compile(rf"^```{language}\n(.*?)^```", flags=re.DOTALL | re.MULTILINE)
    return [(page, code) for page in PAGES for code in fence.findall((DOCS / page).read_text())]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared_data: Path) -> Path:
    """Change to a folder with the photos that the pages name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    photos = shared_data / "clothing"
    for name, photo in (
        ("hat1", "train/hat/0000"),
        ("hat2", "train/hat/0001"),
        ("shoe1", "train/shoes/0000"),
        ("new", "validation/hat/0000"),
    ):
        shutil.copy(photos / f"{photo}.jpg", f"{name}.jpg")
    return tmp_path


@pytest.mark.parametrize(("page", "code"), blocks("python"))
def test_code_runs(page: str, code: str, desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(code, page, "exec"), {})
    assert (desk / "model.tflite").exists()
    assert "hat" in capsys.readouterr().out


@pytest.mark.parametrize(("page", "commands"), blocks("sh"))
def test_commands_run(page: str, commands: str, desk: Path) -> None:
    for line in commands.splitlines():
        program, *arguments = shlex.split(line)
        assert program == "sartor"
        with pytest.raises(SystemExit) as exit_info:
            main(arguments)
        assert not exit_info.value.code, f"{page}: {line}"
