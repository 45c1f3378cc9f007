"""Promises that can be seen only by running the file."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...contract import FEATURES, LOSS, MASK, OUTPUT, TEMPERATURE, WEIGHTS, numbered
from .report import Check
from .session import Batch, Session, State

__all__ = ["check_behaviour"]

_CLOSE = 1e-4
_RATES = (1e-2, 1e-3, 1e-4)


def check_behaviour(session: Session, initial: State, rng: np.random.Generator) -> Iterator[Check]:
    """Run every signature and hold it to the contract.

    Args:
        session: a fresh one.
        initial: what the manifest's byte ranges hold.
        rng: for states and batches.
    """
    yield _same("the byte ranges hold the initial values", session.save(), initial)
    state, batch = session.some_state(rng), session.some_batch(rng)
    session.restore(state)
    yield _same("restore, then save, gives the same bits", session.save(), state)
    session.call("initialize", run=np.ones(1, np.float32))
    yield _same("initialize starts anew", session.save(), initial)
    yield from _check_weights(session, state, batch)
    yield from _check_train(session, state, batch)
    yield from _check_infer(session, state, rng)
    yield from _check_classes(session, state, batch)
    yield _check_temperature(session, state, batch)


def _check_weights(session: Session, state: State, batch: Batch) -> Iterator[Check]:
    loss = session.loss(state, batch)
    noisy = {name: value.copy() for name, value in batch.items()}
    last_counts = session.manifest.batch == 1
    for index in range(len(session.manifest.features)):
        noisy[numbered(FEATURES, index)][-1] += 0 if last_counts else 1
    same = session.loss(state, noisy)
    yield Check("a row of weight 0 does not count", same == loss, f"{loss:.6f} and {same:.6f}")
    double = session.loss(state, {**batch, WEIGHTS: batch[WEIGHTS] * 2})
    yield _near("the loss is a weighted mean", double, loss)
    nothing = session.loss(state, {**batch, WEIGHTS: batch[WEIGHTS] * 0})
    yield Check("no weight at all is no NaN", bool(np.isfinite(nothing)), f"loss {nothing:.6f}")


def _check_train(session: Session, state: State, batch: Batch) -> Iterator[Check]:
    session.restore(state)
    evaluated = session.call("evaluate", **batch)
    trained = session.call("train", **batch, learning_rate=np.zeros(1, np.float32))
    yield _near("train and evaluate agree on the loss", trained[LOSS], evaluated[LOSS])
    yield _near("train's output is from before the step", trained[OUTPUT], evaluated[OUTPUT])
    after = session.save()
    fixed = [*session.parameters(), MASK, TEMPERATURE]
    yield _same(
        "a learning rate of 0 changes no parameter",
        {name: after[name] for name in fixed}, {name: state[name] for name in fixed},
    )  # fmt: skip
    before = session.loss(state, batch)
    losses = [session.loss(session.train(state, batch, rate), batch) for rate in _RATES]
    yield Check(
        "a step lowers the loss", min(losses) < before, f"{before:.6f} to {min(losses):.6f}"
    )


def _check_infer(session: Session, state: State, rng: np.random.Generator) -> Iterator[Check]:
    manifest = session.manifest
    session.restore(state)
    inputs = {spec.name: _some_input(spec.shape, spec.dtype, rng) for spec in manifest.inputs}
    inferred = session.call("infer", **inputs)
    finite = all(np.isfinite(value).all() for value in inferred.values())
    yield Check("infer gives finite numbers", finite, f"{inferred[OUTPUT].size} outputs")
    batch = session.some_batch(rng)
    for index in range(len(manifest.features)):
        name = numbered(FEATURES, index)
        batch[name] = np.repeat(inferred[name], manifest.batch, axis=0)
    output = session.call("evaluate", **batch)[OUTPUT][:1]
    yield _near("infer and evaluate agree on the output", output, inferred[OUTPUT])


def _check_classes(session: Session, state: State, batch: Batch) -> Iterator[Check]:
    manifest = session.manifest
    slot = manifest.capacity - 1
    stepped = session.train(state, batch, 1e-3)
    rows = {name: value for name, value in batch.items() if name.startswith(FEATURES)}
    chosen = np.eye(manifest.capacity, dtype=np.float32)[slot]
    for active in (1.0, 0.0):
        session.restore(stepped)
        session.call(
            "set_class", slot=chosen, **rows, weights=np.ones(manifest.batch, np.float32),
            active=np.array([active], np.float32),
        )  # fmt: skip
        problems = list(_slot_problems(session, stepped, session.save(), slot, active))
        yield Check(
            "set_class " + ("makes a class" if active else "wipes a class"),
            not problems, "; ".join(problems) or "its slot alone is changed",
        )  # fmt: skip
    output = session.call("evaluate", **batch)[OUTPUT]
    yield Check("an inactive class has output 0", not output[:, slot].any(), f"slot {slot}")
    wiped = session.save()
    trained = session.train(wiped, batch, 0.1)
    moved = [name for name, value in _parts(session, trained, slot).items() if value.any()]
    yield Check("an inactive class has no gradient", not moved, ", ".join(moved) or f"slot {slot}")
    session.restore({**state, MASK: np.zeros_like(state[MASK])})
    output = session.call("evaluate", **batch)[OUTPUT]
    yield Check("without active classes the output is 0", not output.any(), "all zero")


def _parts(session: Session, state: State, slot: int) -> State:
    """Of each variable with a class axis the part that belongs to one slot."""
    return {
        spec.name: np.take(state[spec.name], slot, spec.class_axis)
        for spec in session.manifest.variables
        if spec.class_axis is not None
    }


def _slot_problems(
    session: Session, before: State, after: State, slot: int, active: float
) -> Iterator[str]:
    """What `set_class` changed that it must not, or left that it must change."""
    for spec in session.manifest.variables:
        if spec.role == "statistic":
            continue
        old, new = before[spec.name], after[spec.name]
        if spec.class_axis is not None:
            old, new = np.delete(old, slot, spec.class_axis), np.delete(new, slot, spec.class_axis)
        if not np.array_equal(old, new):
            yield f"{spec.name} changed outside the slot"
    parts = _parts(session, after, slot)
    for spec in session.manifest.variables:
        if spec.class_axis is None:
            continue
        if spec.role == "mask":
            kept = parts[spec.name] == active
        elif spec.role == "slot" or not active:
            kept = not parts[spec.name].any()
        else:
            kept = bool(np.isfinite(parts[spec.name]).all())
        if not kept:
            yield f"{spec.name} is wrong in the slot"


def _check_temperature(session: Session, state: State, batch: Batch) -> Check:
    """Doubling the temperature takes the square root of the odds."""
    session.restore(state)
    cold = session.call("evaluate", **batch)[OUTPUT].astype(np.float64)
    session.restore({**state, TEMPERATURE: state[TEMPERATURE] * 2})
    warm = session.call("evaluate", **batch)[OUTPUT].astype(np.float64)
    wanted = _softened(cold, session.manifest.task)
    error = float(np.abs(warm - wanted).max())
    return Check("the temperature divides the logits", error < _CLOSE, f"off by {error:.1e}")


def _softened(output: np.ndarray, task: str) -> np.ndarray:
    if task == "regression":
        return output / 2
    odds = np.sqrt(output)
    others = np.sqrt(1 - output) + odds if task == "multi_label" else odds.sum(-1, keepdims=True)
    return np.asarray(odds / others)


def _some_input(shape: tuple[int, ...], dtype: str, rng: np.random.Generator) -> np.ndarray:
    if dtype == "uint8":
        return rng.integers(0, 256, shape, np.uint8)
    if dtype == "int32":
        return np.ones(shape, np.int32)
    return rng.random(shape, np.float32)


def _same(name: str, found: State, wanted: State) -> Check:
    """Bit for bit."""
    different = [n for n in wanted if n not in found or not np.array_equal(found[n], wanted[n])]
    return Check(name, not different, ", ".join(different) or f"{len(wanted)} variables")


def _near(name: str, found: object, wanted: object) -> Check:
    error = float(np.abs(np.asarray(found) - np.asarray(wanted)).max())
    return Check(name, error <= _CLOSE, f"off by {error:.1e}")
