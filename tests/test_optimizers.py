"""Compare each optimizer, in a file, with float64 NumPy written from the papers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from optimizer_references import Arrays, Moments, Momentum, Reference, Squares

import sartor
from sartor.errors import ConversionError
from sartor.flatbuffer import write
from sartor.graph import Graph, Model
from sartor.heads import MLP, Head, SoftmaxClassifier
from sartor.ops import fully_connected
from sartor.optimizers import OPTIMIZERS as BUILT_IN
from sartor.optimizers import SGD, Adam, AdamW, Optimizer, RMSprop, StepSpec
from sartor.testing.verify import verify_contract
from sartor.testing.verify.session import Session

CLASSES, SIZE, BATCH, STEPS = 4, 64, 12, 25

OPTIMIZERS: dict[str, tuple[Optimizer, Reference, float]] = {
    "sgd": (SGD(), Momentum, 0.2),
    "sgd, clipped": (SGD(clip_norm=0.3), Momentum, 0.8),
    "sgd, decay": (SGD(weight_decay=0.05), lambda: Momentum(weight_decay=0.05), 0.2),
    "momentum": (SGD(momentum=0.9), lambda: Momentum(0.9), 0.05),
    "nesterov": (SGD(momentum=0.8, nesterov=True), lambda: Momentum(0.8, True), 0.05),
    "SGD, all options": (
        SGD(momentum=0.9, nesterov=True, weight_decay=0.01, clip_norm=0.5),
        lambda: Momentum(0.9, True, 0.01), 0.05,
    ),
    "adam": (Adam(), Moments, 0.01),
    "adam, clipped": (Adam(clip_norm=0.2), Moments, 0.01),
    "adam, other settings": (
        Adam(beta_1=0.5, beta_2=0.9, epsilon=1e-3), lambda: Moments(0.5, 0.9, 1e-3), 0.01,
    ),
    "adam, no averages": (
        Adam(beta_1=0.0, beta_2=0.0, epsilon=0.1), lambda: Moments(0.0, 0.0, 0.1), 0.05,
    ),
    "adam, decay": (Adam(weight_decay=0.05), lambda: Moments(weight_decay=0.05), 0.01),
    "adamw": (
        AdamW(weight_decay=0.2), lambda: Moments(weight_decay=0.2, decoupled=True), 0.01,
    ),
    "adamw, no decay": (AdamW(), Moments, 0.01),
    "rmsprop": (RMSprop(), Squares, 0.005),
    "rmsprop, decay": (RMSprop(weight_decay=0.05), lambda: Squares(weight_decay=0.05), 0.005),
    "rmsprop, momentum": (
        RMSprop(decay=0.99, momentum=0.8, epsilon=1e-3, clip_norm=0.3),
        lambda: Squares(0.99, 0.8, 1e-3), 0.002,
    ),
}  # fmt: skip
HEADS = {
    "plain": SoftmaxClassifier(),
    "smoothed": SoftmaxClassifier(label_smoothing=0.2),
    "all": SoftmaxClassifier(label_smoothing=0.1),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_25_steps_equal_those_of_the_papers(name: str) -> None:
    optimizer, reference, rate = OPTIMIZERS[name]
    _compare(HEADS["plain"], optimizer, reference, rate)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("name", ["nesterov", "adam, clipped"])
def test_25_steps_of_each_loss_equal_those_of_the_papers(head: str, name: str) -> None:
    optimizer, reference, rate = OPTIMIZERS[name]
    _compare(HEADS[head], optimizer, reference, rate)


@pytest.mark.parametrize("name", ["SGD, all options", "adam, clipped"])
def test_25_steps_do_not_change_a_free_class(name: str) -> None:
    optimizer, reference, rate = OPTIMIZERS[name]
    _compare(HEADS["all"], optimizer, reference, rate, free=2)


def test_an_interrupted_training_continues_identically() -> None:
    """Ten steps in one session and 15 in another equal 25 steps."""
    model = _convert(SoftmaxClassifier(), Adam())
    state = _initial_state(model, None)
    uninterrupted, first, second = (Session(model.content, model.manifest) for _ in range(3))
    uninterrupted.restore(state)
    first.restore(state)
    for step, (batch, rate) in enumerate(_batches(0.01)):
        uninterrupted.call("train", **batch, learning_rate=rate)
        if step == 10:
            second.restore(first.save())
        (first if step < 10 else second).call("train", **batch, learning_rate=rate)
    for name, value in uninterrupted.save().items():
        np.testing.assert_array_equal(second.save()[name], value)


@pytest.mark.parametrize("optimizer", BUILT_IN)
def test_a_restored_weight_decay_trains_as_that_of_the_file(optimizer: str) -> None:
    file, restored = (
        Session(model.content, model.manifest)
        for model in (
            _convert(SoftmaxClassifier(), BUILT_IN[optimizer](weight_decay=0.25)),
            _convert(SoftmaxClassifier(), BUILT_IN[optimizer]()),
        )
    )
    assert file.save()["weight_decay"] == 0.25
    assert restored.save()["weight_decay"] == 0
    restored.restore(file.save())
    for batch, rate in _batches(0.01):
        for session in (file, restored):
            session.call("train", **batch, learning_rate=rate)
    for name, value in file.save().items():
        np.testing.assert_array_equal(restored.save()[name], value, err_msg=name)


@pytest.mark.parametrize("optimizer", BUILT_IN)
def test_weight_decay_shrinks_each_parameter(optimizer: str) -> None:
    """The samples have weight 0, so that all gradients are 0."""
    model = _convert(MLP(hidden=(5,)), BUILT_IN[optimizer](weight_decay=0.5))
    session, (batch, rate) = Session(model.content, model.manifest), next(_batches(0.01))
    rng, before = np.random.default_rng(0), session.save()
    parameters = [spec.name for spec in model.manifest.variables if spec.role == "parameter"]
    for name in parameters:
        before[name] = (3 + rng.random(before[name].shape)).astype(np.float32)
    session.restore(before)
    batch["sample_weights"][:] = 0
    session.call("train", **batch, learning_rate=rate)
    after = session.save()
    for name in parameters:
        assert (np.abs(after[name]) < np.abs(before[name])).all()
        if optimizer in ("sgd", "adamw"):  # Adam and RMSprop divide the weight decay by its size
            np.testing.assert_allclose(after[name], before[name] * (1 - rate * 0.5), rtol=1e-6)


def test_losses_are_without_weight_decay() -> None:
    batch, rate = next(_batches(0.01))
    features = {name: batch[name] for name in ("features", "labels", "sample_weights")}
    model = _convert(SoftmaxClassifier(), SGD(weight_decay=0.0))
    session, state = Session(model.content, model.manifest), _initial_state(model, None)
    losses = []
    for weight_decay in (0.0, 0.5):
        session.restore({**state, "weight_decay": np.full(1, weight_decay, np.float32)})
        evaluated = session.call("evaluate", **features)["loss"][0]
        losses += [evaluated, session.call("train", **batch, learning_rate=rate)["loss"][0]]
    np.testing.assert_allclose(losses, losses[0], rtol=1e-6)


@dataclass(frozen=True)
class CustomAdam(Adam):
    """Adam under another name."""

    name = "custom_adam"


def test_a_custom_adam_converts_verifies_and_trains_at_the_rate_of_adam(tmp_path: Path) -> None:
    custom, adam = (_convert(SoftmaxClassifier(), each) for each in (CustomAdam(), Adam()))
    report, expected = (verify_contract(each.content) for each in (custom, adam))
    assert report.passed, report.failures
    assert [check.name for check in report.checks] == [check.name for check in expected.checks]
    rng = np.random.default_rng(0)
    samples = [
        (rng.normal(center, size=(1, SIZE)).astype(np.float32), label)
        for center, label in ((-1, "low"), (1, "high"))
        for _ in range(10)
    ]
    histories = []
    for name, model in (("custom", custom), ("adam", adam)):
        with sartor.PersonalModel(model.save(tmp_path / f"{name}.tflite")) as personal:
            for row, label in samples:
                personal.add_sample(row, label)
            histories.append(personal.fit())
    rates = [[epoch.learning_rate for epoch in history.epochs] for history in histories]
    assert rates[0] == rates[1]
    assert max(rates[0]) > 0


def test_the_manifest_states_the_step_of_each_optimizer() -> None:
    assert list(BUILT_IN) == ["sgd", "adam", "adamw", "rmsprop"]
    adaptive = {name: optimizer().step.adaptive for name, optimizer in BUILT_IN.items()}
    assert adaptive == {"sgd": False, "adam": True, "adamw": True, "rmsprop": True}
    sgd = _convert(SoftmaxClassifier(), SGD(momentum=0.5, nesterov=True, clip_norm=2.0)).manifest
    assert (sgd.optimizer.step.momentum, sgd.optimizer.step.nesterov) == (0.5, True)
    assert sgd.optimizer.clip_norm == 2
    assert type(sgd).from_json(sgd.to_json()) == sgd


def test_the_verifier_compares_signs_if_the_first_step_does_not_determine_the_gradient() -> None:
    class Opaque(Adam):
        step = StepSpec(adaptive=True)

    report = verify_contract(_convert(SoftmaxClassifier(), Opaque()).content)
    assert report.passed, report.failures
    assert any(check.name.startswith("sign of the gradient") for check in report.checks)


class NoStep:
    """SGD without the attribute `step`."""

    name, learning_rate, weight_decay, clip_norm = "plain", None, None, None
    parameter_state = shared_state = ()
    settings, advance, update = SGD.settings, SGD.advance, SGD.update


class WrongStep(Adam):
    step = "adaptive"  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        (NoStep(), r"which lacks step \(see sartor\.optimizers\.optimizer\.Optimizer\)"),
        (WrongStep(), "step must be a StepSpec, such as .*; got 'adaptive'"),
        (SGD, "got the class SGD"),
    ],
)
def test_a_wrong_optimizer_is_refused_at_conversion(optimizer: Optimizer, message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        _convert(SoftmaxClassifier(), optimizer)


def _compare(
    head: SoftmaxClassifier,
    optimizer: Optimizer,
    reference: Reference,
    rate: float,
    free: int | None = None,
) -> None:
    """Train a file and the reference, and compare losses and parameters."""
    model = _convert(head, optimizer)
    state = _initial_state(model, free)
    session = Session(model.content, model.manifest)
    session.restore(state)
    mask = state["class_mask"].astype(np.float64)
    weights = {n: state[f"head/{n}"].astype(np.float64) for n in ("weights", "bias")}
    rule = reference()
    for batch, learning_rate in _batches(rate):
        outputs = session.call("train", **batch, learning_rate=learning_rate)
        loss, output, gradients = _gradients(head, weights, mask, batch)
        assert outputs["loss"][0] == pytest.approx(loss, abs=1e-5)
        np.testing.assert_allclose(outputs["output"], output, atol=1e-5)
        gradients = _clipped(gradients, optimizer.clip_norm)
        weights = {
            n: rule(n, weights[n], gradients[n], float(learning_rate[0]))
            for n in ("weights", "bias")
        }
    after = session.save()
    for name, value in weights.items():
        np.testing.assert_allclose(after[f"head/{name}"], value, atol=1e-5, err_msg=name)
        assert np.abs(value - state[f"head/{name}"]).max() > 0.05  # training changes it


def _gradients(
    head: SoftmaxClassifier, parameters: Arrays, mask: np.ndarray, batch: Arrays
) -> tuple[float, np.ndarray, Arrays]:
    """Return loss, output and gradients in float64: `∂/∂z = Σt · p − t`, p over active classes."""
    x, labels, weights = (
        batch[n].astype(np.float64) for n in ("features", "labels", "sample_weights")
    )
    z = x @ parameters["weights"].T + parameters["bias"]
    odds = np.exp(z - z.max(1, keepdims=True)) * mask
    p = odds / odds.sum(1, keepdims=True)
    t = labels * mask
    even = t.sum(1, keepdims=True) * mask / mask.sum()
    t = (1 - head.label_smoothing) * t + head.label_smoothing * even
    share = weights / max(weights.sum(), 1e-6)
    rows = -(t * np.log(np.where(mask > 0, p, 1.0))).sum(1)
    loss = float((rows * share).sum())
    dz = (t.sum(1, keepdims=True) * p - t) * share[:, None]
    return loss, p, {"weights": dz.T @ x, "bias": dz.sum(0)}


def _clipped(gradients: Arrays, limit: float | None) -> Arrays:
    norm = float(np.sqrt(sum((gradient**2).sum() for gradient in gradients.values())))
    factor = 1.0 if limit is None or norm <= limit else limit / norm
    return {name: gradient * factor for name, gradient in gradients.items()}


def _convert(head: Head, optimizer: Optimizer) -> sartor.PersonalizableModel:
    graph, base = Graph("main"), Model()
    x = graph.input("x", (1, SIZE))
    graph.outputs = [fully_connected(x, np.ones((2, SIZE), np.float32))]
    base.graphs.append(graph)
    return sartor.convert(
        write(base), classes=CLASSES, head=head, optimizer=optimizer, batch_size=BATCH
    )


def _initial_state(model: sartor.PersonalizableModel, free: int | None) -> Arrays:
    """Return weights around 1; all classes except `free` are active."""
    rng = np.random.default_rng(7)
    state = Session(model.content, model.manifest).save()
    state["head/weights"] = (1 + 0.3 * rng.standard_normal((CLASSES, SIZE))).astype(np.float32)
    state["head/bias"] = rng.standard_normal(CLASSES).astype(np.float32)
    state["class_mask"] = np.ones(CLASSES, np.float32)
    if free is not None:
        for name in ("head/weights", "head/bias", "class_mask"):
            state[name][free] = 0
    return state


def _batches(rate: float) -> Iterator[tuple[Arrays, np.ndarray]]:
    """Yield a batch and a learning rate for each step; soft labels; some rows have weight 0."""
    rng = np.random.default_rng(8)
    for step in range(STEPS):
        features = 0.3 * rng.standard_normal((BATCH, SIZE))
        labels = rng.dirichlet(np.full(CLASSES, 0.3), BATCH)
        weights = rng.uniform(0.2, 1.0, BATCH)
        weights[BATCH - step % 5 :] = 0
        batch = {"features": features, "labels": labels, "sample_weights": weights}
        learning_rate = np.array([rate * (1 - 0.9 * step / STEPS)], np.float32)
        yield {name: value.astype(np.float32) for name, value in batch.items()}, learning_rate
