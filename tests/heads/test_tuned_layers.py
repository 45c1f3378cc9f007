"""Training of tuned layers: the head first, then the layers if held-out samples gain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from head_files import file_of, residual_base
from tuned_layers import CLASSES, SIZE, add, convert, samples

import sartor
from sartor import PersonalModel
from sartor.errors import DataError
from sartor.heads import FineTune, MultiLabelClassifier, Regressor
from sartor.runtime import Epoch
from sartor.runtime.confidence.cross_validation import HeldOutOutputs
from sartor.runtime.training import layers
from sartor.runtime.training.config import TrainingConfig


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return convert(FineTune(2), tmp_path_factory.mktemp("tuned"))


@pytest.fixture
def model(file: Path) -> Iterator[PersonalModel]:
    with PersonalModel(file) as personal:
        add(personal)
        yield personal


def variables(model: PersonalModel) -> dict[str, np.ndarray]:
    return model._state.engine.variables()


def layer_values(model: PersonalModel) -> np.ndarray:
    values = variables(model)
    return np.concatenate(
        [values[name].ravel() for name in sorted(values) if name.startswith("head/layers/")]
    )


def test_the_head_trains_on_the_features_behind_the_layers(model: PersonalModel) -> None:
    before = layer_values(model)
    history = model.fit(depth="head")
    assert history.depth == "head"
    assert history.expected_accuracy is not None
    np.testing.assert_array_equal(layer_values(model), before)
    detector = model._state.begin_training()[1]
    assert detector is not None
    layers_spec = model.manifest.layers
    assert layers_spec is not None
    assert detector.prototypes.shape[1] == layers_spec.features == 6


def test_the_layers_continue_from_the_trained_head(model: PersonalModel) -> None:
    head = model.fit(None, lambda _: None, depth="head")
    before = layer_values(model)
    epochs: list[Epoch] = []
    history = model.fit(None, epochs.append, depth="layers")
    assert history.depth == "layers"
    assert np.abs(layer_values(model) - before).max() > 1e-3
    assert [each.epoch for each in history.epochs] == list(range(1, len(history.epochs) + 1))
    assert [each.epoch for each in epochs] == [each.epoch for each in history.epochs]
    assert history.epochs[-1].epoch == history.epochs[-1].epochs
    assert history.steps > head.steps
    assert history.epochs[-1].loss < head.epochs[-1].loss
    assert history.expected_accuracy is not None
    assert model.predict(samples(1, seed=3)[0][0]).in_distribution is not None


def test_layers_that_lose_on_held_out_samples_are_not_kept(
    model: PersonalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.fit(depth="head")
    expected = variables(model)
    monkeypatch.setattr(layers, "search_layer_rate", lambda *_: 3.0)  # destroys them
    history = model.fit()
    assert history.depth == "head"
    for name, value in variables(model).items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)


def test_layers_that_lose_training_samples_are_not_kept(
    model: PersonalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The training without a fold may go well, and that on all samples diverge."""
    monkeypatch.setattr(HeldOutOutputs, "accuracy", lambda *_: 1.0)  # evidence for them
    model.fit(depth="head")
    expected = variables(model)
    monkeypatch.setattr(layers, "search_layer_rate", lambda *_: 3.0)
    assert model.fit().depth == "head"
    for name, value in variables(model).items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)
    assert model.fit(depth="layers").depth == "layers"


def test_a_stop_while_the_layers_train_keeps_the_trained_head(model: PersonalModel) -> None:
    head = model.fit(None, lambda _: None, depth="head")
    expected = variables(model)
    history = model.fit(None, lambda each: each.epoch <= len(head.epochs) + 1, depth="layers")
    assert (history.stopped, history.depth) == (True, "head")
    for name, value in variables(model).items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)


def test_a_stop_while_the_layers_train_on_all_samples_keeps_the_trained_head(
    model: PersonalModel,
) -> None:
    epochs: list[Epoch] = []
    model.fit(None, epochs.append, depth="layers")
    count, expected = len(epochs), variables(model)
    history = model.fit(None, lambda each: each.epoch < count - 1, depth="layers")
    assert (history.stopped, history.depth) == (True, "head")
    assert len(history.epochs) == count - 1
    model.fit(depth="head")
    head = variables(model)
    assert any((head[name] != value).any() for name, value in expected.items())


