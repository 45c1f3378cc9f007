"""`sartor predict`: files, folders, standard input; tables, CSV, JSON; default checkpoints."""

from __future__ import annotations

import csv
import io
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from commands import COLORS, Run

Convert = Callable[..., Path]


@pytest.fixture
def trained(model: Path, train: Path, run: Run) -> Path:
    """Return a model with a checkpoint beside it."""
    assert run("fit", model, train, "--quiet").code == 0
    assert model.with_suffix(".safetensors").is_file()
    assert model.with_suffix(".samples").is_file()
    return model


def test_commands_use_the_checkpoint_beside_the_model(
    trained: Path, held_out: Path, tmp_path: Path, run: Run
) -> None:
    result = run("predict", trained, held_out / "red" / "0.png", "--json")
    assert result.json[0]["top"][0]["label"] == "red"
    assert f"the weights are those of {trained.with_suffix('.safetensors')}" in result.err
    assert run("evaluate", trained, held_out, "--json").json["accuracy"] == 1
    assert list(run("classes", trained, "--json").json["classes"]) == list(COLORS)
    for command in ("bake", "freeze", "export"):
        assert run(command, trained, "-o", tmp_path / command).code == 0
    baked = run("predict", tmp_path / "bake", held_out / "red" / "0.png", "--json")
    assert baked.json[0]["top"][0]["label"] == "red"
    assert run("forget", trained, "--sample", 1).code == 0


def test_a_missing_checkpoint_is_named(model: Path, tmp_path: Path, run: Run) -> None:
    message = "model.safetensors does not exist"
    assert message in run("bake", model, "-o", tmp_path / "baked.tflite").error
    assert f"{message}: `sartor fit` writes one" in run("classes", model).error


def test_folders_are_searched_for_photos(trained: Path, held_out: Path, run: Run) -> None:
    (held_out / "notes.txt").write_text("hello")
    (held_out / "red" / ".hidden.png").write_bytes(b"")
    result = run("predict", trained, held_out, "--json")
    assert result.code == 0
    expected = [str(held_out / color / f"{number}.png") for color in COLORS for number in range(3)]
    assert [row["file"] for row in result.json] == expected
    assert "skipped 1 (no photo): " in result.err
    assert "notes.txt" in result.err
    shutil.rmtree(held_out / "red")
    (held_out / "red").mkdir()
    assert "contains no photo" in run("predict", trained, held_out / "red").error


def test_a_bad_file_does_not_discard_the_others(trained: Path, held_out: Path, run: Run) -> None:
    bad, good = held_out / "red" / "1.png", held_out / "red" / "2.png"
    bad.write_bytes(b"hello")
    missing = held_out / "none.png"
    files = (good, bad, missing)
    result = run("predict", trained, *files, "--json", "--quiet")
    assert result.code == 1
    assert result.json[0]["top"][0]["label"] == "red"
    assert "not an image file" in result.json[1]["error"]
    assert "does not exist" in result.json[2]["error"]
    assert result.err == "error: 2 of 3 photos cannot be read; the rest are predicted\n"
    table = run("predict", trained, *files)
    assert table.code == 1
    assert "? is not an" in table.out
    rows = list(csv.DictReader(io.StringIO(run("predict", trained, *files, "--csv").out)))
    assert [row["label"] for row in rows] == ["red", "", ""]
    assert "not an image file" in rows[1]["error"]
    assert run("predict", trained, held_out / "red").code == 1  # a damaged photo in a folder


def test_csv_has_one_line_per_photo(trained: Path, held_out: Path, run: Run) -> None:
    out = run("predict", trained, held_out, "--csv", "--top", 2).out
    rows = list(csv.DictReader(io.StringIO(out)))
    assert list(rows[0]) == [
        "file", "label", "probability", "label_2", "probability_2", "in_distribution", "error",
    ]  # fmt: skip
    assert [row["label"] for row in rows] == [color for color in COLORS for _ in range(3)]
    assert all(0.5 < float(row["probability"]) <= 1 for row in rows)
    assert run("predict", trained, held_out, "--csv", "--json").code == 2


