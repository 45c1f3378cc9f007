"""`sartor demo`, on images that a small base can distinguish, and on real photos."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from rich.console import Console

from sartor.cli import main
from sartor.demo import Demo, EvaluateStage
from sartor.demo.blocks import photo_rows, spark
from sartor.demo.sheet import Answer, contact_sheet, few_of_each
from sartor.runtime import PersonalModel

COLOURS = {"blue": (20, 40, 200), "green": (30, 200, 40), "red": (210, 30, 30)}
MADE = {"model.tflite", "mine.safetensors", "mine.tflite", "loss.png", "confusion.png",
        "predictions.png", "new-class.png"}  # fmt: skip

needs_photos = pytest.mark.skipif(
    find_spec("skimage") is None or find_spec("sklearn") is None,
    reason="the extra `demo` is not installed",
)

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as caught:
            main(["demo", *map(str, arguments)])
        code = caught.value.code
        return code if isinstance(code, int) else 0, *capfd.readouterr()

    return call


@pytest.fixture
def base(image_base: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "base.tflite"
    path.write_bytes(image_base)
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for label, colour in COLOURS.items():
        (tmp_path / "photos" / label).mkdir(parents=True)
        for index in range(6):
            pixels = np.clip(rng.normal(colour, 20, (30, 40, 3)), 0, 255).astype(np.uint8)
            PIL.Image.fromarray(pixels).save(tmp_path / "photos" / label / f"{index}.png")
    return tmp_path / "photos"


def answer(label: str, said: str = "hat") -> Answer:
    return Answer(PIL.Image.new("RGB", (30, 20), "teal"), label, said, 0.5)


def test_a_folder_of_ones_own(run: Run, base: Path, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "new folder" / "out"
    code, text, error = run("--photos", photos, "--base", base, "--out", out)
    assert (code, error.replace("\n", "")[:6]) in ((0, ""), (0, "note: "))
    assert {path.name for path in out.iterdir()} == MADE
    for words in ("8 for training and 4", "100.0 %", "shuffled labels", "red, from one photo"):
        assert words in text
    assert f"sartor convert {base}" in text
    with PersonalModel(out / "mine.tflite") as model:
        assert model.classes == ("blue", "green", "red")


def test_json_is_all_that_a_program_gets(
    run: Run, base: Path, photos: Path, tmp_path: Path
) -> None:
    _, text, _ = run("--photos", photos, "--base", base, "--out", tmp_path / "out", "--json")
    facts = json.loads(text)
    assert facts["accuracy"] == 1.0
    assert facts["losses"][0] > facts["losses"][-1]
    assert np.array(facts["confusion"]).tolist() == [[2, 0], [0, 2]]
    assert facts["new_test_photos"] == 2
    assert facts["baked_classes"] == ["blue", "green", "red"]


def test_two_classes_end_without_a_new_one(
    run: Run, base: Path, photos: Path, tmp_path: Path
) -> None:
    (photos / "red").rename(tmp_path / "red")
    code, text, _ = run("--photos", photos, "--base", base, "--out", tmp_path / "out")
    assert code == 0
    assert "New class" not in text


def test_the_same_seed_gives_the_same(base: Path, photos: Path, tmp_path: Path) -> None:
    def facts(seed: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for stage in Demo(tmp_path / "out", str(base), photos, seed).run():
            found.update(stage.facts())
        return {name: value for name, value in found.items() if "seconds" not in name}

    assert facts(3) == facts(3)
    assert facts(3)["losses"] != facts(4)["losses"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"--photos": "nowhere"}, "nowhere"),
        ({"--photos": "empty"}, "contains no folder"),
        ({"--base": "nowhere.tflite"}, "nowhere.tflite"),
        ({"--out": "taken"}, "taken"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    run: Run, options: dict[str, str], words: str, base: Path, photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "taken").write_text("a file")
    given = {"--photos": photos, "--base": base, "--out": tmp_path / "out"}
    given.update({name: tmp_path / value for name, value in options.items()})
    code, text, error = run("--json", *(part for pair in given.items() for part in pair))
    assert (code, text) == (1, "")
    assert error.startswith("error: ")
    assert words in error
    assert error.count("\n") == 1


@needs_photos
def test_features_do_far_better_than_pixels_and_shuffled_labels(tmp_path: Path) -> None:
    stages = list(Demo(tmp_path).run())
    evaluated = next(stage for stage in stages if isinstance(stage, EvaluateStage))
    assert 0.85 < evaluated.evaluation.accuracy < 1.0
    assert evaluated.pixels < evaluated.evaluation.accuracy - 0.4
    assert evaluated.shuffled < 0.25
    assert {path.name for path in tmp_path.iterdir()} == MADE


def test_a_sheet_takes_the_first_of_each_class_in_turn() -> None:
    picture = PIL.Image.new("RGB", (3, 3))
    examples = [(picture, label) for label in ("a", "a", "a", "b", "c", "c")]
    assert [label for _, label in few_of_each(examples, 2, 3)] == ["a", "b", "c", "a", "c"]
    assert [label for _, label in few_of_each(examples, 1, 2)] == ["a", "b"]


@pytest.mark.parametrize("label", ["hat", "a very long name of a hat indeed", "猫", ""])
def test_a_sheet_is_drawn_whatever_the_classes_are_called(label: str) -> None:
    sheet = contact_sheet([answer("hat"), answer(label, label), answer(label, "shoe")], label)
    few = contact_sheet([answer("hat")], "a title that is wider than one picture is, by far")
    assert sheet.width > 3 * 112
    assert few.width > 300


@pytest.mark.parametrize(("width", "pictures"), [(0, 0), (23, 0), (24, 1), (80, 3), (400, 4)])
def test_a_terminal_shows_as_many_pictures_as_it_is_wide(width: int, pictures: int) -> None:
    rows = photo_rows([answer("hat"), answer("shoe"), answer("猫"), answer("hat")], width)
    assert len(rows) == (13 if pictures else 0)
    assert all(row.plain.count("▀") == 24 * pictures for row in rows[:-1])
    assert all(row.cell_len <= width + 2 for row in rows)
    Console(file=None, quiet=True).print(*rows)


@pytest.mark.parametrize(
    ("values", "bars"), [([], ""), ([0.0], "▁▁▁▁"), ([4, 2, 1, 0], "█▅▃▁"), ([3], "████")]
)
def test_a_curve_in_a_word(values: list[float], bars: str) -> None:
    assert spark(values, 4) == bars
