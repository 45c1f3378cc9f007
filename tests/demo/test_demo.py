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
from sartor.demo.sheet import PhotoPrediction, contact_sheet, first_of_each_class
from sartor.runtime import PersonalModel

COLORS = {"blue": (20, 40, 200), "green": (30, 200, 40), "red": (210, 30, 30)}
FILES = {"model.tflite", "mine.safetensors", "mine.tflite", "loss.png", "confusion.png",
        "predictions.png", "new-class.png"}  # fmt: skip

needs_photos = pytest.mark.skipif(
    find_spec("skimage") is None or find_spec("sklearn") is None,
    reason="the extra `demo` is not installed",
)

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as exit_info:
            main(["demo", *map(str, arguments)])
        code = exit_info.value.code
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
    for label, color in COLORS.items():
        (tmp_path / "photos" / label).mkdir(parents=True)
        for index in range(6):
            pixels = np.clip(rng.normal(color, 20, (30, 40, 3)), 0, 255).astype(np.uint8)
            PIL.Image.fromarray(pixels).save(tmp_path / "photos" / label / f"{index}.png")
    return tmp_path / "photos"


def create_prediction(label: str, predicted: str = "hat") -> PhotoPrediction:
    return PhotoPrediction(PIL.Image.new("RGB", (30, 20), "teal"), label, predicted, 0.5)


def test_the_photos_of_a_user(run: Run, base: Path, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "new folder" / "out"
    code, text, error = run("--photos", photos, "--base", base, "--out", out)
    assert (code, error.replace("\n", "")[:6]) in ((0, ""), (0, "note: "))
    assert {path.name for path in out.iterdir()} == FILES
    for text_part in ("8 for training and 4", "100.0 %", "shuffled labels", "red, from one photo"):
        assert text_part in text
    assert f"sartor convert {base}" in text
    with PersonalModel(out / "mine.tflite") as model:
        assert model.classes == ("blue", "green", "red")


def test_json_contains_all_results(run: Run, base: Path, photos: Path, tmp_path: Path) -> None:
    _, text, _ = run("--photos", photos, "--base", base, "--out", tmp_path / "out", "--json")
    results = json.loads(text)
    assert results["accuracy"] == 1.0
    assert len(results["losses"]) > 1
    assert all(0 < loss < np.log(3) for loss in results["losses"])  # below that of chance
    assert np.array(results["confusion"]).tolist() == [[2, 0], [0, 2]]
    assert results["new_test_photos"] == 2
    assert results["baked_classes"] == ["blue", "green", "red"]


def test_with_two_classes_no_class_is_added(
    run: Run, base: Path, photos: Path, tmp_path: Path
) -> None:
    (photos / "red").rename(tmp_path / "red")
    code, text, _ = run("--photos", photos, "--base", base, "--out", tmp_path / "out")
    assert code == 0
    assert "New class" not in text


def test_the_same_seed_gives_the_same_results(base: Path, photos: Path, tmp_path: Path) -> None:
    def results(seed: int) -> dict[str, Any]:
        results: dict[str, Any] = {}
        for stage in Demo(tmp_path / "out", str(base), photos, seed).run():
            results.update(stage.results())
        return {name: value for name, value in results.items() if "seconds" not in name}

    assert results(3) == results(3)
    assert results(3)["losses"] != results(4)["losses"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"--photos": "nowhere"}, "nowhere"),
        ({"--photos": "empty"}, "contains no folder"),
        ({"--base": "nowhere.tflite"}, "nowhere.tflite"),
        ({"--out": "file"}, "file"),
    ],
)
def test_each_error_is_one_line(
    run: Run, options: dict[str, str], message: str, base: Path, photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("a file")
    arguments = {"--photos": photos, "--base": base, "--out": tmp_path / "out"}
    arguments.update({name: tmp_path / value for name, value in options.items()})
    code, text, error = run("--json", *(part for pair in arguments.items() for part in pair))
    assert (code, text) == (1, "")
    assert error.startswith("error: ")
    assert message in error
    assert error.count("\n") == 1


@needs_photos
def test_features_are_more_accurate_than_pixels_and_shuffled_labels(tmp_path: Path) -> None:
    stages = list(Demo(tmp_path).run())
    evaluation_stage = next(stage for stage in stages if isinstance(stage, EvaluateStage))
    assert 0.85 < evaluation_stage.evaluation.accuracy < 1.0
    assert evaluation_stage.pixels < evaluation_stage.evaluation.accuracy - 0.4
    assert evaluation_stage.shuffled < 0.25
    assert {path.name for path in tmp_path.iterdir()} == FILES


def test_a_sheet_has_the_first_photos_of_each_class_in_turn() -> None:
    image = PIL.Image.new("RGB", (3, 3))
    examples = [(image, label) for label in ("a", "a", "a", "b", "c", "c")]
    assert [label for _, label in first_of_each_class(examples, 2, 3)] == ["a", "b", "c", "a", "c"]
    assert [label for _, label in first_of_each_class(examples, 1, 2)] == ["a", "b"]


@pytest.mark.parametrize("label", ["hat", "a long name of a hat", "猫", ""])
def test_a_sheet_can_have_any_class_names(label: str) -> None:
    sheet = contact_sheet(
        [
            create_prediction("hat"),
            create_prediction(label, label),
            create_prediction(label, "shoe"),
        ],
        label,
    )
    small = contact_sheet([create_prediction("hat")], "a title that is much wider than a photo")
    assert sheet.width > 3 * 112
    assert small.width > 300


@pytest.mark.parametrize(("width", "count"), [(0, 0), (23, 0), (24, 1), (80, 3), (400, 4)])
def test_the_width_of_the_terminal_limits_the_number_of_photos(width: int, count: int) -> None:
    rows = photo_rows(
        [
            create_prediction("hat"),
            create_prediction("shoe"),
            create_prediction("猫"),
            create_prediction("hat"),
        ],
        width,
    )
    assert len(rows) == (13 if count else 0)
    assert all(row.plain.count("▀") == 24 * count for row in rows[:-1])
    assert all(row.cell_len <= width + 2 for row in rows)
    Console(file=None, quiet=True).print(*rows)


@pytest.mark.parametrize(
    ("values", "bars"), [([], ""), ([0.0], "▁▁▁▁"), ([4, 2, 1, 0], "█▅▃▁"), ([3], "████")]
)
def test_a_curve_is_a_line_of_bars(values: list[float], bars: str) -> None:
    assert spark(values, 4) == bars
