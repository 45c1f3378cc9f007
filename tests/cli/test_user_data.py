"""What a user has taught, on the command line: kept, listed, renamed, forgotten, moved."""

from __future__ import annotations

import shutil
from pathlib import Path

import PIL.Image
import pytest
from commands import COLOURS, Run

SEED = ("--seed", 3)


@pytest.fixture
def taught(model: Path, train: Path, tmp_path: Path, run: Run) -> Path:
    """A checkpoint that was taught the photos, with its samples beside it."""
    path = tmp_path / "user" / "mine.safetensors"
    path.parent.mkdir()
    assert run("fit", model, train, "--checkpoint", path, *SEED).code == 0
    return path


def test_the_second_time_only_new_photos_are_looked_at(
    model: Path, train: Path, taught: Path, run: Run
) -> None:
    assert taught.with_suffix(".samples").exists()
    again = run("fit", model, train, "--checkpoint", taught, *SEED, "--json").json
    assert (again["new_samples"], again["samples"]) == (0, 12)
    PIL.Image.new("RGB", (20, 20), (250, 20, 20)).save(train / "red" / "new.png")
    shutil.rmtree(train / "blue")  # it has learned them, and needs them no more
    more = run("fit", model, train, "--checkpoint", taught, *SEED, "--json").json
    assert (more["new_samples"], more["samples"]) == (1, 13)
    assert set(more["classes"]) == set(COLOURS)
    assert 0 <= more["expected_accuracy"] <= 1


def test_classes_are_listed_renamed_and_removed(model: Path, taught: Path, run: Run) -> None:
    def classes(*more: object) -> dict[str, int]:
        found: dict[str, int] = run("classes", model, "--checkpoint", taught, *more, "--json").json[
            "classes"
        ]
        return found

    assert classes() == dict.fromkeys(COLOURS, 4)
    assert "3 of 4 classes" in run("classes", model, "--checkpoint", taught).out
    assert "rot" in classes("--rename", "red", "rot")
    assert classes("--remove", "blue") == {"green": 4, "rot": 4}
    listed = run("inspect", taught, "--json").json["classes"]
    assert sorted(listed) == ["green", "rot"]
    for arguments, message in (
        (("--rename", "red", "x"), "no class 'red'"),
        (("--rename", "rot", "green"), "'green' already"),
        (("--remove", "red"), "no class 'red'"),
    ):
        assert message in run("classes", model, "--checkpoint", taught, *arguments).error


def test_forgetting_leaves_what_never_having_known_leaves(
    model: Path, train: Path, taught: Path, tmp_path: Path, run: Run
) -> None:
    extra = train / "red" / "extra.png"
    PIL.Image.effect_mandelbrot((32, 32), (-1, -1, 1, 1), 20).convert("RGB").save(extra)
    run("fit", model, train, "--checkpoint", taught, *SEED)
    result = run("forget", model, extra, "--checkpoint", taught, *SEED)
    assert "1 photo deleted" in result.out
    extra.unlink()
    never = tmp_path / "never.safetensors"
    run("fit", model, train, "--checkpoint", never, *SEED)
    photo = train / "red" / "0.png"
    answers = [
        run("predict", model, photo, "--checkpoint", path, "--json").json
        for path in (taught, never)
    ]
    assert answers[0] == answers[1]
    assert (
        "not one of the 12 training photos"
        in run("forget", model, tmp_path / "never.safetensors", "--checkpoint", taught).error
    )


def test_forgetting_by_number_and_to_the_last(model: Path, taught: Path, run: Run) -> None:
    samples = run("classes", model, "--checkpoint", taught, "--json").json["samples"]
    red = [each["number"] for each in samples if "red" in each["targets"]]
    options = [part for number in red for part in ("--sample", number)]
    found = run("forget", model, "--checkpoint", taught, *options, "--json").json
    assert found == {"forgotten": 4, "samples": 8, "removed_classes": ["red"]}
    assert "no sample 999" in run("forget", model, "--checkpoint", taught, "--sample", 999).error
    assert "nothing to forget" in run("forget", model, "--checkpoint", taught).error


def test_a_project_moves_to_another_place(
    model: Path, taught: Path, train: Path, tmp_path: Path, run: Run
) -> None:
    project = tmp_path / "mine.sartor"
    found = run("export", model, "--checkpoint", taught, "-o", project, "--json").json
    assert found == {"file": str(project), "bytes": project.stat().st_size, "samples": 12}
    folder = tmp_path / "there"
    assert "checkpoint.safetensors" in run("import", project, folder).out
    photo = train / "red" / "0.png"
    wanted = run("predict", model, photo, "--checkpoint", taught, "--json").json
    moved = folder / "checkpoint.safetensors"
    assert run("predict", folder / "model.tflite", photo, "--checkpoint", moved, "--json").json == (
        wanted
    )
    again = run("fit", folder / "model.tflite", train, "--checkpoint", moved, "--json").json
    assert again["new_samples"] == 0
    assert "File exists" in run("import", project, folder).error
    assert "not a project" in run("import", taught, tmp_path / "x").error


@pytest.mark.parametrize("name", ["plot.png", "plot.svg"])
def test_pictures_of_what_was_done(
    model: Path, train: Path, taught: Path, tmp_path: Path, run: Run, name: str
) -> None:
    for command in ("fit", "evaluate"):
        path = tmp_path / f"{command}-{name}"
        arguments = (command, model, train, "--checkpoint", taught, "--plot", path)
        assert run(*arguments).code == 0
        if name.endswith("png"):
            with PIL.Image.open(path) as picture:
                assert picture.width > 200
        else:
            assert path.read_text().startswith("<svg")
        assert "--plot writes .png or .svg" in run(*arguments[:-1], tmp_path / "plot.bmp").error
        assert "does not exist" in run(*arguments[:-1], tmp_path / "nowhere" / name).error


def test_training_can_be_bounded(model: Path, train: Path, taught: Path, run: Run) -> None:
    arguments = ("fit", model, train, "--checkpoint", taught, "--json")
    assert run(*arguments, "--epochs", 100_000, "--seconds", 0.3).json["epochs"] < 100_000
    assert run(*arguments, "--patience", 2).json["samples"] < 12
    assert "seconds must be above 0" in run(*arguments, "--seconds", 0).error


def test_photos_that_are_none_of_the_classes(
    model: Path, train: Path, taught: Path, run: Run
) -> None:
    found = run("predict", model, train / "red" / "0.png", "--checkpoint", taught, "--json").json
    assert found[0]["in_distribution"] in (True, False)


def test_what_was_never_taught_cannot_be_changed(
    model: Path, train: Path, tmp_path: Path, run: Run
) -> None:
    nowhere = tmp_path / "no.safetensors"
    for arguments in (
        ("classes", model),
        ("forget", model, train / "red" / "0.png"),
        ("export", model, "-o", tmp_path / "x.sartor"),
    ):
        assert "`sartor fit` writes one" in run(*arguments, "--checkpoint", nowhere).error
    assert not nowhere.with_suffix(".samples").exists()
