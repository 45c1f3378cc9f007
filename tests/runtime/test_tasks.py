"""Classifiers with several labels per sample, and regressors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sartor
from sartor import PersonalModel
from sartor.errors import DataError

Convert = Callable[..., Path]
DIRECTIONS = np.eye(8, dtype=np.float32)[:3] * 3


def draw_samples(count: int, names: tuple[str, ...], seed: int = 0) -> list[tuple[Any, list[str]]]:
    """Draw samples that are sums of some directions, with their labels."""
    rng = np.random.default_rng(seed)
    samples = []
    for _ in range(count):
        applies = rng.random(len(names)) < 0.5
        sample = applies @ DIRECTIONS[: len(names)] + 0.2 * rng.normal(size=8)
        labels = [name for name, applied in zip(names, applies, strict=True) if applied]
        samples.append((sample[np.newaxis].astype(np.float32), labels))
    return samples


def test_several_labels_per_sample_can_be_trained(tiny: Convert, tmp_path: Path) -> None:
    names = ("red", "round", "large")
    with PersonalModel(tiny(head=sartor.MultiLabelClassifier(), classes=list(names))) as model:
        for sample, labels in draw_samples(60, names):
            model.add_sample(sample, labels)
        model.fit()
        evaluation = model.evaluate(draw_samples(60, names, seed=1))
        assert evaluation.accuracy > 0.97
        assert evaluation.confusion.shape == (0, 0)
        assert all((each or 0) > 0.9 for each in evaluation.per_class.values())
        values = model.predict_values(DIRECTIONS[:1] * 1.0)
        assert values["red"] > 0.8
        assert max(values["round"], values["large"]) < 0.4
        assert model.predict(DIRECTIONS[:1])[0].label == "red"
        assert "Accuracy over all labels" in evaluation._repr_html_()
        model.save(tmp_path / "mine.safetensors")
        model.load(tmp_path / "mine.safetensors")
        assert model.predict_values(DIRECTIONS[:1]) == values


def test_a_new_label_is_missing_in_old_samples(tiny: Convert) -> None:
    """Missing targets have no gradient, so that old samples do not count as negative."""
    with PersonalModel(tiny(head=sartor.MultiLabelClassifier())) as model:
        for sample, labels in draw_samples(40, ("red", "round")):
            model.add_sample(sample, labels)
        old = len(model.samples)
        model.add_sample(DIRECTIONS[2:], ["large"])
        assert model.predict_values(DIRECTIONS[2:])["large"] > 0.5
        assert all("large" not in sample.targets for sample in model.samples[:old])
        assert model.samples[old].targets == {"red": 0, "round": 0, "large": 1}
        history = model.fit()
        assert history.samples == old + 1
        assert model.predict_values(DIRECTIONS[2:])["large"] > 0.7
        before = model.predict_values(DIRECTIONS[:1])["large"]
        for sample, labels in draw_samples(40, ("red", "round"), seed=1):
            model.add_sample(sample, labels)  # negative for the new label
        model.fit()
        assert model.predict_values(DIRECTIONS[:1])["large"] < before / 2


def test_a_mapping_gives_positive_negative_and_missing_targets(tiny: Convert) -> None:
    with PersonalModel(tiny(head=sartor.MultiLabelClassifier())) as model:
        model.add_sample(DIRECTIONS[:1], {"red": True, "round": False})
        model.add_sample(DIRECTIONS[1:2], {"round": True})
        assert [dict(sample.targets) for sample in model.samples] == [
            {"red": 1.0, "round": 0.0},
            {"round": 1.0},
        ]
        assert model.classes == ("red", "round")
        assert model.predict_values(DIRECTIONS[1:2])["round"] > 0.5


def test_a_regressor_of_few_samples_reaches_their_targets(tiny: Convert) -> None:
    """The step from zero weights to the targets is long, so it must not be shorter for few."""
    rows = np.random.default_rng(0).normal(size=(6, 1, 8)).astype(np.float32)
    samples = [(row, {"size": 40.0 + 2 * number}) for number, row in enumerate(rows)]
    with PersonalModel(tiny(head=sartor.Regressor())) as model:
        for sample, values in samples:
            model.add_sample(sample, values)
        model.fit()
        assert model.evaluate(samples).absolute_error["size"] == pytest.approx(0, abs=1)


def test_a_regressor_learns_values_below_zero(tiny: Convert) -> None:
    rng = np.random.default_rng(0)
    with PersonalModel(tiny(head=sartor.Regressor(), classes=["depth"])) as model:
        for sample in rng.normal(size=(12, 1, 8)).astype(np.float32):
            model.add_sample(sample, {"depth": -5.0})
        model.fit()
        assert model.predict_values(sample)["depth"] == pytest.approx(-5, abs=0.5)


@pytest.mark.parametrize("loss", ["squares", "huber"])
def test_a_regressor_can_be_trained(tiny: Convert, loss: str) -> None:
    head = sartor.Regressor() if loss == "squares" else sartor.Regressor(loss=sartor.losses.Huber())
    slopes = np.random.default_rng(1).normal(size=(8, 2))

    def samples(count: int, seed: int) -> list[tuple[np.ndarray, dict[str, float]]]:
        rows = np.random.default_rng(seed).normal(size=(count, 1, 8)).astype(np.float32)
        values = rows[:, 0] @ slopes
        return [
            (row, {"warmth": float(value[0]), "length": float(value[1])})
            for row, value in zip(rows, values, strict=True)
        ]

    with PersonalModel(tiny(head=head)) as model:
        for sample, values in samples(200, 0):
            model.add_sample(sample, values)
        before = model.evaluate(samples(50, 1)).absolute_error
        model.fit()
        evaluation = model.evaluate(samples(50, 1))
        assert np.isnan(evaluation.accuracy)
        assert set(evaluation.absolute_error) == {"warmth", "length"}
        for name, error in evaluation.absolute_error.items():
            assert (error or 9) < 0.6 * (before[name] or 0)
        assert model.predict_values(samples(1, 2)[0][0]).keys() == {"warmth", "length"}
        assert "mean absolute error" in evaluation._repr_html_()
        with pytest.raises(DataError, match="predict_values"):
            model.predict(samples(1, 2)[0][0])


@pytest.mark.parametrize(
    ("head", "label", "message"),
    [
        (sartor.MultiLabelClassifier(), 3, "names of classes"),
        (sartor.MultiLabelClassifier(), ["hat", 3], "name of a class"),
        (sartor.MultiLabelClassifier(), {"": True}, "name of a class"),
        (sartor.Regressor(), "hat", "predicts numbers"),
        (sartor.Regressor(), {"hat": "warm"}, "hat must be a finite number"),
        (sartor.Regressor(), {"hat": float("nan")}, "finite"),
        (sartor.SoftmaxClassifier(), ["hat"], "name of a class"),
        (sartor.SoftmaxClassifier(), {"hat": 1}, "name of a class"),
    ],
)
def test_labels_that_do_not_match_the_task_are_refused(
    tiny: Convert, head: Any, label: Any, message: str
) -> None:
    with PersonalModel(tiny(head=head)) as model:
        with pytest.raises(DataError, match=message):
            model.add_sample(np.zeros((1, 8), np.float32), label)
        assert model.samples == ()
        assert model.classes == ()
