"""Renamed and removed classes, when the checkpoint is older than the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from blobs import LABELS, PROBE, add_samples, blobs

from sartor import PersonalModel
from sartor.runtime import bake, read_checkpoint
from sartor.runtime.class_names import ClassNames

Convert = Callable[..., Path]
Reopen = Callable[[], PersonalModel]


def rename(model: PersonalModel) -> None:
    model.rename_class("hat", "cap")


def swap(model: PersonalModel) -> None:
    for old, new in (("hat", "x"), ("shoes", "hat"), ("x", "shoes")):
        model.rename_class(old, new)


def reuse_the_name(model: PersonalModel) -> None:
    model.rename_class("hat", "cap")
    model.add_sample(PROBE + 9, "hat")


def remove(model: PersonalModel) -> None:
    model.remove_class("hat")


def remove_and_add(model: PersonalModel) -> None:
    model.remove_class("hat")
    model.add_sample(PROBE, "hat")


def forget_all_samples(model: PersonalModel) -> None:
    model.forget(*(each.id for each in model.samples if each.label == "hat"))


CHANGES = [rename, swap, reuse_the_name, remove, remove_and_add, forget_all_samples]


@pytest.fixture
def reopen(model_path: Path, checkpoint: Path, tmp_path: Path) -> Iterator[Reopen]:
    """Open the model with a store and its last checkpoint, as after a killed process."""
    store, saved = tmp_path / "mine.samples", tmp_path / "saved.safetensors"
    with PersonalModel(model_path, store=store) as model:
        add_samples(model).fit(epochs=20)
        model.save(saved)
    models = []

    def open_again() -> PersonalModel:
        model = PersonalModel(model_path, store=store)
        models.append(model)
        model.load(saved)
        return model

    yield open_again
    for model in models:
        model.close()


@pytest.mark.parametrize("change", CHANGES)
def test_an_older_checkpoint_has_the_classes_of_the_store(
    reopen: Reopen, change: Callable[[PersonalModel], None]
) -> None:
    model = reopen()
    change(model)
    with reopen() as reopened:
        assert sorted(reopened.classes) == sorted(model.classes)
        probabilities = [
            {each.label: each.probability for each in each_model.predict(PROBE)}
            for each_model in (model, reopened)
        ]
        assert probabilities[0] == pytest.approx(probabilities[1], abs=1e-6)
        assert reopened.fit().samples == len(model.samples)
        assert sorted(reopened.classes) == sorted(model.classes)


@pytest.mark.parametrize("change", CHANGES)
def test_another_process_follows_a_renaming_or_removal(
    reopen: Reopen, change: Callable[[PersonalModel], None]
) -> None:
    model, other = reopen(), reopen()
    change(model)
    other.fit(epochs=1)
    assert sorted(other.classes) == sorted(model.classes)
    other.add_sample(PROBE + 1, "shoes")
    assert sorted(other.classes) == sorted({*model.classes, "shoes"})


def test_a_class_without_samples_stays_removed(tiny: Convert, tmp_path: Path) -> None:
    path, store = tiny(classes=["hat", "shoes"], capacity=4), tmp_path / "s"
    with PersonalModel(path, store=store) as model:
        model.remove_class("hat")
        model.add_sample(PROBE, "dress")
    with PersonalModel(path, store=store) as model:
        assert model.classes == ("dress", "shoes")


@pytest.mark.parametrize("is_baked", [False, True])
def test_a_class_of_the_file_is_renamed(tiny: Convert, tmp_path: Path, is_baked: bool) -> None:
    path, store = tiny(classes=["hat", "shoes"], capacity=4), tmp_path / "s"
    if is_baked:
        path = tiny("base")
        with PersonalModel(path, store=store) as model:
            saved = add_samples(model).save(tmp_path / "c")
        path, _ = bake(path, saved, tmp_path / "baked.tflite")
    with PersonalModel(path, store=store) as model:
        for sample, label in blobs(2, seed=3):
            model.add_sample(sample, label)
        model.rename_class("hat", "cap")
    with PersonalModel(path, store=store) as model:
        assert model.classes == ("cap", "shoes", "dress")


def test_an_evicted_class_keeps_its_weights(tiny: Convert, tmp_path: Path) -> None:
    path, store = tiny(), tmp_path / "s"
    with PersonalModel(path, store=store) as model:
        add_samples(model, 1)
        saved = model.save(tmp_path / "c")
    with PersonalModel(path, store=store, max_samples=2) as model:
        model.add_sample(PROBE, "hat")
        assert len({each.label for each in model.samples}) < 3
    with PersonalModel(path, store=store) as model:
        model.load(saved)
        assert model.classes == LABELS


def test_an_imported_project_removes_the_classes_of_an_older_checkpoint(
    reopen: Reopen, tiny: Convert, tmp_path: Path
) -> None:
    with PersonalModel(tiny("other")) as model:
        model.add_sample(PROBE, "sock")
        project = model.export_project(tmp_path / "other.sartor")
    model = reopen()
    own = model.export_project(tmp_path / "own.sartor")
    model.import_project(project)
    assert model.classes == ("sock",)
    assert reopen().classes == ("sock",)
    model.import_project(own)
    assert [*model.classes] == [*LABELS]
    assert reopen().classes == LABELS


def test_a_saved_checkpoint_keeps_the_keys(reopen: Reopen, tmp_path: Path) -> None:
    model = reopen()
    keys = read_checkpoint(model.save(tmp_path / "a")).class_keys
    model.rename_class("hat", "cap")
    assert read_checkpoint(model.save(tmp_path / "b")).class_keys == keys


FOLLOWED: dict[str, tuple[list[str | None], dict[str, str | None], list[str | None]]] = {
    "nothing": (["a", None, "b"], {}, ["a", None, "b"]),
    "renamed": (["a", None, "b"], {"A": "c"}, ["c", None, "b"]),
    "swapped": (["a", None, "b"], {"A": "b", "B": "a"}, ["b", None, "a"]),
    "removed": (["a", None, "b"], {"A": None}, [None, None, "b"]),
    "a reused name": (["a", None, "b"], {"A": "b", "B": None}, ["b", None, None]),
    "another key": (["a", None, "b"], {"X": "a"}, ["a", None, "b"]),
    "a name that another class took": (["a", None, "b"], {"A": "b"}, ["b", None, None]),
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_names_follow_a_store(name: str) -> None:
    names, stored, expected = FOLLOWED[name]
    classes = ClassNames(names, [each and each.upper() for each in names]).following(stored)
    assert classes.names == expected
    assert [key is None for key in classes.keys] == [each is None for each in expected]
    assert classes.following(stored).names == expected
    if name == "another key":
        assert classes.keys == ["X", None, "B"]
