"""What a user has trained, on the command line: kept, listed, renamed, forgotten, moved."""

from __future__ import annotations

import shutil
from pathlib import Path

import PIL.Image
import pytest
from commands import COLOURS, Run

SEED = ("--seed", 3)


@pytest.fixture
def trained(model: Path, train: Path, tmp_path: Path, run: Run) -> Path:
    """A checkpoint that was trained the photos, with its samples beside it."""
    path = tmp_path / "user" / "mine.safetensors"
    path.parent.mkdir()
    assert run("fit", model, train, "--checkpoint", path, *SEED).code == 0
    return path


def test_the_second_time_only_new_photos_are_looked_at(
    model: Path, train: Path, trained: Path, run: Run
) -> None:
    assert trained.with_suffix(".samples").exists()
    again = run("fit", model, train, "--checkpoint", trained, *SEED, "--json").json
    assert (again["new_samples"], again["samples"]) == (0, 12)
    PIL.Image.new("RGB", (20, 20), (250, 20, 20)).save(train / "red" / "new.png")
    shutil.rmtree(train / "blue")  # it has learned them, and needs them no more
    more = run("fit", model, train, "--checkpoint", trained, *SEED, "--json").json
    assert (more["new_samples"], more["samples"]) == (1, 13)
    assert set(more["classes"]) == set(COLOURS)
    assert 0 <= more["expected_accuracy"] <= 1


def test_classes_are_listed_renamed_and_removed(model: Path, trained: Path, run: Run) -> None:
    def classes(*more: object) -> dict[str, int]:
        found: dict[str, int] = run(
            "classes", model, "--checkpoint", trained, *more, "--json"
        ).json["classes"]
        return found

    assert classes() == dict.fromkeys(COLOURS, 4)
    assert "3 of 4 classes" in run("classes", model, "--checkpoint", trained).out
    assert "rot" in classes("--rename", "red", "rot")
    assert classes("--remove", "blue") == {"green": 4, "rot": 4}
    listed = run("inspect", trained, "--json").json["classes"]
    assert sorted(listed) == ["green", "rot"]
    for arguments, message in (
        (("--rename", "red", "x"), "no class 'red'"),
        (("--rename", "rot", "green"), "'green' already"),
        (("--remove", "red"), "no class 'red'"),
    ):
        assert message in run("classes", model, "--checkpoint", trained, *arguments).error


def test_a_forgotten_photo_leaves_no_trace(
    model: Path, train: Path, trained: Path, tmp_path: Path, run: Run
) -> None:
    extra = train / "red" / "extra.png"
    PIL.Image.effect_mandelbrot((32, 32), (-1, -1, 1, 1), 20).convert("RGB").save(extra)
    run("fit", model, train, "--checkpoint", trained, *SEED)
    result = run("forget", model, extra, "--checkpoint", trained, *SEED)
    assert "1 photo deleted" in result.out
    extra.unlink()
    never = tmp_path / "never.safetensors"
    run("fit", model, train, "--checkpoint", never, *SEED)
    photo = train / "red" / "0.png"
    answers = [
        run("predict", model, photo, "--checkpoint", path, "--json").json
        for path in (trained, never)
    ]
    assert answers[0] == answers[1]
    assert (
        "not one of the 12 training photos"
        in run("forget", model, tmp_path / "never.safetensors", "--checkpoint", trained).error
    )


def test_samples_are_forgotten_by_number(model: Path, trained: Path, run: Run) -> None:
    samples = run("classes", model, "--checkpoint", trained, "--json").json["samples"]
    red = [each["number"] for each in samples if "red" in each["targets"]]
    options = [part for number in red for part in ("--sample", number)]
    found = run("forget", model, "--checkpoint", trained, *options, "--json").json
    assert found == {"forgotten": 4, "samples": 8, "removed_classes": ["red"]}
    assert "no sample 999" in run("forget", model, "--checkpoint", trained, "--sample", 999).error
    assert "nothing to forget" in run("forget", model, "--checkpoint", trained).error


def test_a_project_moves_to_another_folder(
    model: Path, trained: Path, train: Path, tmp_path: Path, run: Run
) -> None:
    project = tmp_path / "mine.sartor"
    found = run("export", model, "--checkpoint", trained, "-o", project, "--json").json
    assert found == {"file": str(project), "bytes": project.stat().st_size, "samples": 12}
    folder = tmp_path / "there"
    assert "checkpoint.safetensors" in run("import", project, folder).out
    photo = train / "red" / "0.png"
    expected = run("predict", model, photo, "--checkpoint", trained, "--json").json
    moved = folder / "checkpoint.safetensors"
    assert run("predict", folder / "model.tflite", photo, "--checkpoint", moved, "--json").json == (
        expected
    )
    again = run("fit", folder / "model.tflite", train, "--checkpoint", moved, "--json").json
    assert again["new_samples"] == 0
    assert "File exists" in run("import", project, folder).error
    assert "not a project" in run("import", trained, tmp_path / "x").error


@pytest.mark.parametrize("name", ["plot.png", "plot.svg"])
def test_charts(
    model: Path, train: Path, trained: Path, tmp_path: Path, run: Run, name: str
) -> None:
    for command in ("fit", "evaluate"):
        path = tmp_path / f"{command}-{name}"
        arguments = (command, model, train, "--checkpoint", trained, "--plot", path)
        assert run(*arguments).code == 0
        if name.endswith("png"):
            with PIL.Image.open(path) as picture:
                assert picture.width > 200
        else:
            assert path.read_text().startswith("<svg")
        assert "--plot writes .png or .svg" in run(*arguments[:-1], tmp_path / "plot.bmp").error
        assert "does not exist" in run(*arguments[:-1], tmp_path / "nowhere" / name).error


def test_limits_of_the_training(model: Path, train: Path, trained: Path, run: Run) -> None:
    arguments = ("fit", model, train, "--checkpoint", trained, "--json")
    assert run(*arguments, "--epochs", 100_000, "--seconds", 0.3).json["epochs"] < 100_000
    assert run(*arguments, "--patience", 2).json["samples"] < 12
    assert "seconds must be above 0" in run(*arguments, "--seconds", 0).error


def test_predictions_state_whether_they_are_in_distribution(
    model: Path, train: Path, trained: Path, run: Run
) -> None:
    found = run("predict", model, train / "red" / "0.png", "--checkpoint", trained, "--json").json
    assert found[0]["in_distribution"] in (True, False)


def test_a_missing_checkpoint_is_an_error(
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
