"""`fit` and `evaluate` for several labels per photo, and for numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from commands import COLORS, Run

from sartor import MultiLabelClassifier, Regressor


@pytest.fixture
def labels_csv(train: Path) -> Path:
    """Return a CSV with the color of each photo, and whether it is warm."""
    lines = [
        f"{path.relative_to(train)},{path.parent.name}" + (",warm" * (path.parent.name == "red"))
        for path in sorted(train.glob("*/*.png"))
    ]
    path = train / "labels.csv"
    path.write_text("\n".join(["file,label,label", *lines]))
    return path


@pytest.fixture
def numbers_csv(train: Path) -> Path:
    """Return a CSV with the red and, of some photos, the blue part of each photo."""
    lines = [
        f"{path.relative_to(train)},{COLORS[path.parent.name][0] / 255},"
        + (f"{COLORS[path.parent.name][2] / 255}" * (path.stem != "0"))
        for path in sorted(train.glob("*/*.png"))
    ]
    path = train / "numbers.csv"
    path.write_text("\n".join(["file,red,blue", *lines]))
    return path


def test_several_labels_per_photo(
    image_model: Callable[..., Path], labels_csv: Path, train: Path, tmp_path: Path, run: Run
) -> None:
    model, checkpoint = image_model(head=MultiLabelClassifier()), tmp_path / "mine.safetensors"
    arguments = ("fit", model, labels_csv, "--checkpoint", checkpoint)
    result = run(*arguments)
    assert result.code == 0, result
    assert "12 photos new: blue 4, green 4, red+warm 4" in result.err
    assert "label" in result.out
    training = run(*arguments, "--json").json
    assert (training["samples"], training["accuracy"]) == (12, 1)
    assert training["classes"] == ["blue", "green", "red", "warm"]
    evaluation = run("evaluate", model, labels_csv, "--checkpoint", checkpoint, "--json").json
    assert evaluation["per_class"] == dict.fromkeys(["blue", "green", "red", "warm"], 1)
    assert evaluation["confusion"] is None
    result = run("evaluate", model, labels_csv, "--checkpoint", checkpoint)
    assert "accuracy 100.0 %, loss" in result.out
    assert (
        "only a classification has"
        in run(*("evaluate", *arguments[1:]), "--plot", tmp_path / "a.png").error
    )


def test_the_labels_of_a_csv_follow_the_model(
    image_model: Callable[..., Path], labels_csv: Path, tmp_path: Path, run: Run
) -> None:
    model, checkpoint = image_model(head=MultiLabelClassifier()), tmp_path / "mine.safetensors"
    arguments = ("fit", model, labels_csv, "--checkpoint", checkpoint, "--epochs", 2)

    def classes(*options: object) -> dict[str, int]:
        result = run("classes", model, "--checkpoint", checkpoint, *options, "--json").json
        return dict(result["classes"])

    run(*arguments)
    classes("--rename", "warm", "hot")
    before = classes("--remove", "green")
    assert before == {"blue": 4, "red": 4, "hot": 4}
    assert run(*arguments).changes == []
    assert classes() == before
    text = labels_csv.read_text()
    labels_csv.write_text(text.replace("blue/0.png,blue", "blue/0.png,blue,cold,warm"))
    (line,) = run(*arguments).changes
    assert line == ("12 photos changed: blue → blue+hot+cold 1, blue 3, no label 4, red+hot 4")
    assert classes() == {"blue": 4, "red": 4, "hot": 5, "cold": 1}
    assert run(*arguments).changes == []


def test_photos_of_a_folder_have_one_label_each(
    image_model: Callable[..., Path], train: Path, tmp_path: Path, run: Run
) -> None:
    model, checkpoint = image_model(head=MultiLabelClassifier()), tmp_path / "mine.safetensors"
    training = run("fit", model, train, "--checkpoint", checkpoint, "--json").json
    assert (training["accuracy"], training["samples"]) == (1, 12)


def test_numbers(
    image_model: Callable[..., Path], numbers_csv: Path, train: Path, tmp_path: Path, run: Run
) -> None:
    model, checkpoint = image_model(head=Regressor(), classes=2), tmp_path / "mine.safetensors"
    arguments = (model, numbers_csv, "--checkpoint", checkpoint)
    result = run("fit", *arguments)
    assert result.code == 0, result
    assert "mean absolute error on the training photos" in result.out
    training = run("fit", *arguments, "--json").json
    assert training["accuracy"] is None
    assert set(training["absolute_error"]) == {"red", "blue"}
    evaluation = run("evaluate", *arguments, "--json").json
    assert max(evaluation["absolute_error"].values()) < 0.3
    assert "loss" in run("evaluate", *arguments).out
    error = run("fit", model, train, "--checkpoint", checkpoint).error
    assert "pass a CSV with the first line file,NAME" in error


def test_a_csv_of_a_classification(model: Path, train: Path, tmp_path: Path, run: Run) -> None:
    path, checkpoint = train / "labels.csv", tmp_path / "mine.safetensors"
    path.write_text("file,label\nred/0.png,rot\nblue/0.png,blau\nmissing.png,rot\n")
    arguments = ("fit", model, path, "--checkpoint", checkpoint, "--json")
    assert "missing.png does not exist" in run(*arguments).error
    result = run(*arguments, "--skip-unreadable").json
    assert result["classes"] == ["rot", "blau"]
    path.write_text("file,label,label\nred/0.png,rot,red\n")
    assert "row 1 (red/0.png): expected one label, got 2" in run(*arguments).error
