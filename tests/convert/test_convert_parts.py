"""Custom heads, losses and optimizers need no change of the contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from convert_bases import classifier, convolution_last, file, residual, two_inputs
from convert_helpers import accuracy_after, assert_keeps_the_contract, compiled, session_of
from convert_parts import (
    Block,
    NearestMean,
    Perceptron,
    TakesTwice,
    TwoStates,
)

import sartor
from sartor import PersonalizableModel
from sartor.contract.names import MASK
from sartor.errors import ConversionError
from sartor.flatbuffer import write
from sartor.heads import (
    MLP,
    CosineClassifier,
    Head,
    MultiLabelClassifier,
    Regressor,
    SoftmaxClassifier,
)
from sartor.losses import Huber, SigmoidCrossEntropy, SoftmaxCrossEntropy
from sartor.optimizers import SGD, Adam, AdamW, Optimizer, RMSprop

BASES = {
    "plain": file(classifier),
    "image": file(convolution_last, (1, 9, 9, 3)),
    "several features": file(residual),
    "two inputs": write(two_inputs()),
}
PARTS: dict[str, tuple[str, dict[str, Any]]] = {
    "multi-label": ("plain", {"head": MultiLabelClassifier()}),
    "multi-label, clipped": (
        "plain",
        {"head": MultiLabelClassifier(), "optimizer": SGD(clip_norm=0.01)},
    ),
    "multi-label, Adam": ("two inputs", {"head": MultiLabelClassifier(), "optimizer": Adam()}),
    "multi-label, one row": ("plain", {"head": MultiLabelClassifier(), "batch_size": 1}),
    "a variable taken twice by one op": ("plain", {"head": TakesTwice()}),
    "regression": ("plain", {"head": Regressor()}),
    "regression, Huber": ("plain", {"head": Regressor(loss=Huber(0.3))}),
    "regression, RMSprop": (
        "two inputs",
        {"head": Regressor(), "optimizer": RMSprop()},
    ),
    "regression, several features": ("several features", {"head": Regressor()}),
    "cosine": ("plain", {"head": CosineClassifier()}),
    "cosine, several features": ("several features", {"head": CosineClassifier(4.0, 0.1)}),
    "cosine, RMSprop": (
        "plain",
        {"head": CosineClassifier(), "optimizer": RMSprop(momentum=0.5, clip_norm=0.1)},
    ),
    "MLP": ("plain", {"head": MLP()}),
    "MLP, deep": ("several features", {"head": MLP(hidden=(9, 7))}),
    "MLP, one row": ("plain", {"head": MLP(hidden=(16,)), "batch_size": 1}),
    "MLP, multi-label, AdamW": (
        "two inputs",
        {"head": MLP(loss=SigmoidCrossEntropy()), "optimizer": AdamW()},
    ),
    "MLP, regression, RMSprop": (
        "plain",
        {"head": MLP(loss=Huber(), hidden=(8,)), "optimizer": RMSprop()},
    ),
    "softmax, AdamW": ("plain", {"optimizer": AdamW(weight_decay=0.5, clip_norm=0.1)}),
    "softmax, RMSprop": ("plain", {"optimizer": RMSprop(weight_decay=0.01)}),
    "perceptron": ("plain", {"head": Perceptron()}),
    "perceptron, Adam": ("plain", {"head": Perceptron(), "optimizer": Adam(clip_norm=1.0)}),
    "the base's last layers": ("image", {"head": Block(), "batch_size": 6}),
    "the base's last layers, Adam": (
        "image",
        {"head": Block(), "optimizer": Adam(), "batch_size": 5},
    ),
    "statistics": ("plain", {"head": NearestMean()}),
    "statistics, Adam": ("several features", {"head": NearestMean(), "optimizer": Adam()}),
    "custom optimizer": ("plain", {"optimizer": TwoStates()}),
    "custom optimizer, clipped": ("several features", {"optimizer": TwoStates(clip_norm=0.1)}),
    "custom head and optimizer": (
        "image",
        {"head": Block(), "optimizer": TwoStates(), "batch_size": 4},
    ),
}


each_head = pytest.mark.parametrize(
    "head",
    [MultiLabelClassifier(), Regressor(), Regressor(loss=Huber(0.1))],
    ids=lambda head: head.loss.name,
)


def convert_case(name: str, **overrides: Any) -> PersonalizableModel:
    base, parts = PARTS[name]
    return sartor.convert(BASES[base], **{"classes": 5, **parts, **overrides})


@pytest.mark.parametrize("name", PARTS)
def test_custom_parts_fulfill_the_contract(name: str) -> None:
    conversion = convert_case(name)
    assert_keeps_the_contract(conversion)
    assert_keeps_the_contract(convert_case(name, classes=1))


@pytest.mark.parametrize("name", PARTS)
def test_checkpoint_loads_with_a_larger_capacity(name: str) -> None:
    small, large = convert_case(name, classes=2), convert_case(name, classes=7)
    before, after = small.manifest.fingerprints, large.manifest.fingerprints
    assert (before.base, before.head, before.optimizer) == (after.base, after.head, after.optimizer)
    other_sizes = {
        spec.name: [size for axis, size in enumerate(spec.shape) if axis != spec.class_axis]
        for spec in small.manifest.variables
    }
    for spec in large.manifest.variables:
        sizes = [size for axis, size in enumerate(spec.shape) if axis != spec.class_axis]
        assert sizes == other_sizes[spec.name]


@pytest.mark.parametrize("name", PARTS)
def test_compiled_model_computes_the_same_step(name: str) -> None:
    conversion = convert_case(name)
    session, other = session_of(conversion), compiled(conversion.content)
    rng = np.random.default_rng(3)
    state, batch = session.random_variables(rng), session.random_batch(rng)
    session.restore(state)
    other("restore", state)
    rate = np.array([0.1], np.float32)
    expected = session.call("train", **batch, learning_rate=rate)
    actual = other("train", {**batch, "learning_rate": rate})
    variables, other_variables = session.save(), other("save", {"run": rate})
    for left, right in ((expected, actual), (variables, other_variables)):
        for key, value in left.items():
            np.testing.assert_allclose(right[key], value, atol=1e-5, err_msg=key)


@pytest.mark.parametrize(
    ("head", "optimizer", "rate"),
    [
        (MultiLabelClassifier(), SGD(momentum=0.9), 1.0),
        (Perceptron(), Adam(), 0.05),
        (Perceptron(), TwoStates(), 0.02),
        (SoftmaxClassifier(), TwoStates(), 0.02),
        (CosineClassifier(), SGD(momentum=0.9), 0.02),
        (MLP(), SGD(momentum=0.9), 0.1),
        (MLP(hidden=(32, 16)), AdamW(), 0.02),
        (MLP(loss=SigmoidCrossEntropy()), RMSprop(), 0.01),
        (Regressor(), Adam(), 0.1),
        (SoftmaxClassifier(), RMSprop(), 0.05),
    ],
    ids=lambda part: str(part) if isinstance(part, float) else part.name,
)
def test_training_reaches_the_accuracy(head: Head, optimizer: Optimizer, rate: float) -> None:
    conversion = sartor.convert(BASES["plain"], classes=5, head=head, optimizer=optimizer)
    assert accuracy_after(session_of(conversion), steps=80, rate=rate) > 0.99


@each_head
def test_output_weights_exclude_outputs_of_a_sample(head: Head) -> None:
    session = session_of(sartor.convert(BASES["plain"], classes=4, head=head))
    rng = np.random.default_rng(4)
    state, batch = session.random_variables(rng), session.random_batch(rng)
    batch["sample_weights"][:, 2] = 0
    updated = session.train(state, batch, 0.1)
    is_updated = np.abs(updated["head/weights"] - state["head/weights"]).max(1) > 0
    np.testing.assert_array_equal(is_updated, [True, True, False, True])


@each_head
def test_free_class_indices_do_not_change_the_loss(head: Head) -> None:
    """Free outputs change neither the loss nor the steps."""
    losses, steps = [], []
    for capacity in (2, 8):
        conversion = sartor.convert(BASES["plain"], classes=capacity, head=head, optimizer=SGD())
        session, rng = session_of(conversion), np.random.default_rng(5)
        features = rng.random((32, 6), np.float32)
        labels = np.zeros((32, capacity), np.float32)
        labels[:, :2] = rng.random((32, 2))
        mask = np.zeros(capacity, np.float32)
        mask[:2] = 1
        state = {**session.save(), MASK: mask}
        weights = np.ones((32, capacity), np.float32)
        batch = {"features": features, "labels": labels, "sample_weights": weights}
        losses.append(session.loss(state, batch))
        steps.append(session.train(state, batch, 0.5)["head/weights"][:2])
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
    np.testing.assert_allclose(steps[0], steps[1], atol=1e-6)


def test_head_without_parameters_is_trained_by_set_class() -> None:
    session = session_of(sartor.convert(BASES["plain"], classes=3, head=NearestMean()))
    assert session.parameters() == []
    rng = np.random.default_rng(6)
    corners, state = 3 * rng.random((3, 1, 6)), session.save()
    for index, corner in enumerate(corners):
        rows = corner + 0.05 * rng.standard_normal((32, 6))
        session.set_class(state, index, {"features": rows.astype(np.float32)})
        state = session.save()
    batch = session.random_batch(rng)
    batch["features"] = np.repeat(corners[:, 0], 11, 0)[:32].astype(np.float32)
    output = session.call("evaluate", **batch)["output"]
    np.testing.assert_array_equal(output.argmax(1), np.repeat([0, 1, 2], 11)[:32])


def test_label_is_predicted_after_one_imprint() -> None:
    """The sigmoid is high for the sample and low for its opposite; other outputs stay 0."""
    for head in (MultiLabelClassifier(), MLP(loss=SigmoidCrossEntropy())):
        session = session_of(sartor.convert(BASES["plain"], classes=3, head=head))
        rng, state = np.random.default_rng(7), session.save()
        batch = session.random_batch(rng)
        batch["features"] = np.repeat(np.array([[3, 0, 1, 0, 2, 0]], np.float32), 32, 0)
        session.set_class(state, 1, batch)
        batch["features"][1] *= -1
        output = session.call("evaluate", **batch)["output"]
        assert output[0, 1] == pytest.approx(1 / (1 + np.exp(-1)), abs=1e-5)
        assert output[1, 1] < 0.1
        assert not output[:, [0, 2]].any()


def test_mlp_separates_classes_that_no_linear_layer_separates() -> None:
    """The labels are the exclusive or of two features."""
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    features = np.tile(np.pad(corners * 2 - 1, ((0, 0), (0, 4))), (8, 1))
    labels = np.eye(2, dtype=np.float32)[np.tile([0, 1, 1, 0], 8)]
    accuracies = []
    for head in (SoftmaxClassifier(), MLP(hidden=(16,))):
        conversion = sartor.convert(
            BASES["plain"], classes=["same", "other"], head=head, optimizer=Adam()
        )
        session = session_of(conversion)
        batch = {"features": features, "labels": labels, "sample_weights": np.ones(32, np.float32)}
        for _ in range(150):
            session.call("train", **batch, learning_rate=np.array([0.02], np.float32))
        output = session.call("evaluate", **batch)["output"]
        accuracies.append((output.argmax(1) == labels.argmax(1)).mean())
    assert accuracies[0] < 0.8 < accuracies[1] == 1


def test_cosine_is_independent_of_norms() -> None:
    session = session_of(sartor.convert(BASES["plain"], classes=4, head=CosineClassifier()))
    rng = np.random.default_rng(8)
    state, batch = session.random_variables(rng), session.random_batch(rng)
    x, w = batch["features"], state["head/weights"]
    odds = np.exp(10 * (x @ w.T) / np.linalg.norm(x, axis=1)[:, None] / np.linalg.norm(w, axis=1))
    for factor in (1, 7):
        session.restore({**state, "head/weights": factor * w})
        output = session.call("evaluate", **{**batch, "features": factor * x})["output"]
        np.testing.assert_allclose(output, odds / odds.sum(1, keepdims=True), atol=1e-5)


def test_huber_is_quadratic_near_zero_and_linear_far() -> None:
    head = Regressor(loss=Huber(0.5))
    session = session_of(sartor.convert(BASES["plain"], classes=["x"], head=head, batch_size=1))
    batch = {
        "features": np.zeros((1, 6), np.float32),
        "sample_weights": np.ones((1, 1), np.float32),
    }
    for target, expected in ((0.0, 0.0), (0.4, 0.08), (-0.5, 0.125), (2.0, 0.875), (-2.0, 0.875)):
        labels = np.array([[target]], np.float32)
        loss = session.call("evaluate", **batch, labels=labels)["loss"][0]
        assert loss == pytest.approx(expected, abs=1e-6)


WRONG: dict[str, Callable[[], object]] = {
    "hidden must be positive sizes": lambda: MLP(hidden=()),
    r"hidden must be positive sizes, for example \(64,\); got \(0,\)": lambda: MLP(hidden=(0,)),
    "MLP: loss must be an instance of Loss": lambda: MLP(loss=Huber),  # type: ignore[arg-type]
    "Regressor: loss": lambda: Regressor(loss=SoftmaxCrossEntropy()),
    "CosineClassifier: scale": lambda: CosineClassifier(scale=0),
    "label_smoothing": lambda: CosineClassifier(label_smoothing=1),
    "delta": lambda: Huber(0),
    "weight_decay": lambda: AdamW(weight_decay=-1),
    "decay must be": lambda: RMSprop(decay=1),
    "RMSprop: epsilon": lambda: RMSprop(epsilon=0),
}


@pytest.mark.parametrize("message", WRONG)
def test_invalid_options_raise_an_error(message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        WRONG[message]()
