"""The options and commands that messages name exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from commands import Run

import sartor

SOURCES = [*Path(sartor.__file__).parent.rglob("*.py")]
COMMANDS = ("convert", "fit", "predict", "evaluate", "classes", "forget", "inspect", "verify",
            "bake", "freeze", "export", "import", "demo", "camera")  # fmt: skip
OTHERS = {"--force-reinstall", "--install-completion"}
"""Options of pip, and of `sartor` itself."""


def messages() -> str:
    """Return the source code without docstrings and comments."""
    text = "\n".join(path.read_text() for path in SOURCES)
    return re.sub(r'""".*?"""|^\s*#.*?$', "", text, flags=re.DOTALL | re.MULTILINE)


def test_options_in_messages_exist(run: Run) -> None:
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", messages())) - OTHERS
    existing = set(re.findall(r"--[a-z][a-z0-9-]+", "".join(run(c, "-h").out for c in COMMANDS)))
    assert options <= existing | {"--version"}, options - existing


def test_commands_in_messages_exist() -> None:
    commands = set(re.findall(r"[`\"\s]sartor ([a-z]+)\b", messages()))
    assert commands - {"command"} <= set(COMMANDS)


@pytest.mark.parametrize("option", ["--checkpoint", "--plot"])
def test_an_output_without_force_is_not_advised_to_use_it(
    option: str, model: Path, train: Path, tmp_path: Path, run: Run
) -> None:
    photo = tmp_path / "photo.svg"
    photo.write_bytes(b"\xff\xd8\xff")
    error = run("fit", model, train, option, photo).error
    assert "choose another output" in error
    assert "--force" not in error
