"""Errors of `freeze`; nothing is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from freezing import Learned, learned

import sartor
from sartor.cli import main
from sartor.errors import (
    CheckpointError,
    ConversionError,
    InvalidModelError,
    NotPersonalizableError,
)

Arguments = tuple[Path, Path, "Path | None"]
Wrong = Callable[[Learned, Path, bytes], Arguments]


def plain_model(made: Learned, folder: Path, base: bytes) -> Arguments:
    (folder / "base.tflite").write_bytes(base)
    return folder / "base.tflite", folder / "out.tflite", None


def no_model(made: Learned, folder: Path, base: bytes) -> Arguments:
    return folder / "none.tflite", folder / "out.tflite", None


def damaged(made: Learned, folder: Path, base: bytes) -> Arguments:
    (folder / "cut.tflite").write_bytes(made.path.read_bytes()[:-2000])
    return folder / "cut.tflite", folder / "out.tflite", None


def checkpoint_of_another(made: Learned, folder: Path, base: bytes) -> Arguments:
    other = sartor.convert(base, classes=5, head=sartor.CosineClassifier())
    return other.save(folder / "other.tflite"), folder / "out.tflite", made.checkpoint


def no_checkpoint(made: Learned, folder: Path, base: bytes) -> Arguments:
    return made.path, folder / "out.tflite", folder / "none.safetensors"


def nothing_taught(made: Learned, folder: Path, base: bytes) -> Arguments:
    return made.path, folder / "out.tflite", None


def one_class(made: Learned, folder: Path, base: bytes) -> Arguments:
    single = learned(base, folder, classes=(None, "hat"))
    return single.path, folder / "out.tflite", single.checkpoint


def onto_itself(made: Learned, folder: Path, base: bytes) -> Arguments:
    return made.path, made.path, made.checkpoint


def nowhere(made: Learned, folder: Path, base: bytes) -> Arguments:
    return made.path, folder / "nowhere" / "out.tflite", made.checkpoint


WRONG: dict[str, tuple[Wrong, type[Exception], str]] = {
    "a plain model": (plain_model, NotPersonalizableError, "sartor convert"),
    "no model": (no_model, InvalidModelError, "not there"),
    "a damaged model": (damaged, InvalidModelError, "cut.tflite"),
    "another's checkpoint": (checkpoint_of_another, CheckpointError, "another head"),
    "no checkpoint": (no_checkpoint, FileNotFoundError, "none.safetensors"),
    "nothing taught": (nothing_taught, ConversionError, "has no class"),
    "one class": (one_class, ConversionError, "only one class, 'hat'"),
    "onto itself": (onto_itself, ConversionError, "choose another output"),
    "nowhere": (nowhere, OSError, "nowhere"),
}


@pytest.mark.parametrize("name", WRONG)
def test_invalid_arguments_raise_an_error(
    name: str, image_base: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build, kind, words = WRONG[name]
    made = learned(image_base, tmp_path)
    before = made.path.read_bytes()
    model, output, checkpoint = build(made, tmp_path, image_base)
    present = set(tmp_path.iterdir())
    with pytest.raises(kind, match=words):
        sartor.freeze(model, output, checkpoint)
    given = ["--checkpoint", str(checkpoint)] if checkpoint else []
    rest = [str(model), *given, "-o", str(output), "--json"]
    with pytest.raises(SystemExit) as caught:
        main(["freeze", *rest])
    told = capsys.readouterr()
    assert (caught.value.code, told.out) == (1, "")
    assert words in told.err
    assert told.err.count("\n") == 1
    assert set(tmp_path.iterdir()) == present
    assert made.path.read_bytes() == before or build is one_class


def test_multi_label_and_regression_can_have_one_output(tiny_base: bytes, tmp_path: Path) -> None:
    for head in ("multi-label", "regression"):
        made = learned(tiny_base, tmp_path, head=head, classes=(None, "hat"))
        frozen = sartor.freeze(made.path, tmp_path / "out.tflite", made.checkpoint)
        assert frozen.classes == ("hat",)


def command(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    capsys.readouterr()
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    assert not caught.value.code
    return capsys.readouterr()


def test_freeze_command(
    image_base: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made, output = learned(image_base, tmp_path), tmp_path / "out.tflite"
    told = command(
        capsys, "freeze", made.path, "--checkpoint", made.checkpoint, "-o", output, "--json"
    )
    assert json.loads(told.out) == {
        "file": str(output),
        "bytes": output.stat().st_size,
        "model_bytes": made.path.stat().st_size,
        "classes": ["hat", "shoes", "ünïcode"],
        "notes": [],
    }
    told = command(capsys, "freeze", made.path, "--checkpoint", made.checkpoint, "-o", output)
    assert "classes: hat, shoes, ünïcode" in told.out
    assert told.err == ""
    told = command(capsys, "inspect", output, "--json")
    assert json.loads(told.out)["kind"] == "model"
