"""Charts of any size and with any class names can be drawn."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import PIL.Image
import pytest

from sartor.charts import Chart, confusion_chart, loss_chart
from sartor.charts.chart import BLUE, RED, shorten
from sartor.charts.confusion import cell_color

NAMES = ["hat", "<script>alert(1)</script>", 'a "b" & c', "猫 \x07", "x" * 300]


def texts(chart: Chart) -> list[str]:
    """Return the texts of the SVG of a chart."""
    root = ElementTree.fromstring(chart.svg())
    return [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 250])
def test_a_loss_curve_of_any_length_can_be_drawn(count: int) -> None:
    chart = loss_chart([2.0 / (1 + i) for i in range(count)])
    assert "loss" in texts(chart)
    assert str(count) in texts(chart) or not count
    assert chart.image().size == (round(2 * chart.width), round(2 * chart.height))


@pytest.mark.parametrize("highest", [0.0, 1e-9, 0.02, 0.99, 1.0, 2.3, 7, 12_345.6])
def test_the_curve_stays_within_its_axes(highest: float) -> None:
    chart = loss_chart([highest, highest / 2, 0.0])
    line = next(shape for shape in chart.shapes if hasattr(shape, "points"))
    heights = [y for _, y in line.points]
    assert 20 <= min(heights) <= max(heights) <= chart.height - 30
    assert heights == sorted(heights)


@pytest.mark.parametrize("count", [1, 2, 9, 40, 300])
def test_a_confusion_matrix_of_any_size_can_be_drawn(count: int) -> None:
    chart = confusion_chart([f"class {i}" for i in range(count)], np.eye(count, dtype=int).tolist())
    assert chart.image(1).size[0] <= 2000
    assert ("class 0" in texts(chart)) == (count <= 40 - 2)


def test_a_confusion_matrix_shows_its_counts_except_zero() -> None:
    chart = confusion_chart(["hat", "shoe"], [[7, 0], [2, 5]])
    assert {"true class", "prediction"} <= set(texts(chart))
    assert chart.title.startswith("Confusion matrix: rows are true classes")
    assert sorted(each for each in texts(chart) if each.isdecimal()) == ["2", "5", "7"]


def test_class_names_are_escaped() -> None:
    chart = confusion_chart(NAMES, np.eye(5, dtype=int).tolist())
    assert "<script>" not in chart.svg()
    assert "<script>alert(1)<…" in texts(chart)
    assert "\x07" not in chart.svg()
    chart.image()


def test_correct_and_wrong_predictions_have_different_colors() -> None:
    assert cell_color(1.0, correct=True) == BLUE
    assert cell_color(1.0, correct=False) == RED
    assert cell_color(0.0, correct=True) == cell_color(0.0, correct=False)


def test_the_suffix_of_the_path_decides_the_format(tmp_path: Path) -> None:
    chart = loss_chart([2.0, 1.0])
    assert chart.save(tmp_path / "loss.svg").read_text().startswith("<svg")
    with PIL.Image.open(chart.save(tmp_path / "loss.png")) as image:
        assert image.format == "PNG"
        assert len(np.unique(np.asarray(image).reshape(-1, 3), axis=0)) > 10


@pytest.mark.parametrize(
    ("text", "shortened"), [("hat", "hat"), ("hats", "ha…"), ("a\nb", "a b"), ("", "")]
)
def test_long_names_are_shortened(text: str, shortened: str) -> None:
    assert shorten(text, 3) == shortened
