"""Pipes, devices and paths with a zero byte are refused, by every function that reads a file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from readers import READERS, Files

from sartor import PersonalModel
from sartor.errors import SartorError
from sartor.runtime import bake, unpack_project

REASON = r"is a pipe or a device|is not a path|must be a path"
Convert = Callable[..., Path]

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes")


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


@pytest.mark.parametrize("name", READERS)
def test_a_model_is_no_pipe_and_no_device(pipe: Path, name: str) -> None:
    for path in (pipe, Path("/dev/zero")):
        with pytest.raises(SartorError, match="is a pipe or a device"):
            READERS[name](path, Files(path, path, pipe.with_name("output")))


@pytest.mark.parametrize("name", READERS)
def test_the_path_of_a_model_has_no_zero_byte(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a\0b.tflite"
    with pytest.raises(SartorError, match=REASON):
        READERS[name](path, Files(path, path, tmp_path / "output"))


def test_a_checkpoint_or_a_project_is_no_pipe(pipe: Path, tiny: Convert, tmp_path: Path) -> None:
    path = tiny()
    for other in (pipe, Path("/dev/zero"), tmp_path / "a\0b"):
        with pytest.raises(SartorError, match=REASON):
            bake(path, other, tmp_path / "output")
        with pytest.raises(SartorError, match=REASON):
            unpack_project(other, tmp_path / "folder")
        with PersonalModel(path) as model:
            with pytest.raises(SartorError, match=REASON):
                model.load(other)
            with pytest.raises(SartorError, match=REASON):
                model.import_project(other)


def test_a_store_is_no_pipe(pipe: Path, tiny: Convert) -> None:
    for other in (pipe, Path("/dev/zero"), Path("a\0b")):
        with pytest.raises(SartorError, match=REASON):
            PersonalModel(tiny(), store=other)
