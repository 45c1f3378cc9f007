"""The default learning rate suits a head of a user, and a training that diverges is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from head_files import CLASSES, FEATURES, dense, file_of, noise

import sartor
from sartor import PersonalModel
from sartor.errors import TrainingError
from sartor.graph import Tensor
from sartor.heads import MLP, TFLite
from sartor.ops import add, emit, mul, softmax, sub
from sartor.runtime.training import staged

Convert = Callable[..., Path]
CENTERS = np.random.default_rng(5).normal(size=(CLASSES, FEATURES))


def normalized_layer(x: Tensor, random: np.random.Generator) -> Tensor:
    """Two layers with batch normalization (mean 0.05, variance 0.01) between them."""
    weights, zeros = noise(random, 64, FEATURES), np.zeros(64, np.float32)
    hidden = emit("FULLY_CONNECTED", x, weights, zeros, name="one", fusedActivationFunction=1)
    scaled = mul(sub(hidden, np.full(64, 0.05, "f")), np.full(64, 1 / np.sqrt(0.011), "f"))
    return softmax(dense(add(scaled, zeros), CLASSES, random))


def two_layers(x: Tensor, random: np.random.Generator) -> Tensor:
    return softmax(dense(dense(x, 64, random, fusedActivationFunction=1), CLASSES, random))


def rescaled_pixels(x: Tensor, random: np.random.Generator) -> Tensor:
    return two_layers(mul(x, np.full(FEATURES, 1 / 255, np.float32)), random)


def draw(count: int, scale: float, seed: int) -> list[tuple[np.ndarray, str]]:
    """Draw the features of `count` samples of each class, each of length `scale`."""
    rng = np.random.default_rng(seed)
    samples = []
    for index, center in enumerate(CENTERS):
        for _ in range(count):
            row = center / np.linalg.norm(center) + 0.1 * rng.normal(size=FEATURES)
            row *= scale / np.linalg.norm(row)
            samples.append((row[None].astype(np.float32), f"class {index}"))
    return samples


def add_all(model: PersonalModel, samples: list[tuple[np.ndarray, str]]) -> None:
    for features, label in samples:
        model._samples.add_features([[features]], {label: 1.0})


def accuracy(model: PersonalModel, samples: list[tuple[np.ndarray, str]]) -> float:
    """Return the accuracy of the weights in use on features."""
    hits = 0
    for features, label in samples:
        labels = np.zeros((8, CLASSES), np.float32)
        weights, rows = np.eye(1, 8, dtype=np.float32)[0], np.zeros((8, FEATURES), np.float32)
        rows[0] = features
        inputs = {"features": rows, "labels": labels, "sample_weights": weights}
        output = model._state.engine.run("evaluate", inputs)["output"][0]
        hits += model.classes[int(output.argmax())] == label
    return hits / len(samples)


@pytest.mark.parametrize("optimizer", [sartor.SGD(momentum=0.9), sartor.Adam()], ids=str)
@pytest.mark.parametrize(
    ("head", "scale"),
    [(normalized_layer, 1.0), (two_layers, 0.05), (two_layers, 30.0), (rescaled_pixels, 255.0)],
)
def test_a_head_of_a_user_learns_with_the_default_rate(
    tiny: Convert, head: Callable[..., Tensor], scale: float, optimizer: sartor.SGD
) -> None:
    with PersonalModel(tiny(head=TFLite(file_of(head)), optimizer=optimizer)) as model:
        add_all(model, draw(8, scale, 0))
        history = model.fit()
        assert accuracy(model, draw(20, scale, 1)) > 0.95
        assert history.expected_accuracy is not None
        assert history.expected_accuracy > 0.9


def test_a_rate_at_which_the_loss_rises_is_refused(tiny: Convert) -> None:
    """The weights before the training stay."""
    with PersonalModel(tiny(head=TFLite(file_of(two_layers)))) as model:
        add_all(model, draw(8, 1.0, 0))
        model.fit(20)
        before = model._state.engine.variables()
        with pytest.raises(TrainingError, match="lower learning rate"):
            model.fit(20, learning_rate=50)
        after = model._state.engine.variables()
        assert all(np.array_equal(before[name], after[name]) for name in before)


def test_a_rate_that_is_too_high_names_the_loss(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        samples = draw(8, 1.0, 0)
        shuffled = [label for _, label in samples[1::2] + samples[::2]]
        add_all(model, [(row, label) for (row, _), label in zip(samples, shuffled, strict=True)])
        with pytest.raises(TrainingError, match=r"the loss rose from .* at learning rate 1e\+03"):
            model.fit(20, learning_rate=1000, decay="constant", weight_decay=0)


def test_a_default_rate_that_is_too_high_is_lowered(
    tiny: Convert, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folds of the cross-validation are trained at the lower rate."""
    monkeypatch.setattr(staged, "search_rate", lambda *_: 12.0)
    with PersonalModel(tiny(head=TFLite(file_of(two_layers)))) as model:
        add_all(model, draw(8, 1.0, 0))
        history = model.fit(50)
        assert history.epochs[0].learning_rate < 2
        assert history.epochs[-1].loss < history.epochs[0].loss
        assert accuracy(model, draw(20, 1.0, 1)) > 0.9
        assert (history.expected_accuracy or 0) > 0.8


def test_the_rate_of_hidden_layers_is_searched(
    tiny: Convert, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hidden layers add curvature, so the learning rate of a linear head is too high for them."""
    monkeypatch.setattr(staged, "search_rate", lambda *_: 0.125)
    with PersonalModel(tiny(head=MLP())) as model:
        add_all(model, draw(8, 1.0, 0))
        assert model.fit(2, decay="constant").epochs[0].learning_rate == 0.125


def test_a_search_is_not_needed_for_linear_heads(
    tiny: Convert, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their default rates are known, and do not change."""

    def fail(*_: object) -> float:
        raise AssertionError("searched")

    monkeypatch.setattr(staged, "search_rate", fail)
    with PersonalModel(tiny()) as model:
        add_all(model, draw(4, 1.0, 0))
        model.fit(2)
    with PersonalModel(tiny(head=TFLite(file_of(two_layers)))) as model:
        add_all(model, draw(4, 1.0, 0))
        model.fit(2, learning_rate=0.01)
        with pytest.raises(AssertionError, match="searched"):
            model.fit(2)
