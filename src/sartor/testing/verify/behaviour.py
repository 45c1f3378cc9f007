"""Check the results of the signatures."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...contract.names import FEATURES, LABELS, LOSS, MASK, OUTPUT, SAMPLE_WEIGHTS, TEMPERATURE
from ...contract.signatures import numbered
from .class_checks import check_classes, check_first_samples, check_statistics
from .comparison import check_close, check_equal
from .layer_checks import check_layers
from .report import Check
from .session import Batch, Session, Variables
from .training_checks import check_training

__all__ = ["check_behaviour"]


def check_behaviour(session: Session, rng: np.random.Generator) -> Iterator[Check]:
    """Run every signature of a new session and check its results."""
    initial = session.save()
    noise = session.noise(rng)
    session.restore(noise)
    restored = check_equal("save returns the restored values", session.save(), noise)
    yield restored
    if not restored.passed:  # all other checks need save and restore
        return
    session.initialize()
    yield check_equal("initialize resets all variables", session.save(), initial)
    variables, batch = session.random_variables(rng), session.random_batch(rng)
    yield from _check_weights(session, variables, batch)
    yield from check_training(session, variables, batch)
    yield from _check_infer(session, variables, rng)
    yield from check_classes(session, variables, batch)
    yield from check_statistics(session, variables, batch)
    if session.manifest.task == "classification" and session.manifest.capacity > 1:
        yield check_first_samples(session, initial, rng)
    yield from _check_temperature(session, variables, batch)
    yield from check_layers(session, variables, batch)


def _check_weights(session: Session, variables: Variables, batch: Batch) -> Iterator[Check]:
    """Check the effect of sample weights on the loss."""
    weights = batch[SAMPLE_WEIGHTS]
    if session.manifest.batch_size > 1:
        loss = session.loss(variables, batch)
        changed = session.loss(variables, session.change_last_row(batch))
        yield check_close("rows with weight 0 do not change the loss", changed, loss)
        first, second = np.zeros_like(weights), np.zeros_like(weights)
        first[0], second[1] = 1, 1
        losses = [
            session.loss(variables, {**batch, SAMPLE_WEIGHTS: rows}) for rows in (first, second)
        ]
        mixed = session.loss(variables, {**batch, SAMPLE_WEIGHTS: first * 0.75 + second * 2.25})
        expected = 0.25 * losses[0] + 0.75 * losses[1]
        yield check_close("the loss is a weighted mean", mixed, expected)
    unweighted = {**batch, SAMPLE_WEIGHTS: weights * 0}
    loss = session.loss(variables, unweighted)
    other = session.loss(variables, {**unweighted, LABELS: 1 - batch[LABELS]})
    passed = bool(np.isfinite(loss)) and loss == other
    yield Check(
        "with all weights 0 the loss ignores the labels", passed, f"{loss:.6f}, {other:.6f}"
    )


def _check_infer(
    session: Session, variables: Variables, rng: np.random.Generator
) -> Iterator[Check]:
    """Compare `infer` with `evaluate`, with masked classes and a temperature other than 1."""
    manifest = session.manifest
    variables = {
        **variables,
        MASK: variables[MASK].copy(),
        TEMPERATURE: np.array([1.7], np.float32),
    }
    variables[MASK][1::3] = 0
    session.restore(variables)
    inputs = {spec.name: _random_input(spec.shape, spec.dtype, rng) for spec in manifest.inputs}
    outputs = session.call("infer", **inputs)
    finite = all(np.isfinite(value).all() for value in outputs.values())
    yield Check("infer returns finite values", finite, f"{outputs[OUTPUT].size} outputs")
    yield check_equal("infer changes no variable", session.save(), variables)
    batch = session.random_batch(rng)
    for index in range(len(manifest.features)):
        name = numbered(FEATURES, index)
        batch[name] = np.repeat(outputs[name], manifest.batch_size, axis=0)
    evaluated = session.call("evaluate", **batch)[OUTPUT][:1]
    yield check_close("infer and evaluate return the same output", evaluated, outputs[OUTPUT])


def _random_input(shape: tuple[int, ...], dtype: str, rng: np.random.Generator) -> np.ndarray:
    if dtype == "uint8":
        return rng.integers(0, 256, shape, np.uint8)
    if dtype == "int32":
        return np.ones(shape, np.int32)
    return rng.random(shape, np.float32)


def _check_temperature(session: Session, variables: Variables, batch: Batch) -> Iterator[Check]:
    """Double the temperature: `evaluate` divides the logits by 2, `train` does not use it."""
    doubled = {**variables, TEMPERATURE: variables[TEMPERATURE] * 2}
    zero = np.zeros(1, np.float32)
    outputs, losses = [], []
    for each in (variables, doubled):
        session.restore(each)
        outputs.append(session.call("evaluate", **batch)[OUTPUT].astype(np.float64))
        losses.append(session.call("train", **batch, learning_rate=zero)[LOSS])
    expected = _halve_logits(outputs[0], session.manifest.task)
    yield check_close("the temperature divides the logits", outputs[1], expected)
    yield check_close("training does not use the temperature", losses[1], losses[0])


def _halve_logits(output: np.ndarray, task: str) -> np.ndarray:
    """Return the output for half the logits."""
    if task == "regression":
        return output / 2
    roots = np.sqrt(output)
    if task == "multi_label":
        return np.asarray(roots / (np.sqrt(1 - output) + roots))
    return np.asarray(roots / roots.sum(-1, keepdims=True))