def test_epochs_of_refused_layers_are_those_that_the_callback_got(
    model: PersonalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = model.fit(None, lambda _: None, depth="head")
    monkeypatch.setattr(layers, "search_layer_rate", lambda *_: 3.0)  # destroys the layers
    epochs: list[Epoch] = []
    history = model.fit(None, epochs.append)
    assert (history.depth, history.stopped) == ("head", False)
    assert history.epochs == tuple(epochs)
    assert len(epochs) > len(head.epochs)
    assert [each.epoch for each in epochs] == list(range(1, len(epochs) + 1))
    assert history.steps == head.steps


@pytest.mark.parametrize(("seconds", "depth"), [(400, "head"), (100_000, "layers")])
def test_a_time_limit_is_that_of_the_whole_training(
    model: PersonalModel, monkeypatch: pytest.MonkeyPatch, seconds: int, depth: str
) -> None:
    clock = iter(range(10**9))  # seconds: one at each look
    last = 0

    def look() -> float:
        nonlocal last
        last = next(clock)
        return float(last)

    fake = SimpleNamespace(monotonic=look)
    monkeypatch.setattr("sartor.runtime.training.control.time", fake)
    history = model.fit(seconds=seconds, depth="layers")
    assert last <= seconds + 20  # some looks at the end of each part
    assert not history.stopped
    assert history.depth == depth
    message = f"there was no time to train the tuned layers. Train for more than {seconds} s"
    assert (message in history.warnings) == (depth == "head")


@pytest.mark.parametrize(
    ("options", "task", "parts"),
    [
        ({}, "classification", 4),
        ({"depth": "head"}, "classification", 2),
        ({"warm_start": True}, "classification", 1),
        ({}, "regression", 2),
        ({"depth": "head"}, "regression", 1),
    ],
)
def test_the_parts_of_a_training_share_its_time(
    file: Path, options: dict[str, Any], task: str, parts: int
) -> None:
    with PersonalModel(file) as personal:
        manifest = replace(personal.manifest, task=task)
    assert TrainingConfig(seconds=12.0, **options).seconds_of_part(manifest) == 12 / parts
    assert TrainingConfig(**options).seconds_of_part(manifest) is None


def test_a_stop_of_a_second_training_keeps_better_layers(model: PersonalModel) -> None:
    """The earlier weights are compared on the features behind their own layers."""
    head = model.fit(None, lambda _: None, depth="head")
    model.fit(depth="layers")
    expected = variables(model)
    assert model.fit(None, lambda each: each.epoch < len(head.epochs) - 1).stopped
    for name, value in variables(model).items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)


def test_a_warm_start_leaves_the_layers_as_they_are(model: PersonalModel) -> None:
    model.fit(depth="layers")
    before = layer_values(model)
    history = model.fit(20, warm_start=True)
    assert history.depth == "head"
    np.testing.assert_array_equal(layer_values(model), before)


def test_a_class_added_afterwards_is_imprinted_behind_the_trained_layers(tmp_path: Path) -> None:
    path = convert(FineTune(2), tmp_path, [*CLASSES, "d"])
    with PersonalModel(path, store=tmp_path / "samples.db") as model:
        add(model)
        model.fit(depth="layers")
        image = samples(1, seed=9)[0][0] * -2
        model.add_sample(image, "d")
        expected = [(each.label, each.probability) for each in model.predict(image)]
        assert expected[0][0] == "d"
        model.save(tmp_path / "model.safetensors")
    with PersonalModel(path, store=tmp_path / "samples.db") as model:
        model.load(tmp_path / "model.safetensors")
        actual = [(each.label, each.probability) for each in model.predict(image)]
    assert [label for label, _ in actual] == [label for label, _ in expected]
    np.testing.assert_allclose([p for _, p in actual], [p for _, p in expected], atol=1e-5)


@pytest.mark.parametrize("head", [Regressor(), MultiLabelClassifier()])
def test_other_tasks_train_the_layers_on_request(
    head: Regressor | MultiLabelClassifier, tmp_path: Path
) -> None:
    with PersonalModel(convert(FineTune(1, head), tmp_path, ["a", "b"])) as model:
        for image, label in samples(12, seed=0):
            value = float(label == "a")
            model.add_sample(image, {"a": value, "b": 1 - value} if isinstance(head, Regressor) else
                             {"a": label == "a", "b": label != "a"})  # fmt: skip
        before = layer_values(model)
        assert model.fit(depth="layers").depth == "layers"
        assert np.abs(layer_values(model) - before).max() > 0
        assert all(np.isfinite(value) for value in model.predict_values(image).values())


def test_wrong_depths(model: PersonalModel, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="depth must be one of auto, head, layers"):
        model.fit(depth="deep")
    base = file_of(residual_base, *SIZE)
    path = sartor.convert(base, classes=CLASSES).save(tmp_path / "plain.tflite")
    with PersonalModel(path) as plain:
        add(plain)
        with pytest.raises(DataError, match=r"no tuned layers.*--fine-tune"):
            plain.fit(depth="layers")
        assert plain.fit().depth == "head"
