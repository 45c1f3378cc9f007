"""Files that other programs change or read while a model is open."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from blobs import LABELS, PROBE, add_samples

from sartor import PersonalModel
from sartor.errors import CheckpointError, DataError, InvalidModelError, OutputError, StoreError
from sartor.inspection import describe
from sartor.runtime import unpack_project
from sartor.runtime.store import connect

Convert = Callable[..., Path]


def truncate(path: Path) -> None:
    path.write_bytes(b"")


def overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))


def replace(path: Path) -> None:
    path.unlink()
    path.write_bytes(b"another file")


@pytest.mark.parametrize("change", [truncate, overwrite, Path.unlink, replace])
def test_an_open_model_does_not_depend_on_its_file(
    tiny: Convert, tmp_path: Path, change: Callable[[Path], object]
) -> None:
    expected = []
    for path in (tiny("unchanged"), tiny("changed")):
        content = path.read_bytes()
        with PersonalModel(path) as model:
            if path.stem == "changed":
                change(path)
            add_samples(model).fit()
            model.save(tmp_path / "mine.safetensors")
            model.load(tmp_path / "mine.safetensors")
            model.export_project(tmp_path / f"{path.stem}.sartor")
            expected.append(model.predict(PROBE))
        folder = unpack_project(tmp_path / f"{path.stem}.sartor", tmp_path / path.stem)
        assert (folder / "model.tflite").read_bytes() == content
    assert expected[0] == expected[1]


@pytest.mark.parametrize("change", [truncate, overwrite, Path.unlink, replace])
def test_a_loaded_checkpoint_does_not_depend_on_its_file(
    tiny: Convert, checkpoint: Path, change: Callable[[Path], object]
) -> None:
    with PersonalModel(tiny()) as model:
        model.load(checkpoint)
        before = model.predict(PROBE)
        change(checkpoint)
        assert model.predict(PROBE) == before


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return the path of a new store in a folder of its own."""
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder" / "s"


def delete_all(store: Path) -> None:
    for path in store.parent.glob("s*"):
        path.unlink()


def delete_log(store: Path) -> None:
    store.with_name("s-wal").unlink()


def move(store: Path) -> None:
    store.rename(store.with_name("moved"))


def move_folder(store: Path) -> None:
    store.parent.rename(store.parent.with_name("moved"))


def replace_by_copy(store: Path) -> None:
    copy = store.with_name("copy")
    copy.write_bytes(store.read_bytes())
    copy.replace(store)


def methods(model: PersonalModel) -> list[Callable[[], object]]:
    """Return calls that use the store of a model."""
    return [
        lambda: model.add_sample(PROBE + 1, "hat"),
        lambda: model.add_sample(PROBE + 1, "shoes"),
        lambda: model.rename_class("hat", "cap"),
        lambda: model.forget(1),
        lambda: model.remove_class("hat"),
        model.fit,
    ]


CHANGES = [delete_all, Path.unlink, delete_log, move, move_folder, replace_by_copy]


