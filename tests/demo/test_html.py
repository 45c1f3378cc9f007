"""The HTML of models and results in a notebook."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from sartor.runtime import Epoch, Evaluation, History, PersonalModel

EVIL = "<img src=x onerror=alert(1)>"


class Page(HTMLParser):
    """The tags and the texts of well-formed HTML."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def evaluation(*labels: str) -> Evaluation:
    confusion = 3 * np.eye(len(labels), dtype=np.int64)
    confusion[0, -1] += 1
    per_class = dict.fromkeys(labels, 1.0) | {labels[0]: None}
    return Evaluation(0.75, 0.1234, int(confusion.sum()), labels, per_class, confusion)


def history(count: int, *, stopped: bool = False) -> History:
    epochs = tuple(Epoch(i + 1, 9, 1 / (i + 1), 0.5, 0.1) for i in range(count))
    return History(epochs, 7, 20, stopped)


@pytest.fixture
def model(tiny: Callable[..., Path]) -> PersonalModel:
    return PersonalModel(tiny(f"of {EVIL.replace('/', '')}", classes=40))


def test_an_evaluation_has_a_confusion_matrix() -> None:
    page = Page(evaluation("hat", EVIL, "shoe")._repr_html_())
    assert "table" in page.tags
    assert "img" not in page.tags
    assert page.texts.count(EVIL) == 2
    assert [text for text in page.texts if text.isdecimal()] == ["3", "1", "3", "3"]
    assert {"75.0 %", "–", "100.0 %", "recall"} <= set(page.texts)
    assert "Confusion matrix: rows are true classes, columns are predictions" in page.texts


def test_a_large_confusion_matrix_is_a_chart() -> None:
    page = Page(evaluation(EVIL, *(f"class {i}" for i in range(99)))._repr_html_())
    assert "svg" in page.tags
    assert "img" not in page.tags


@pytest.mark.parametrize(("count", "stopped"), [(0, True), (1, False), (9, False), (4, True)])
def test_a_history_has_a_loss_curve(count: int, stopped: bool) -> None:
    page = Page(history(count, stopped=stopped)._repr_html_())
    assert ("polyline" in page.tags) == (count > 1)
    epochs = "1 epoch" if count == 1 else f"{count} epochs"
    assert f"{epochs}, 7 steps, 20 samples" in page.texts[0]
    assert ("stopped" in page.texts[0]) == stopped


def test_a_model_shows_its_classes_samples_and_training(model: PersonalModel) -> None:
    with model:
        assert "svg" not in Page(model._repr_html_()).tags
        for index, label in enumerate(["hat", EVIL, "hat"]):
            model.add_sample(np.full((1, 8), index, np.float32), label)
        page = Page(model._repr_html_())
        assert "img" not in page.tags
        assert page.texts[-4:] == ["hat", "2", EVIL, "1"]
        model.fit(2)
        assert "polyline" in Page(model._repr_html_()).tags


def test_a_model_with_many_classes_shows_the_first_30(model: PersonalModel) -> None:
    with model:
        for index in range(35):
            model.add_sample(np.full((1, 8), index, np.float32), f"class {index}")
        assert "and 5 more" in Page(model._repr_html_()).texts


def test_a_checkpoint_has_no_training_history(model: PersonalModel, tmp_path: Path) -> None:
    with model:
        model.add_sample(np.ones((1, 8), np.float32), "hat")
        model.fit(2)
        model.load(model.save(tmp_path / "mine.safetensors"))
        assert "polyline" not in Page(model._repr_html_()).tags


def test_thumbnails_are_shown_if_requested(image_model: Callable[..., Path]) -> None:
    red = np.zeros((20, 30, 3), np.uint8) + np.array([200, 30, 30], np.uint8)
    for thumbnails in (True, False):
        with PersonalModel(image_model(), thumbnails=thumbnails) as model:
            for brightness in range(9):
                model.add_sample(red + np.uint8(brightness), EVIL)
            page = model._repr_html_()
        assert page.count("<img") == (6 if thumbnails else 0)
        assert EVIL not in page
    with PersonalModel(image_model(), thumbnails=True) as model:
        model.add_sample(red, "red")
        data = model._repr_html_().partition("base64,")[2].partition('"')[0]
    with PIL.Image.open(io.BytesIO(base64.b64decode(data))) as image:
        pixels = np.asarray(image)
    assert np.abs(pixels.astype(int) - red[0, 0]).max() <= 1
