"""Ctrl-C before a command starts ends it with one line, and no traceback."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest

from sartor.cli import main


class Interrupted(ModuleType):
    """A module whose import is interrupted."""

    def __getattr__(self, name: str) -> object:
        raise KeyboardInterrupt


def test_ctrl_c_while_the_commands_are_imported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "sartor.cli.app", Interrupted("sartor.cli.app"))
    with pytest.raises(SystemExit) as exit_info:
        main(["--version"])
    assert exit_info.value.code == 130
    assert capsys.readouterr().err == "error: stopped by Ctrl-C; no result was written\n"


def test_little_is_imported_before_ctrl_c_is_handled() -> None:
    listing = subprocess.run(
        [sys.executable, "-S", "-c", "import sys; before = set(sys.modules);"
         f"sys.path[:] = {sys.path!r};"
         "import sartor.cli; print(*set(sys.modules) - before)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    modules = set(listing.stdout.split())
    assert "sartor.cli" in modules
    assert not modules & {"typing", "typer", "rich", "numpy", "sartor.cli.app"}