@pytest.mark.parametrize("change", CHANGES)
def test_a_store_that_is_not_there_any_more_acknowledges_nothing(
    tiny: Convert, store: Path, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    with PersonalModel(tiny(), store=store) as model:
        model.add_sample(PROBE, "hat")
        change(store)
        for method in methods(model):
            with pytest.raises(StoreError, match=r"(deleted or moved|replaced) while it was open"):
                method()
        assert model.classes == ("hat",)
        project = model.export_project(tmp_path / "rescued.sartor")
    rescued = unpack_project(project, tmp_path / "rescued")
    with PersonalModel(tiny(), store=rescued / "checkpoint.samples") as model:
        assert [each.label for each in model.samples] == ["hat"]


@pytest.mark.parametrize("change", [move, move_folder])
def test_a_store_that_is_moved_back_has_all_samples(
    tiny: Convert, store: Path, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    with PersonalModel(tiny(), store=store) as model:
        model.add_sample(PROBE, "hat")
        change(store)
        with pytest.raises(StoreError):
            model.add_sample(PROBE + 1, "hat")
        moved = store.with_name("moved")
        (moved if moved.exists() else tmp_path / "moved").rename(
            store if moved.exists() else store.parent
        )
        model.add_sample(PROBE + 2, "hat")
        model.fit()
    with PersonalModel(tiny(), store=store) as model:
        assert len(model.samples) == 2


def overwrite_with_other(store: Path) -> None:
    shutil.copyfile(store.with_name("other"), store)


def halve(store: Path) -> None:
    os.truncate(store, store.stat().st_size // 2)


@pytest.mark.parametrize("is_new", [True, False], ids=["new", "existing"])
@pytest.mark.parametrize("change", [overwrite_with_other, truncate, halve, overwrite])
def test_a_store_that_is_overwritten_acknowledges_nothing(
    tiny: Convert, store: Path, tmp_path: Path, change: Callable[[Path], None], is_new: bool
) -> None:
    with PersonalModel(tiny(), store=store.with_name("other")) as model:
        model.add_sample(PROBE + 5, "dress")
    if not is_new:
        with PersonalModel(tiny(), store=store) as model:
            model.add_sample(PROBE + 6, "hat")
    with PersonalModel(tiny(), store=store) as model:
        model.add_sample(PROBE, "hat")
        change(store)
        content = store.read_bytes()
        exports: list[Callable[[], object]]
        exports = [partial(model.export_project, tmp_path / "p.sartor")]
        for method in methods(model) + exports:
            with pytest.raises(StoreError, match="overwritten by another program"):
                method()
        assert model.classes == ("hat",)
    assert store.read_bytes() == content
    if change is overwrite_with_other:
        with PersonalModel(tiny(), store=store) as model:
            assert [each.label for each in model.samples] == ["dress"]


def test_a_store_is_not_overwritten_by_other_connections(tiny: Convert, store: Path) -> None:
    with (
        PersonalModel(tiny(), store=store) as model,
        PersonalModel(tiny(), store=store) as other,
        closing(sqlite3.connect(store, isolation_level=None)) as connection,
    ):
        for number in range(6):
            other.add_sample(PROBE + number, "hat")
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            if number % 2:
                model.add_sample(PROBE - number, "shoes")
            if number == 3:
                connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            os.utime(store)
        other.forget(1)
        model.fit()
        assert len(model.samples) == len(other.samples) == 8


def test_reading_an_open_store_keeps_its_locks(tiny: Convert, store: Path) -> None:
    with PersonalModel(tiny(), store=store) as model:
        model.add_sample(PROBE, "hat")
        describe(store)
        with PersonalModel(tiny(), store=store):
            pass
        with pytest.raises(CheckpointError):
            model.load(store)
        with pytest.raises(OutputError):
            model.save(store)
        with pytest.raises(InvalidModelError):
            PersonalModel(store)
        with pytest.raises(DataError, match="is a sample store, not a project"):
            model.import_project(store)
        program = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('VACUUM')"
        subprocess.run([sys.executable, "-c", program, store], check=True)
        assert store.with_name("s-wal").exists()  # else the process was the only one with a lock


@pytest.mark.parametrize("method", ["forget", "remove_class"])
def test_forgetting_beside_a_reader_cleans_samples_and_weights(
    tiny: Convert, store: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(connect, "_LOCK_TIMEOUT", 0.1)
    with PersonalModel(tiny(), store=store) as model:
        add_samples(model).fit(epochs=5)
        with closing(sqlite3.connect(store, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM sample").fetchall()
            hats = [each.id for each in model.samples if each.label == "hat"]
            with pytest.warns(RuntimeWarning, match="not overwritten yet"):
                model.forget(*hats) if method == "forget" else model.remove_class("hat")
        assert model.classes == ("shoes", "dress")
        assert len(model.samples) == 10
        assert model.predict(PROBE).in_distribution in (None, False)


def test_forgetting_beside_a_writer_changes_nothing(
    tiny: Convert, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "_LOCK_TIMEOUT", 0.1)
    with PersonalModel(tiny(), store=store) as model:
        add_samples(model).fit(epochs=5)
        before = model.predict(PROBE)
        with closing(sqlite3.connect(store, isolation_level=None)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="locked by another program"):
                model.forget(1)
            with pytest.raises(StoreError, match="locked by another program"):
                model.remove_class("hat")
        assert model.classes == LABELS
        assert len(model.samples) == 15
        assert model.predict(PROBE) == before
