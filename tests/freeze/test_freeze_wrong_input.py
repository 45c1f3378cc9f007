"""Errors of `freeze`, which writes no file then."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from freeze_helpers import TrainedModel, train_randomly

import sartor
from sartor.cli import main
from sartor.errors import (
    CheckpointError,
    ConversionError,
    InvalidModelError,
    NotPersonalizableError,
    OutputError,
)

Arguments = tuple[Path, Path, "Path | None"]
Wrong = Callable[[TrainedModel, Path, bytes], Arguments]


def plain_model(trained_model: TrainedModel, folder: Path, base: bytes) -> Arguments:
    (folder / "base.tflite").write_bytes(base)
    return folder / "base.tflite", folder / "out.tflite", None


def no_model(trained_model: TrainedModel, folder: Path, base: bytes) -> Arguments:
    return folder / "none.tflite", folder / "out.tflite", None


def damaged(trained_model: TrainedModel, folder: Path, base: bytes) -> Arguments:
    (folder / "cut.tflite").write_bytes(trained_model.path.read_bytes()[:-4000])
    return folder / "cut.tflite", folder / "out.tflite", None


def checkpoint_of_another(trained_model: TrainedModel, folder: Path, base: bytes) -> Arguments:
    other = sartor.convert(base, classes=5, head=sartor.CosineClassifier())
    return other.save(folder / "other.tflite"), folder / "out.tflite", trained_model.checkpoint


def no_checkpoint(trained_model: TrainedModel, folder: Path, base: bytes) -> Arguments:
    return trained_model.path, folder / "out.tflite", folder / "none.safetensors"


def untrained(trained_model: TrainedModel, folder: Path, base: bytes) -> Arguments:
    return trained_model.path, folder / "out.tflite", None


def one_class(trained_model: TrainedModel, folder: Path, base: bytes) -> Arguments:
    single = train_randomly(base, folder, classes=(None, "hat"))
    return single.path, folder / "out.tflite", single.checkpoint


def output_is_input(trained_model: TrainedModel, folder: Path, base: bytes) -> Arguments:
    return trained_model.path, trained_model.path, trained_model.checkpoint


def missing_folder(trained_model: TrainedModel, folder: Path, base: bytes) -> Arguments:
    return trained_model.path, folder / "nowhere" / "out.tflite", trained_model.checkpoint


WRONG: dict[str, tuple[Wrong, type[Exception], str]] = {
    "a plain model": (plain_model, NotPersonalizableError, "sartor convert"),
    "no model": (no_model, InvalidModelError, "does not exist"),
    "a damaged model": (damaged, InvalidModelError, "cut.tflite"),
    "checkpoint of another head": (checkpoint_of_another, CheckpointError, "another head"),
    "no checkpoint": (no_checkpoint, FileNotFoundError, "none.safetensors"),
    "untrained": (untrained, ConversionError, "has no class"),
    "one class": (one_class, ConversionError, "only one class, 'hat'"),
    "output is input": (output_is_input, OutputError, "choose another output"),
    "missing folder": (missing_folder, OSError, "nowhere"),
}


@pytest.mark.parametrize("name", WRONG)
def test_invalid_arguments_raise_an_error(
    name: str, image_base: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build, error, message = WRONG[name]
    trained_model = train_randomly(image_base, tmp_path)
    before = trained_model.path.read_bytes()
    model, output, checkpoint = build(trained_model, tmp_path, image_base)
    files = set(tmp_path.iterdir())
    with pytest.raises(error, match=message):
        sartor.freeze(model, output, checkpoint)
    options = ["--checkpoint", str(checkpoint)] if checkpoint else []
    arguments = [str(model), *options, "-o", str(output), "--json"]
    with pytest.raises(SystemExit) as exit_info:
        main(["freeze", *arguments])
    captured = capsys.readouterr()
    assert (exit_info.value.code, captured.out) == (1, "")
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert set(tmp_path.iterdir()) == files
    assert trained_model.path.read_bytes() == before or build is one_class


def test_multi_label_and_regression_can_have_one_output(tiny_base: bytes, tmp_path: Path) -> None:
    for head in ("multi-label", "regression"):
        trained_model = train_randomly(tiny_base, tmp_path, head=head, classes=(None, "hat"))
        frozen = sartor.freeze(
            trained_model.path, tmp_path / "out.tflite", trained_model.checkpoint
        )
        assert frozen.classes == ("hat",)


def command(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    capsys.readouterr()
    with pytest.raises(SystemExit) as exit_info:
        main([str(argument) for argument in arguments])
    assert not exit_info.value.code
    return capsys.readouterr()


def test_freeze_command(
    image_base: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained_model, output = train_randomly(image_base, tmp_path), tmp_path / "out.tflite"
    captured = command(
        capsys,
        "freeze",
        trained_model.path,
        "--checkpoint",
        trained_model.checkpoint,
        "-o",
        output,
        "--json",
    )
    assert json.loads(captured.out) == {
        "file": str(output),
        "bytes": output.stat().st_size,
        "model_bytes": trained_model.path.stat().st_size,
        "classes": ["hat", "shoes", "ünïcode"],
        "notes": [],
    }
    captured = command(
        capsys, "freeze", trained_model.path, "--checkpoint", trained_model.checkpoint, "-o", output
    )
    assert "classes: hat, shoes, ünïcode" in captured.out
    assert captured.err == ""
    captured = command(capsys, "inspect", output, "--json")
    assert json.loads(captured.out)["kind"] == "model"
