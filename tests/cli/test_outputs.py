"""Output files: no command loses a file of the user."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import PIL.Image
import pytest
from commands import Run

import sartor
from sartor.errors import OutputError
from sartor.runtime import bake

COMMANDS = ("bake", "freeze", "export")


@pytest.fixture
def arguments(model: Path, checkpoint: Path) -> tuple[object, ...]:
    return model, "--checkpoint", checkpoint


def assert_refused(run: Run, *arguments: object, message: str, output: Path) -> None:
    before = output.read_bytes()
    assert message in run(*arguments, "-o", output).error
    assert output.read_bytes() == before


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", ["model", "checkpoint", "store"])
def test_an_input_is_not_overwritten(
    command: str, name: str, arguments: tuple[object, ...], run: Run, tmp_path: Path
) -> None:
    model, _, checkpoint = arguments
    assert isinstance(model, Path)
    assert isinstance(checkpoint, Path)
    path = {"model": model, "checkpoint": checkpoint, "store": checkpoint.with_suffix(".samples")}
    message = "choose another output"
    assert_refused(run, command, *arguments, message=message, output=path[name])
    hard_link, link = tmp_path / "hard link", tmp_path / "link"
    os.link(path[name], hard_link)
    link.symlink_to(path[name])
    for output in (hard_link, link):
        assert_refused(run, command, *arguments, message=message, output=output)
    assert_refused(run, command, *arguments, "--force", message=message, output=path[name])


def test_convert_does_not_overwrite_its_base(image_base: bytes, run: Run, tmp_path: Path) -> None:
    base = tmp_path / "base.tflite"
    base.write_bytes(image_base)
    assert_refused(
        run, "convert", base, "--classes", 3, "--force", message="is an input", output=base
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_of_another_type_is_replaced_by_force_only(
    command: str, arguments: tuple[object, ...], run: Run, tmp_path: Path
) -> None:
    photo = tmp_path / "photo.jpg"
    PIL.Image.new("RGB", (20, 20), "red").save(photo)
    assert_refused(run, command, *arguments, message="--force", output=photo)
    assert run(command, *arguments, "-o", photo, "--force").code == 0
    assert photo.read_bytes()[:2] != b"\xff\xd8"
    assert run(command, *arguments, "-o", photo).code == 0  # now it has the same type


@pytest.mark.parametrize("command", COMMANDS)
def test_only_regular_files_are_written(
    command: str, arguments: tuple[object, ...], run: Run, tmp_path: Path
) -> None:
    pipe, folder = tmp_path / "pipe", tmp_path / "folder"
    os.mkfifo(pipe)
    folder.mkdir()
    for output in (pipe, folder, Path("/dev/full")):
        assert "not a regular file" in run(command, *arguments, "-o", output, "--force").error
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


def test_a_symbolic_link_stays_and_its_target_is_replaced(
    model: Path, checkpoint: Path, tmp_path: Path
) -> None:
    target, link = tmp_path / "elsewhere" / "target.tflite", tmp_path / "link.tflite"
    target.parent.mkdir()
    shutil.copy(model, target)
    link.symlink_to(target)
    bake(model, checkpoint, link)
    assert link.is_symlink()
    assert target.read_bytes() != model.read_bytes()
    assert sorted(path.name for path in target.parent.iterdir()) == ["target.tflite"]


def test_files_with_data_of_the_user_are_private(
    model: Path, train: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody else can read them at any time: each file is created with mode 0600."""
    modes = {}
    replace = os.replace

    def record(source: Path, target: Path) -> None:
        modes[Path(target).name] = stat.S_IMODE(os.stat(source).st_mode)
        replace(source, target)

    monkeypatch.setattr(os, "replace", record)
    checkpoint, baked = tmp_path / "mine.safetensors", tmp_path / "baked.tflite"
    project, classifier = tmp_path / "mine.sartor", tmp_path / "plain.tflite"
    assert run("fit", model, train, "--checkpoint", checkpoint).code == 0
    assert run("bake", model, "--checkpoint", checkpoint, "-o", baked).code == 0
    assert run("export", model, "--checkpoint", checkpoint, "-o", project).code == 0
    assert run("freeze", model, "--checkpoint", checkpoint, "-o", classifier).code == 0
    assert modes["mine.safetensors"] == modes["baked.tflite"] == modes["mine.sartor"] == 0o600
    with sartor.PersonalModel(model, store=checkpoint.with_suffix(".samples")):
        for suffix in (".samples", ".samples-wal", ".samples-shm"):
            assert stat.S_IMODE(checkpoint.with_suffix(suffix).stat().st_mode) == 0o600


def test_a_file_that_is_replaced_keeps_its_mode(model: Path, train: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "mine.safetensors"
    with sartor.PersonalModel(model) as personal:
        personal.add_sample(next(train.rglob("*.png")), "red")
        personal.save(checkpoint)
        checkpoint.chmod(0o640)
        personal.save(checkpoint)
    assert stat.S_IMODE(checkpoint.stat().st_mode) == 0o640


def test_the_library_refuses_as_the_command_line_does(model: Path, tmp_path: Path) -> None:
    store = tmp_path / "mine.samples"
    with sartor.PersonalModel(model, store=store) as personal:
        for output in (model, store):
            for write in (personal.save, personal.export_project):
                with pytest.raises(OutputError, match="is an input"):
                    write(output, force=True)
        note = tmp_path / "note.txt"
        note.write_text("important")
        with pytest.raises(OutputError, match="force=True"):
            personal.save(note)
        personal.save(note, force=True)


def test_a_chart_replaces_charts_but_no_photos(
    model: Path, train: Path, checkpoint: Path, run: Run, tmp_path: Path
) -> None:
    photo, chart = train / "red" / "0.png", tmp_path / "chart.png"
    before = photo.read_bytes()
    for command in ("fit", "evaluate"):
        error = run(command, model, train, "--checkpoint", checkpoint, "--plot", photo).error
        assert "is another file, not a chart" in error
    assert photo.read_bytes() == before
    for _ in range(2):
        run("evaluate", model, train, "--checkpoint", checkpoint, "--plot", chart)
    assert PIL.Image.open(chart).format == "PNG"
