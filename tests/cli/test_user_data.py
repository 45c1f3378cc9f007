"""Commands that keep, list, rename, forget and move the data of a user."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import PIL.Image
import pytest
from commands import COLORS, Run

from sartor.runtime.store import connect

SEED = ("--seed", 3)


@pytest.fixture
def checkpoint(model: Path, train: Path, tmp_path: Path, run: Run) -> Path:
    """Return a checkpoint of `sartor fit`, with the samples beside it."""
    path = tmp_path / "user" / "mine.safetensors"
    path.parent.mkdir()
    assert run("fit", model, train, "--checkpoint", path, *SEED).code == 0
    return path


def test_a_second_fit_adds_only_new_photos(
    model: Path, train: Path, checkpoint: Path, run: Run
) -> None:
    assert checkpoint.with_suffix(".samples").exists()
    second = run("fit", model, train, "--checkpoint", checkpoint, *SEED, "--json").json
    assert (second["new_samples"], second["samples"]) == (0, 12)
    PIL.Image.new("RGB", (20, 20), (250, 20, 20)).save(train / "red" / "new.png")
    third = run("fit", model, train, "--checkpoint", checkpoint, *SEED, "--json").json
    assert (third["new_samples"], third["samples"]) == (1, 13)
    assert set(third["classes"]) == set(COLORS)
    assert 0 <= third["expected_accuracy"] <= 1


def test_classes_are_listed_renamed_and_removed(model: Path, checkpoint: Path, run: Run) -> None:
    def classes(*options: object) -> dict[str, int]:
        counts: dict[str, int] = run(
            "classes", model, "--checkpoint", checkpoint, *options, "--json"
        ).json["classes"]
        return counts

    assert classes() == dict.fromkeys(COLORS, 4)
    assert "3 of 4 classes" in run("classes", model, "--checkpoint", checkpoint).out
    assert "rot" in classes("--rename", "red", "rot")
    assert classes("--remove", "blue") == {"green": 4, "rot": 4}
    names = run("inspect", checkpoint, "--json").json["classes"]
    assert sorted(names) == ["green", "rot"]
    for arguments, message in (
        (("--rename", "red", "x"), "no class 'red'"),
        (("--rename", "rot", "green"), "'green' already"),
        (("--remove", "red"), "no class 'red'"),
    ):
        assert message in run("classes", model, "--checkpoint", checkpoint, *arguments).error


def test_a_forgotten_photo_leaves_no_trace(
    model: Path, train: Path, checkpoint: Path, tmp_path: Path, run: Run
) -> None:
    extra = train / "red" / "extra.png"
    PIL.Image.effect_mandelbrot((32, 32), (-1, -1, 1, 1), 20).convert("RGB").save(extra)
    run("fit", model, train, "--checkpoint", checkpoint, *SEED)
    result = run("forget", model, extra, "--checkpoint", checkpoint, *SEED)
    assert "1 photo deleted" in result.out
    extra.unlink()
    other = tmp_path / "other.safetensors"
    run("fit", model, train, "--checkpoint", other, *SEED)
    photo = train / "red" / "0.png"
    predictions = [
        run("predict", model, photo, "--checkpoint", path, "--json").json
        for path in (checkpoint, other)
    ]
    assert predictions[0] == predictions[1]
    assert (
        "not one of the 12 training photos"
        in run("forget", model, tmp_path / "other.safetensors", "--checkpoint", checkpoint).error
    )


def test_samples_are_forgotten_by_number(model: Path, checkpoint: Path, run: Run) -> None:
    samples = run("classes", model, "--checkpoint", checkpoint, "--json").json["samples"]
    red = [each["number"] for each in samples if "red" in each["targets"]]
    options = [part for number in red for part in ("--sample", number)]
    summary = run("forget", model, "--checkpoint", checkpoint, *options, "--json").json
    assert summary == {"forgotten": 4, "samples": 8, "removed_classes": ["red"]}
    assert (
        "no sample 999" in run("forget", model, "--checkpoint", checkpoint, "--sample", 999).error
    )
    assert "nothing to forget" in run("forget", model, "--checkpoint", checkpoint).error


def test_a_project_moves_to_another_folder(
    model: Path, checkpoint: Path, train: Path, tmp_path: Path, run: Run
) -> None:
    project = tmp_path / "mine.sartor"
    summary = run("export", model, "--checkpoint", checkpoint, "-o", project, "--json").json
    assert summary == {"file": str(project), "bytes": project.stat().st_size, "samples": 12}
    folder = tmp_path / "project"
    assert "checkpoint.safetensors" in run("import", project, folder).out
    photo = train / "red" / "0.png"
    expected = run("predict", model, photo, "--checkpoint", checkpoint, "--json").json
    new_checkpoint = folder / "checkpoint.safetensors"
    assert (
        run(
            "predict", folder / "model.tflite", photo, "--checkpoint", new_checkpoint, "--json"
        ).json
        == expected
    )
    second = run(
        "fit", folder / "model.tflite", train, "--checkpoint", new_checkpoint, "--json"
    ).json
    assert second["new_samples"] == 0
    assert "project exists already: name a new folder" in run("import", project, folder).error
    assert "not a project" in run("import", checkpoint, tmp_path / "x").error


@pytest.mark.parametrize("name", ["plot.png", "plot.svg"])
def test_plot_writes_a_chart(
    model: Path, train: Path, checkpoint: Path, tmp_path: Path, run: Run, name: str
) -> None:
    for command in ("fit", "evaluate"):
        path = tmp_path / f"{command}-{name}"
        arguments = (command, model, train, "--checkpoint", checkpoint, "--plot", path)
        assert run(*arguments).code == 0
        if name.endswith("png"):
            with PIL.Image.open(path) as image:
                assert image.width > 200
        else:
            assert path.read_text().startswith("<svg")
        assert "--plot writes .png or .svg" in run(*arguments[:-1], tmp_path / "plot.bmp").error
        assert "does not exist" in run(*arguments[:-1], tmp_path / "missing" / name).error


def test_options_limit_the_training(model: Path, train: Path, checkpoint: Path, run: Run) -> None:
    arguments = ("fit", model, train, "--checkpoint", checkpoint, "--json")
    assert run(*arguments, "--epochs", 100_000, "--seconds", 0.3).json["epochs"] < 100_000
    assert run(*arguments, "--patience", 2).json["samples"] < 12
    assert "seconds must be above 0" in run(*arguments, "--seconds", 0).error


def test_predictions_state_whether_they_are_in_distribution(
    model: Path, train: Path, checkpoint: Path, run: Run
) -> None:
    photos = run(
        "predict", model, train / "red" / "0.png", "--checkpoint", checkpoint, "--json"
    ).json
    assert photos[0]["in_distribution"] in (True, False)


def test_a_missing_checkpoint_is_an_error(
    model: Path, train: Path, tmp_path: Path, run: Run
) -> None:
    missing = tmp_path / "no.safetensors"
    for arguments in (
        ("classes", model),
        ("forget", model, train / "red" / "0.png"),
        ("export", model, "-o", tmp_path / "x.sartor"),
    ):
        assert "`sartor fit` writes one" in run(*arguments, "--checkpoint", missing).error
    assert not missing.with_suffix(".samples").exists()


def test_forgetting_beside_a_reader_trains_and_saves(
    model: Path, checkpoint: Path, train: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "_LOCK_TIMEOUT", 0.1)
    store = checkpoint.with_suffix(".samples")
    with closing(sqlite3.connect(store, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sample").fetchall()
        result = run("forget", model, "--checkpoint", checkpoint, "--sample", 1, *SEED)
    assert result.code == 0
    assert "note: the samples are deleted, but their bytes are not overwritten yet" in result.err
    summary = run("classes", model, "--checkpoint", checkpoint, "--json").json
    assert 1 not in [each["number"] for each in summary["samples"]]
