"""A project moves a model, its state and its samples to another device."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from blobs import LABELS, PROBE, add_samples

from sartor import PersonalModel
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


def test_a_damaged_store_changes_nothing(tiny: Convert, tmp_path: Path) -> None:
    project = tmp_path / "mine.sartor"
    with PersonalModel(tiny()) as model:
        model.add_sample(PROBE, "sock")
        model.export_project(project)
        _overwrite(project, "checkpoint.samples")
    with PersonalModel(tiny()) as model:
        add_samples(model).fit()
        before = model.predict(PROBE)
        with pytest.raises(SartorError):
            model.import_project(project)
        assert model.predict(PROBE) == before
        assert model.classes == LABELS
        assert len(model.samples) == 15


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


def _overwrite(project: Path, name: str) -> None:
    with zipfile.ZipFile(project) as archive:
        files = {file: archive.read(file) for file in archive.namelist()}
    files[name] = b"x" * 5000
    with zipfile.ZipFile(project, "w") as archive:
        for file, content in files.items():
            archive.writestr(file, content)
