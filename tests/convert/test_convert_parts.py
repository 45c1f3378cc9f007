"""Heads, losses and optimizers of a user's own need no change of the contract."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from convert_bases import classifier, convolution_last, file, residual, two_inputs
from convert_helpers import accuracy_after, assert_keeps_the_contract, compiled, session_of
from convert_parts import (
    Block,
    Linear,
    NearestMean,
    Perceptron,
    RMSProp,
    SigmoidCrossEntropy,
    SquaredError,
    TakesTwice,
)

import sartor
from sartor import PersonalizableModel
from sartor.contract import MASK
from sartor.flatbuffer import write
from sartor.heads import Head, SoftmaxClassifier
from sartor.losses import Loss
from sartor.optimizers import SGD, Adam, Optimizer

BASES = {
    "plain": file(classifier),
    "picture": file(convolution_last, (1, 9, 9, 3)),
    "several features": file(residual),
    "two inputs": write(two_inputs()),
}
PARTS: dict[str, tuple[str, dict[str, Any]]] = {
    "multi-label": ("plain", {"head": Linear()}),
    "multi-label, clipped": ("plain", {"head": Linear(), "optimizer": SGD(clip_norm=0.01)}),
    "multi-label, Adam": ("two inputs", {"head": Linear(), "optimizer": Adam()}),
    "multi-label, one row": ("plain", {"head": Linear(), "batch": 1}),
    "a variable taken twice by one op": ("plain", {"head": TakesTwice()}),
    "regression": ("plain", {"head": Linear(SquaredError())}),
    "regression, several features": ("several features", {"head": Linear(SquaredError())}),
    "perceptron": ("plain", {"head": Perceptron()}),
    "perceptron, Adam": ("plain", {"head": Perceptron(), "optimizer": Adam(clip_norm=1.0)}),
    "the base's last layers": ("picture", {"head": Block(), "batch": 6}),
    "the base's last layers, Adam": ("picture", {"head": Block(), "optimizer": Adam(), "batch": 5}),
    "statistics": ("plain", {"head": NearestMean()}),
    "statistics, Adam": ("several features", {"head": NearestMean(), "optimizer": Adam()}),
    "another optimizer": ("plain", {"optimizer": RMSProp()}),
    "another optimizer, clipped": ("several features", {"optimizer": RMSProp(clip_norm=0.1)}),
    "all of it": ("picture", {"head": Block(), "optimizer": RMSProp(), "batch": 4}),
}


each_loss = pytest.mark.parametrize(
    "loss", [SigmoidCrossEntropy(), SquaredError()], ids=lambda loss: loss.name
)


def made_of(name: str, **more: Any) -> PersonalizableModel:
    base, parts = PARTS[name]
    return sartor.convert(BASES[base], **{"classes": 5, **parts, **more})


@pytest.mark.parametrize("name", PARTS)
def test_it_converts_and_keeps_the_contract(name: str) -> None:
    made = made_of(name)
    assert_keeps_the_contract(made)
    assert_keeps_the_contract(made_of(name, classes=1))


@pytest.mark.parametrize("name", PARTS)
def test_with_more_room_it_still_fits_what_was_learned(name: str) -> None:
    small, large = made_of(name, classes=2), made_of(name, classes=7)
    marks, later = small.manifest.fingerprints, large.manifest.fingerprints
    assert (marks.base, marks.head, marks.optimizer) == (later.base, later.head, later.optimizer)
    narrow = {
        spec.name: [size for axis, size in enumerate(spec.shape) if axis != spec.class_axis]
        for spec in small.manifest.variables
    }
    for spec in large.manifest.variables:
        kept = [size for axis, size in enumerate(spec.shape) if axis != spec.class_axis]
        assert kept == narrow[spec.name]


@pytest.mark.parametrize("name", PARTS)
def test_compiled_model_takes_the_same_step(name: str) -> None:
    made = made_of(name)
    session, other = session_of(made), compiled(made.content)
    rng = np.random.default_rng(3)
    state, batch = session.some_state(rng), session.some_batch(rng)
    session.restore(state)
    other("restore", state)
    rate = np.array([0.1], np.float32)
    wanted = session.call("train", **batch, learning_rate=rate)
    found = other("train", {**batch, "learning_rate": rate})
    after, theirs = session.save(), other("save", {"run": rate})
    for ours, yours in ((wanted, found), (after, theirs)):
        for key, value in ours.items():
            np.testing.assert_allclose(yours[key], value, atol=1e-5, err_msg=key)


@pytest.mark.parametrize(
    ("head", "optimizer", "rate"),
    [
        (Linear(), SGD(momentum=0.9), 1.0),
        (Perceptron(), Adam(), 0.05),
        (Perceptron(), RMSProp(), 0.02),
        (SoftmaxClassifier(), RMSProp(), 0.02),
    ],
    ids=["multi-label", "perceptron", "perceptron, RMSProp", "softmax, RMSProp"],
)
def test_it_learns(head: Head, optimizer: Optimizer, rate: float) -> None:
    made = sartor.convert(BASES["plain"], classes=5, head=head, optimizer=optimizer)
    assert accuracy_after(session_of(made), steps=80, rate=rate) > 0.99


@pytest.mark.parametrize(
    "loss", [SigmoidCrossEntropy(), SquaredError()], ids=lambda loss: loss.name
)
def test_a_sample_may_say_nothing_of_an_output(loss: Loss) -> None:
    session = session_of(sartor.convert(BASES["plain"], classes=4, head=Linear(loss)))
    rng = np.random.default_rng(4)
    state, batch = session.some_state(rng), session.some_batch(rng)
    batch["weights"][:, 2] = 0
    moved = session.train(state, batch, 0.1)
    changed = np.abs(moved["head/weights"] - state["head/weights"]).max(1) > 0
    np.testing.assert_array_equal(changed, [True, True, False, True])


@pytest.mark.parametrize(
    "loss", [SigmoidCrossEntropy(), SquaredError()], ids=lambda loss: loss.name
)
def test_free_slots_do_not_thin_out_the_loss(loss: Loss) -> None:
    """Room for more outputs leaves loss and steps as they were."""
    losses, steps = [], []
    for room in (2, 8):
        made = sartor.convert(BASES["plain"], classes=room, head=Linear(loss), optimizer=SGD())
        session, rng = session_of(made), np.random.default_rng(5)
        features = rng.random((32, 6), np.float32)
        labels = np.zeros((32, room), np.float32)
        labels[:, :2] = rng.random((32, 2))
        mask = np.zeros(room, np.float32)
        mask[:2] = 1
        state = {**session.save(), MASK: mask}
        weights = np.ones((32, room), np.float32)
        batch = {"features": features, "labels": labels, "weights": weights}
        losses.append(session.loss(state, batch))
        steps.append(session.train(state, batch, 0.5)["head/weights"][:2])
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
    np.testing.assert_allclose(steps[0], steps[1], atol=1e-6)


def test_a_head_without_anything_to_train_learns_by_set_class_alone() -> None:
    session = session_of(sartor.convert(BASES["plain"], classes=3, head=NearestMean()))
    assert session.parameters() == []
    rng = np.random.default_rng(6)
    corners, state = 3 * rng.random((3, 1, 6)), session.save()
    for slot, corner in enumerate(corners):
        rows = corner + 0.05 * rng.standard_normal((32, 6))
        session.set_class(state, slot, {"features": rows.astype(np.float32)})
        state = session.save()
    batch = session.some_batch(rng)
    batch["features"] = np.repeat(corners[:, 0], 11, 0)[:32].astype(np.float32)
    output = session.call("evaluate", **batch)["output"]
    np.testing.assert_array_equal(output.argmax(1), np.repeat([0, 1, 2], 11)[:32])
