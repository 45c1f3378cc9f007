"""A project moves a model, its state and its samples to another device."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from blobs import LABELS, PROBE, add_samples, blobs

from sartor import PersonalModel
from sartor._temporary import temporary_file, temporary_folder
from sartor.cli import main
from sartor.errors import CheckpointError, DataError, SartorError
from sartor.runtime import unpack_project

Convert = Callable[..., Path]


def test_a_project_contains_everything(tiny: Convert, tmp_path: Path) -> None:
    project = tmp_path / "mine.sartor"
    with PersonalModel(tiny(), store=tmp_path / "old.samples") as model:
        add_samples(model).fit()
        expected = model.predict(PROBE)
        assert model.export_project(project) == project
    with PersonalModel(tiny("other", classes=6), store=tmp_path / "new.samples") as model:
        model.add_sample(PROBE, "another class")
        assert model.import_project(project) == ()
        assert model.classes == LABELS
        assert model.predict(PROBE) == expected
        assert len(model.samples) == 15
        model.fit()
        assert model.predict(PROBE)[0].label == "hat"
    folder = unpack_project(project, tmp_path / "unpacked")
    with PersonalModel(folder / "model.tflite", store=folder / "checkpoint.samples") as model:
        model.load(folder / "checkpoint.safetensors")
        assert model.predict(PROBE) == expected
        assert len(model.samples) == 15


def test_a_project_of_another_model_changes_nothing(
    tiny: Convert, image_model: Convert, tmp_path: Path
) -> None:
    project = tmp_path / "mine.sartor"
    with PersonalModel(image_model()) as model:
        model.export_project(project)
    with PersonalModel(tiny("other")) as model:
        add_samples(model).fit()
        before = model.predict(PROBE)
        with pytest.raises(CheckpointError, match="another base"):
            model.import_project(project)
        assert model.predict(PROBE) == before
        assert len(model.samples) == 15


@pytest.mark.parametrize("path", [".", "..", "/"])
def test_a_folder_is_not_a_project(path: str, tiny: Convert) -> None:
    with PersonalModel(tiny()) as model, pytest.raises(IsADirectoryError):
        model.import_project(path)


def test_other_files_are_refused(tiny: Convert, tmp_path: Path) -> None:
    path = tmp_path / "x.sartor"
    with PersonalModel(tiny()) as model:
        with pytest.raises(FileNotFoundError):
            model.import_project(path)
        path.write_bytes(b"not an archive")
        with pytest.raises(DataError, match="not a project"):
            model.import_project(path)
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("../evil", "x")
        with pytest.raises(DataError, match=r"archive of \.\./evil"):
            model.import_project(path)
        model.export_project(path)
        content = path.read_bytes()
        for size in range(0, len(content), len(content) // 40):
            path.write_bytes(content[:size])
            with pytest.raises(SartorError):
                model.import_project(path)


def read(project: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(project) as archive:
        return {file: archive.read(file) for file in archive.namelist()}


def pack(project: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(project, "w") as archive:
        for file, content in files.items():
            archive.writestr(file, content)


def in_store(project: Path, statement: str) -> None:
    """Change the store of a project."""
    files, store = read(project), project.with_name("changed.samples")
    store.write_bytes(files["checkpoint.samples"])
    with closing(sqlite3.connect(store)) as connection:
        connection.executescript(statement)
    pack(project, files | {"checkpoint.samples": store.read_bytes()})


def replace_part(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def damage(project: Path) -> None:
        files = read(project)
        pack(project, files | {name: change(files[name])})

    return damage


def flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def move_directory(project: Path) -> None:
    """Give the directory of the archive an offset that is too large."""
    content = bytearray(project.read_bytes())
    end = content.rindex(b"PK\5\6")
    content[end + 16 : end + 20] = (2**32 - 2).to_bytes(4, "little")
    project.write_bytes(content)


def move_entry(project: Path) -> None:
    content = bytearray(project.read_bytes())
    entry = content.index(b"PK\1\2")
    content[entry + 42 : entry + 46] = (2**31).to_bytes(4, "little")
    project.write_bytes(content)


def cut(project: Path) -> None:
    project.write_bytes(project.read_bytes()[:-1000])


DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "an empty store": (replace_part("checkpoint.samples", lambda _: b""), "samples is damaged: it"),
    "a cut store": (replace_part("checkpoint.samples", lambda data: data[:9000]), "damaged"),
    "a text": (replace_part("checkpoint.samples", lambda _: b"x" * 5000), "damaged"),
    "no samples table": (lambda path: in_store(path, "DROP TABLE sample"), "damaged: its tables"),
    "a changed target": (lambda path: in_store(path, "UPDATE target SET value = 0"), "sample 1"),
    "no target": (lambda path: in_store(path, "DELETE FROM target"), "sample 1 has changed"),
    "changed features": (
        lambda path: in_store(path, "UPDATE features SET data = zeroblob(32) WHERE sample = 9"),
        "features of sample 9 have changed",
    ),
    "another base": (lambda path: in_store(path, "UPDATE meta SET value = 'x'"), "another base"),
    "a flipped bit in the model": (replace_part("model.tflite", flip), "model.tflite.* damaged"),
    "no model": (replace_part("model.tflite", lambda _: b""), "model.tflite"),
    "a flipped bit in the checkpoint": (replace_part("checkpoint.safetensors", flip), "damaged"),
    "no checkpoint": (replace_part("checkpoint.safetensors", lambda _: b""), "not a checkpoint"),
    "a directory out of place": (move_directory, "not a project, or is damaged"),
    "an entry out of place": (move_entry, "damaged"),
    "a cut archive": (cut, "not a project"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_project_changes_nothing(
    tiny: Convert, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    damage, message = DAMAGES[name]
    project, store = tmp_path / "mine.sartor", tmp_path / "mine.samples"
    with PersonalModel(tiny()) as model:
        for sample, label in blobs(4):
            model.add_sample(sample, f"new {label}")
        model.export_project(project)
    damage(project)
    with PersonalModel(tiny(), store=store) as model:
        add_samples(model).fit(epochs=3)
        before = model.predict(PROBE), model.samples
        with pytest.raises(SartorError, match=message) as error_info:
            model.import_project(project)
        assert (model.predict(PROBE), model.samples) == before
        assert model.classes == LABELS
    assert str(error_info.value).startswith(str(project)) or "part" not in str(error_info.value)
    with PersonalModel(tiny(), store=store) as model:
        assert model.samples == before[1]
    with pytest.raises(SartorError, match=message):
        unpack_project(project, tmp_path / "unpacked")
    with pytest.raises(SystemExit) as exit_info:
        main(["import", str(project), str(tmp_path / "unpacked")])
    assert exit_info.value.code == 1
    assert capsys.readouterr().err.startswith("error: ")
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "changed.samples") == [
        "mine.samples", "mine.sartor", "model.tflite",
    ]  # fmt: skip


def test_the_files_of_a_project_are_private(tiny: Convert, tmp_path: Path) -> None:
    with PersonalModel(tiny(), store=tmp_path / "s") as model:
        project = add_samples(model).export_project(tmp_path / "mine.sartor")
    folder = unpack_project(project, tmp_path / "unpacked")
    for path in (project, folder, *folder.iterdir()):
        assert path.stat().st_mode & 0o77 == 0, path
    with pytest.raises(FileExistsError, match="unpacked"):
        unpack_project(project, folder)


def test_a_project_does_not_depend_on_the_clock(
    tiny: Convert, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock may show a year that neither ZIP nor `datetime` can represent."""
    monkeypatch.setattr(time, "time", lambda: 3e11)
    with PersonalModel(tiny(), store=tmp_path / "s") as model:
        model.add_sample(PROBE, "hat")
        os.utime(tmp_path / "model.tflite", (0, 3e10))
        project = model.export_project(tmp_path / "mine.sartor")
        model.import_project(project)
        assert model.samples[0].added.year == 9999