def test_standard_input_is_a_photo(
    trained: Path, held_out: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = (held_out / "blue" / "0.png").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    row = run("predict", trained, "-", "--json").json[0]
    assert (row["file"], row["top"][0]["label"]) == ("-", "blue")


def test_a_photo_of_no_class_has_no_probability(trained: Path, tmp_path: Path, run: Run) -> None:
    import PIL.Image

    noise = np.random.default_rng(0).integers(0, 256, (12, 15, 3), np.uint8)
    PIL.Image.fromarray(noise // 200 * 255).save(tmp_path / "noise.png")
    result = run("predict", trained, tmp_path / "noise.png", "--json")
    assert result.json[0]["in_distribution"] is False
    table = run("predict", trained, tmp_path / "noise.png").out
    assert "none of" in table
    assert "nearest:" in table
    assert "%" not in table


def test_tables_fit_60_columns(trained: Path, held_out: Path, run: Run) -> None:
    for command in (
        ("predict", trained, held_out), ("evaluate", trained, held_out), ("classes", trained),
        ("verify", trained),
    ):  # fmt: skip
        lines = run(*command).out.splitlines()
        tables = [line for line in lines if line[:1] in "┏┃┡│└"]
        assert tables, command
        assert max(map(len, tables)) <= 60, command


def test_verify_ends_with_a_verdict(model: Path, run: Run) -> None:
    assert run("verify", model).out.splitlines()[-1].endswith("checks passed")


def test_quiet_hides_notes_and_summaries(
    model: Path, image_base: bytes, train: Path, tmp_path: Path, run: Run
) -> None:
    base = tmp_path / "base.tflite"
    base.write_bytes(image_base)
    for command in (
        ("convert", base, "-o", tmp_path / "m.tflite", "--classes", 3),
        ("fit", tmp_path / "m.tflite", train),
        ("bake", tmp_path / "m.tflite", "-o", tmp_path / "baked.tflite"),
    ):
        result = run(*command, "--quiet")
        assert (result.code, result.out, result.err) == (0, "", "")
    result = run("predict", tmp_path / "m.tflite", train / "red" / "0.png", "-q")
    assert "red" in result.out
    assert result.err == ""
    assert run("fit", tmp_path / "m.tflite", train, "-q", "--json").json["samples"] == 12


@pytest.mark.parametrize("head", ["multi-label", "regression"])
def test_other_tasks_are_predicted(
    head: str, image_base: bytes, train: Path, tmp_path: Path, run: Run
) -> None:
    from sartor import PersonalModel

    base, path = tmp_path / "base.tflite", tmp_path / "m.tflite"
    base.write_bytes(image_base)
    assert run("convert", base, "-o", path, "--classes", 2, "--head", head).code == 0
    with PersonalModel(path) as personal:
        for number in range(3):
            for color in ("red", "blue"):
                red = color == "red"
                personal.add_sample(
                    train / color / f"{number}.png",
                    {"warm": red, "cold": not red} if head == "multi-label" else {"warm": red * 2},
                )
        personal.fit(300)
        personal.save(path.with_suffix(".safetensors"))
    photo = train / "red" / "3.png"
    assert "warm" in run("predict", path, photo).out
    (row,) = csv.DictReader(io.StringIO(run("predict", path, photo, "--csv").out))
    assert row["file"] == str(photo)
    if head == "regression":
        values = run("predict", path, photo, "--json").json[0]["values"]
        assert float(row["warm"]) == values["warm"]
    else:
        assert run("predict", path, photo, "--json").json[0]["top"][0]["label"] == "warm"


def test_a_refused_fit_leaves_no_store(model: Path, train: Path, tmp_path: Path, run: Run) -> None:
    for path in train.rglob("*.png"):
        path.write_bytes(b"no photo")
    assert run("fit", model, train, "--checkpoint", tmp_path / "mine.safetensors").code == 1
    assert not list(tmp_path.glob("mine.*"))
    assert "name of a sample store" in run("fit", model, train, "--checkpoint", "x.samples").error


@pytest.mark.parametrize("arguments", [("-h",), ("fit", "-h"), ("predict", "--help")])
def test_help_has_a_short_option(arguments: tuple[str, ...], run: Run) -> None:
    assert "Usage: sartor" in run(*arguments).out


def test_the_list_of_commands_is_not_cut(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = run("--help").out
    assert "..." not in out.split("Commands:")[1]
    assert "--install-completion" in out


def test_commands_that_inspect_prints_for_a_project_work(
    trained: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("export", trained, "-o", "mine.sartor").code == 0
    out = run("inspect", "mine.sartor").out
    assert "to unpack it: sartor import mine.sartor FOLDER" in out
    assert run("import", "mine.sartor", "FOLDER").code == 0
    for line in out.splitlines():
        if line.startswith("FOLDER"):
            assert Path(line.split(":")[0]).is_file()
