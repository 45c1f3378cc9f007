"""`sartor fit FOLDER`: the samples follow the folder, and what was forgotten stays forgotten."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import Result, Run, photos

from sartor import PersonalModel
from sartor.runtime.store import SampleStore

Fit = Callable[..., Result]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mine.safetensors"


@pytest.fixture
def fit(model: Path, train: Path, path: Path, run: Run) -> Fit:
    """Return a function that trains on `train`, or on another folder: `fit(*options, folder=…)`."""

    def call(*options: object, folder: Path = train) -> Result:
        return run("fit", model, folder, "--checkpoint", path, "--epochs", 3, *options)

    assert call().changes == ["12 photos new: blue 4, green 4, red 4"]
    return call


@pytest.fixture
def classes(model: Path, path: Path, run: Run) -> Callable[..., dict[str, int]]:
    """Return a function that runs `sartor classes` and returns the number of samples by class."""

    def call(*options: object) -> dict[str, int]:
        result: Any = run("classes", model, "--checkpoint", path, *options, "--json").json
        return dict(result["classes"])

    return call


Classes = Callable[..., dict[str, int]]


def test_a_forgotten_photo_is_not_added_again(
    model: Path, train: Path, path: Path, fit: Fit, classes: Classes, run: Run
) -> None:
    photo = train / "red" / "0.png"
    run("forget", model, photo, "--checkpoint", path)
    result = fit("--json").json
    assert (result["new_samples"], result["forgotten_files"]) == (0, [str(photo)])
    assert "1 photo deleted from the model before, skipped" in fit().err
    assert classes() == {"blue": 4, "green": 4, "red": 3}
    assert "1 photo new: red 1" in fit("--include-forgotten").err
    assert fit().changes == []
    assert classes() == {"blue": 4, "green": 4, "red": 4}


def test_a_forgotten_photo_is_added_if_it_is_put_back(
    model: Path, train: Path, path: Path, tmp_path: Path, fit: Fit, classes: Classes, run: Run
) -> None:
    photo = train / "red" / "0.png"
    run("forget", model, photo, "--checkpoint", path)
    photo.rename(tmp_path / "photo.png")
    assert fit().changes == []
    (tmp_path / "photo.png").rename(photo)
    assert "1 photo new: red 1" in fit().err
    assert classes()["red"] == 4


def test_a_removed_class_stays_removed(train: Path, fit: Fit, classes: Classes) -> None:
    assert classes("--remove", "red") == {"blue": 4, "green": 4}
    shutil.copytree(photos(train.parent / "more", 1, seed=9) / "red", train / "red",
                    dirs_exist_ok=True)  # fmt: skip
    assert "4 photos deleted from the model before, skipped" in fit().err
    assert classes() == {"blue": 4, "green": 4}
    assert "4 photos new: red 4" in fit("--include-forgotten").err
    assert classes() == {"blue": 4, "green": 4, "red": 4}


def test_new_photos_of_a_removed_class_are_skipped(train: Path, fit: Fit, classes: Classes) -> None:
    classes("--remove", "red")
    more = photos(train.parent / "more", 1, seed=9) / "red" / "0.png"
    shutil.copy(more, train / "red" / "new.png")
    assert "5 photos deleted from the model before, skipped" in fit().err
    shutil.rmtree(train / "red")
    fit()
    (train / "red").mkdir()
    shutil.copy(more, train / "red" / "new.png")
    assert "1 photo new: red 1" in fit().err


def test_a_renamed_class_keeps_its_name_and_gets_new_photos(
    train: Path, fit: Fit, classes: Classes
) -> None:
    classes("--rename", "red", "rot")
    assert fit().changes == []
    shutil.copy(
        photos(train.parent / "more", 1, seed=9) / "red" / "0.png", train / "red" / "new.png"
    )
    fit()
    assert classes() == {"blue": 4, "green": 4, "rot": 5}
    (train / "red").rename(train / "rot")
    fit()
    assert classes() == {"blue": 4, "green": 4, "rot": 5}


def test_evaluate_knows_the_folders_of_renamed_classes(
    model: Path, train: Path, held_out: Path, path: Path, fit: Fit, classes: Classes, run: Run
) -> None:
    classes("--rename", "red", "rot")
    classes("--rename", "blue", "red")
    for folder in (train, held_out):
        shutil.rmtree(folder / "blue")
    result = run("evaluate", model, train, "--checkpoint", path, "--json")
    assert result.json["per_class"] == {"green": 1, "red": None, "rot": 1}
    assert result.changes == []
    assert "the photos of 'red' count for the class 'rot', its name now" in result.err
    result = run("evaluate", model, held_out, "--checkpoint", path, "--json")
    assert result.json["confusion"]["red"]["rot"] == 3  # here "red" is the class of this name
    classes("--rename", "red", "blau")
    result = run("evaluate", model, held_out, "--checkpoint", path, "--json")
    assert result.json["per_class"] == {"blau": None, "green": 1, "rot": 1}
    path.with_suffix(".samples").write_bytes(b"damaged")
    result = run("evaluate", model, train, "--checkpoint", path)
    assert "note: " in result.err
    assert "is damaged" in result.err


def test_swapped_names_stay_swapped(fit: Fit, classes: Classes) -> None:
    for old, new in (("red", "other"), ("blue", "red"), ("other", "blue")):
        classes("--rename", old, new)
    before = classes()
    assert fit().changes == []
    assert classes() == before


def test_changes_of_another_program_hold(
    model: Path, train: Path, path: Path, fit: Fit, classes: Classes
) -> None:
    with PersonalModel(model, store=path.with_suffix(".samples")) as personal:
        personal.load(path)
        personal.rename_class("red", "rot")
        personal.remove_class("blue")
        personal.save(path)
    fit()
    assert classes() == {"green": 4, "rot": 4}


def test_samples_of_deleted_photos_are_deleted(train: Path, fit: Fit, classes: Classes) -> None:
    (train / "red" / "0.png").unlink()
    shutil.rmtree(train / "blue")
    result = fit()
    assert "5 photos no longer in" in result.err
    assert "blue 4, red 1" in result.err
    assert classes() == {"green": 4, "red": 3}


def test_a_photo_in_another_folder_changes_its_class(
    train: Path, fit: Fit, classes: Classes
) -> None:
    (train / "red" / "0.png").rename(train / "blue" / "moved.png")
    assert "1 photo changed: red → blue 1" in fit().err
    assert classes() == {"blue": 5, "green": 4, "red": 3}


def test_most_photos_missing_is_an_error(
    model: Path, train: Path, path: Path, fit: Fit, classes: Classes, run: Run
) -> None:
    before = classes()
    aside = train.rename(train.parent / "aside")
    assert "does not exist" in fit().error
    train.mkdir()
    assert "contains no folder with files" in fit().error
    shutil.copytree(aside / "red", train / "red")
    error = fit().error
    assert "8 of 12 photos that the model has learned from" in error
    assert classes() == before
    assert fit("--missing", "keep", "--json").json["dropped_samples"] == 0
    assert classes() == before
    shutil.copytree(aside, train, dirs_exist_ok=True)
    fit()
    assert classes() == before
    for label in ("green", "blue"):
        shutil.rmtree(train / label)
    assert fit("--missing", "drop", "--json").json["dropped_samples"] == 8
    assert classes() == {"red": 4}


def test_wrong_options_change_no_sample(train: Path, fit: Fit, classes: Classes) -> None:
    (train / "red" / "0.png").unlink()
    for options in (("--epochs", 0), ("--patience", 0), ("--seconds", -1)):
        assert f"{options[0][2:]} must be" in fit(*options).error
    assert classes()["red"] == 4


def test_two_folders_train_one_model(
    tmp_path: Path, train: Path, fit: Fit, classes: Classes
) -> None:
    other = photos(tmp_path / "other", 2, seed=5)
    shutil.copy(train / "red" / "0.png", other / "red" / "same.png")
    fit(folder=other)
    assert sum(classes().values()) == 18
    (other / "blue" / "0.png").unlink()
    (train / "red" / "0.png").unlink()  # it is in the other folder too
    (train / "green" / "0.png").unlink()
    fit(folder=other)
    assert classes() == {"blue": 5, "green": 6, "red": 6}
    fit()
    assert classes() == {"blue": 5, "green": 5, "red": 6}


def test_a_moved_folder_continues(
    model: Path, train: Path, path: Path, fit: Fit, classes: Classes, run: Run
) -> None:
    run("forget", model, train / "red" / "0.png", "--checkpoint", path)
    classes("--rename", "blue", "azul")
    moved = train.rename(train.parent / "moved")
    (moved / "green" / "0.png").unlink()
    result = fit(folder=moved)
    assert f"{moved} continues {train}, which is no longer there" in result.err
    assert classes() == {"azul": 4, "green": 3, "red": 3}


def test_a_photo_with_two_classes_is_skipped_and_named(
    train: Path, fit: Fit, classes: Classes, path: Path
) -> None:
    shutil.copy(train / "red" / "0.png", train / "blue" / "copy.png")
    shutil.copy(train / "red" / "1.png", train / "red" / "copy.png")
    result = fit()
    assert "skipped 2 (the same photo with several labels)" in result.err
    assert "blue/copy.png" in result.err
    assert "red/0.png" in result.err
    assert "skipped 1 (copies of other photos)" in result.err
    assert classes() == {"blue": 4, "green": 4, "red": 4}  # as before
    path.with_suffix(".samples").unlink()
    path.unlink()
    fit()
    assert classes() == {"blue": 4, "green": 4, "red": 3}


def test_a_class_does_not_vanish_because_its_photos_are_in_another_one(
    train: Path, fit: Fit, path: Path
) -> None:
    shutil.copytree(train / "red", train / "crimson")
    assert "no photo of the class 'crimson' can be used" in fit().err


def test_stray_files_and_folders_are_skipped_in_one_line(train: Path, fit: Fit) -> None:
    (train / "notes.txt").write_text("hello")
    (train / "red" / "notes.txt").write_text("hello")
    (train / "empty").mkdir()
    (train / "red" / "nested").mkdir()
    (train / "papers").mkdir()
    (train / "papers" / "a.pdf").write_bytes(b"%PDF")
    result = fit()
    (line,) = [each for each in result.err.splitlines() if "skipped" in each]
    assert "skipped 5 (no photo in the folder of a class)" in line
    assert "2 more" in line


def test_a_photo_that_cannot_be_read_now_is_not_missing(
    train: Path, fit: Fit, classes: Classes
) -> None:
    photo = train / "red" / "0.png"
    photo.unlink()
    photo.symlink_to(train / "not mounted")
    assert "0.png does not exist" in fit().err
    fit("--skip-unreadable")
    assert classes() == {"blue": 4, "green": 4, "red": 4}


def test_validation_photos_measure_and_do_not_train(
    model: Path, train: Path, path: Path, fit: Fit
) -> None:
    def held_out() -> list[str]:
        with PersonalModel(model, store=path.with_suffix(".samples")) as personal:
            return sorted(each.label for each in personal.samples if each.held_out)

    assert "accuracy on the training photos" in fit().out
    result = fit("--validation", 0.25)
    assert "accuracy on the validation photos" in result.out
    assert "3 photos changed: blue held out 1, green held out 1, red held out 1" in result.err
    assert held_out() == ["blue", "green", "red"]
    assert fit("--validation", 0.25).changes == []
    assert fit("--json").json["samples"] == 9
    (train / "red").rename(train / "rot")
    fit()
    assert held_out() == ["blue", "green", "rot"]


def test_a_folder_with_train_and_validation(
    model: Path, train: Path, held_out: Path, tmp_path: Path, run: Run
) -> None:
    folder, other = tmp_path / "both", tmp_path / "other.safetensors"
    shutil.copytree(train, folder / "train")
    shutil.copytree(held_out, folder / "validation")
    arguments = ("fit", model, folder, "--checkpoint", other, "--epochs", 3, "--json")
    assert run(*arguments).json["samples"] == 12
    assert run("evaluate", model, folder, "--checkpoint", other, "--json").json["samples"] == 9
    (folder / "validation" / "red" / "0.png").rename(folder / "train" / "red" / "moved.png")
    result = run(*arguments).json
    assert (result["samples"], result["changed_samples"]) == (13, 1)
    assert "omit --validation" in run(*arguments, "--validation", 0.2).error


def test_a_killed_fit_is_completed(
    model: Path, train: Path, path: Path, fit: Fit, classes: Classes, run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for photo in (train / "red").iterdir():
        new = photos(train.parent / photo.stem, 1, seed=50 + int(photo.stem)) / "red" / "0.png"
        shutil.copy(new, train / "red" / f"new{photo.name}")
    (train / "blue" / "0.png").unlink()
    add, names = PersonalModel.add_sample, list[Path]()

    def add_two(self: PersonalModel, image: Any, *arguments: Any, **options: Any) -> int:
        if len(names) == 2:
            raise KeyboardInterrupt
        names.append(image)
        return add(self, image, *arguments, **options)

    with monkeypatch.context() as context:
        context.setattr(PersonalModel, "add_sample", add_two)
        assert "stopped by" in fit().err
    run("forget", model, names[0], "--checkpoint", path)
    fit()
    assert classes() == {"blue": 3, "green": 4, "red": 7}
    assert "skipped" in fit().err


@pytest.mark.parametrize("text", ["", "00000000{}", '{:08x}{"path": 1}', "{:08x}[]", "{:08x}{}"])
def test_a_damaged_list_of_a_folder_is_refused(
    model: Path, path: Path, fit: Fit, text: str
) -> None:
    from sartor.contract.sample_store import checksum

    manifest, store = PersonalModel(model).manifest, path.with_suffix(".samples")
    with SampleStore(store, manifest) as samples:
        (key,) = samples.app_data("")
        content = text.removeprefix("{:08x}")
        samples.set_app_data(key, text.replace("{:08x}", f"{checksum(content):08x}"))
    assert "the list of a folder has changed" in fit().error