@pytest.mark.parametrize("forgets", [False, True])
def test_what_a_killed_export_left_is_deleted(tiny: Convert, tmp_path: Path, forgets: bool) -> None:
    """When the store is opened, and when another process that has it open forgets."""
    store, exported = tmp_path / "s", tmp_path / "elsewhere" / "mine.sartor"
    exported.parent.mkdir()
    with PersonalModel(tiny(), store=store) as model:
        add_samples(model)
        other = contextlib.nullcontext(model)
        leftover = tmp_path / ".s.0123456789abcdef.part"
        leftover.mkdir()
        temporary = exported.with_name(".mine.sartor.0123456789abcdef.part")
        for path in (leftover / "checkpoint.samples", temporary, exported.with_name("other.part")):
            path.write_bytes(b"features")
        (leftover / "outputs").write_text(f"{temporary}\n{exported.with_name('other.part')}\n")
        if forgets:
            with other:
                model.forget(1)
    if not forgets:
        PersonalModel(tiny(), store=store).close()
    assert not leftover.exists()
    assert [path.name for path in exported.parent.iterdir()] == ["other.part"]


def test_what_a_running_export_uses_stays(tiny: Convert, tmp_path: Path) -> None:
    store = tmp_path / "s"
    with (
        PersonalModel(tiny(), store=store) as model,
        temporary_folder(store) as folder,
        temporary_file(tmp_path / "mine.sartor", folder=folder) as file,
    ):
        add_samples(model)
        PersonalModel(tiny(), store=store).close()
        model.forget(1)
        assert folder.exists()
        assert file.exists()
    assert not folder.exists()
