"""A model, photos that it can distinguish, and a function that runs commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from commands import Result, Run, photos

from sartor.cli import main


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs a command: `run("fit", path, …)`."""

    def call(*arguments: object) -> Result:
        capfd.readouterr()
        with pytest.raises(SystemExit) as exit_info:
            main([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        code = exit_info.value.code
        return Result(code if isinstance(code, int) else 0, captured.out, captured.err)

    return call


@pytest.fixture
def model(image_model: Callable[..., Path]) -> Path:
    """Return a model with an image input and a capacity of 4 classes."""
    return image_model()


@pytest.fixture
def train(tmp_path: Path) -> Path:
    return photos(tmp_path / "train", 4, seed=0)


@pytest.fixture
def held_out(tmp_path: Path) -> Path:
    return photos(tmp_path / "held out", 3, seed=1)


@pytest.fixture
def checkpoint(model: Path, train: Path, tmp_path: Path, run: Run) -> Path:
    """Return a checkpoint of `sartor fit`."""
    path = tmp_path / "mine.safetensors"
    assert run("fit", model, train, "--checkpoint", path).code == 0
    return path
