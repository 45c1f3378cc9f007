"""Promises that can be seen only by running the file."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...contract.names import (
    CENTER,
    FEATURES,
    LABELS,
    LOSS,
    MASK,
    OUTPUT,
    SCALE,
    TEMPERATURE,
    WEIGHTS,
)
from ...contract.signatures import numbered
from .report import Check
from .session import Batch, Session, State

__all__ = ["check_behaviour", "same"]

_CLOSE = 1e-4
_RATES = (1e-2, 1e-3, 1e-4)
_SIZE = np.float32(1024)
_STEPS = 5  # of random training


def check_behaviour(session: Session, rng: np.random.Generator) -> Iterator[Check]:
    """Run every signature of a fresh session, and hold it to the contract."""
    initial = session.save()
    noise = session.any_state(rng)
    session.restore(noise)
    restored = same("restore, then save, gives the same bits", session.save(), noise)
    yield restored
    if not restored.passed:  # all that follows rests on it
        return
    session.call("initialize", run=np.ones(1, np.float32))
    yield same("initialize starts anew", session.save(), initial)
    state, batch = session.some_state(rng), session.some_batch(rng)
    yield from _check_weights(session, state, batch)
    yield from _check_train(session, state, batch)
    yield from _check_infer(session, state, rng)
    yield from _check_classes(session, state, batch)
    yield from _check_view(session, state, batch)
    if session.manifest.task == "classification" and session.manifest.capacity > 1:
        yield _check_first_samples(session, initial, rng)
    yield from _check_temperature(session, state, batch)


def _check_weights(session: Session, state: State, batch: Batch) -> Iterator[Check]:
    """What a sample's weight does to the loss; labels and features tell the samples apart."""
    weights = batch[WEIGHTS]
    if session.manifest.batch > 1:
        loss = session.loss(state, batch)
        unseen = session.loss(state, _with_other_last_row(session, batch))
        yield _near("a row of weight 0 does not count", unseen, loss)
        first, second = np.zeros_like(weights), np.zeros_like(weights)
        first[0], second[1] = 1, 1
        ends = [session.loss(state, {**batch, WEIGHTS: rows}) for rows in (first, second)]
        mixed = session.loss(state, {**batch, WEIGHTS: first * 0.75 + second * 2.25})
        yield _near("the loss is a weighted mean", mixed, 0.25 * ends[0] + 0.75 * ends[1])
    unweighted = {**batch, WEIGHTS: weights * 0}
    nothing = session.loss(state, unweighted)
    other = session.loss(state, {**unweighted, LABELS: 1 - batch[LABELS]})
    kept = bool(np.isfinite(nothing)) and nothing == other
    yield Check("no weight at all is a loss without samples", kept, f"{nothing:.6f}, {other:.6f}")


def _with_other_last_row(session: Session, batch: Batch) -> Batch:
    other = {name: value.copy() for name, value in batch.items()}
    for index in range(len(session.manifest.features)):
        other[numbered(FEATURES, index)][-1] += 1
    other[LABELS][-1] = 1 - other[LABELS][-1]
    return other


def _check_train(session: Session, state: State, batch: Batch) -> Iterator[Check]:
    session.restore(state)
    evaluated = session.call("evaluate", **batch)
    yield same("evaluate changes nothing", session.save(), state)
    trained = session.call("train", **batch, learning_rate=np.zeros(1, np.float32))
    after = session.save()
    if session.random():
        yield from _check_randomness(session, state, batch, trained)
    else:
        yield _near("train and evaluate agree on the loss", trained[LOSS], evaluated[LOSS])
        yield _near("train's output is from before the step", trained[OUTPUT], evaluated[OUTPUT])
    kept = [*session.parameters(), *session.untrained()]
    yield same("a learning rate of 0 changes no parameter", after, _only(state, kept))
    if not session.parameters():
        return
    before = session.training_loss(state, batch)
    random = _only(state, session.random())
    steps = [session.train(state, batch, rate) for rate in _RATES]
    losses = [session.training_loss({**step, **random}, batch) for step in steps]
    lower = min(losses) < before or session.nothing_to_learn
    yield Check("a step lowers the loss", lower, f"{before:.6f} to {min(losses):.6f}")
    kept = session.untrained()
    yield same("a step changes nothing that is not trained", steps[0], _only(state, kept))
    unlabelled = {**batch, WEIGHTS: batch[WEIGHTS] * 0}
    finite = all(np.isfinite(value).all() for value in session.train(state, unlabelled, 1).values())
    yield Check("a step without any weight leaves numbers", finite, "all variables are finite")


def _check_randomness(
    session: Session, state: State, batch: Batch, trained: State
) -> Iterator[Check]:
    """Training draws from the saved state, and from nothing else."""
    names, zero = session.random(), np.zeros(1, np.float32)

    def steps(rows: Batch) -> list[State]:
        session.restore(state)
        return [session.call("train", **rows, learning_rate=zero) for _ in range(_STEPS)]

    first, again = steps(batch), steps(batch)
    repeated = [same("", *pair) for pair in zip(first, again, strict=True)]
    repeated.append(same("", first[0], trained))
    kept = all(check.passed for check in repeated)
    yield Check("the saved state decides what training drops", kept, f"{_STEPS} steps, twice")
    losses = {float(step[LOSS][0]) for step in first}
    moved = not same("", session.save(), _only(state, names)).passed
    different = moved and (len(losses) > 1 or session.nothing_to_learn)
    yield Check("each step drops something else", different, f"{len(losses)} losses")
    if session.manifest.batch > 1:
        other = steps(_with_other_last_row(session, batch))
        pairs = zip(first, other, strict=True)
        off = max(abs(float((one[LOSS] - two[LOSS])[0])) for one, two in pairs)
        yield Check("what is dropped is the same for a short batch", off <= _CLOSE, f"{off:.1e}")


def _check_infer(session: Session, state: State, rng: np.random.Generator) -> Iterator[Check]:
    """Against `evaluate` of the same features, where mask and temperature can be seen to act."""
    manifest = session.manifest
    state = {**state, MASK: state[MASK].copy(), TEMPERATURE: np.array([1.7], np.float32)}
    state[MASK][1::3] = 0
    session.restore(state)
    inputs = {spec.name: _some_input(spec.shape, spec.dtype, rng) for spec in manifest.inputs}
    inferred = session.call("infer", **inputs)
    finite = all(np.isfinite(value).all() for value in inferred.values())
    yield Check("infer gives finite numbers", finite, f"{inferred[OUTPUT].size} outputs")
    yield same("infer changes nothing", session.save(), state)
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
    for active in (True, False):
        session.set_class(stepped, slot, batch, active=active)
        problems = list(_slot_problems(session, stepped, session.save(), slot, active))
        yield Check(
            "set_class " + ("makes a class" if active else "wipes a class"),
            not problems, "; ".join(problems) or "its slot alone is changed",
        )  # fmt: skip
    wiped = session.save()
    output = session.call("evaluate", **batch)[OUTPUT]
    yield Check("an inactive class has output 0", not output[:, slot].any(), f"slot {slot}")
    trained = session.train(wiped, batch, 0.1)
    moved = [name for name, value in _parts(session, trained, slot).items() if value.any()]
    yield Check("an inactive class has no gradient", not moved, ", ".join(moved) or f"slot {slot}")
    session.restore({**state, MASK: np.zeros_like(state[MASK])})
    output = session.call("evaluate", **batch)[OUTPUT]
    yield Check("without active classes the output is 0", not output.any(), "all zero")
    if manifest.batch > 1:
        session.set_class(stepped, slot, batch)
        made = session.save()
        session.set_class(stepped, slot, _with_other_last_row(session, batch))
        yield same("a class is not made of rows of weight 0", session.save(), made)


def _check_view(session: Session, state: State, batch: Batch) -> Iterator[Check]:
    """What `set_class` does without a slot: classes stay, and sizes make no difference."""
    stepped = session.train(state, batch, 1e-3)
    session.view(stepped, batch)
    viewed = session.save()
    free = [spec.name for spec in session.manifest.variables if spec.role == "statistic"]
    yield same("set_class without a slot changes no class", viewed, _without(stepped, free))
    if CENTER not in stepped or SCALE not in stepped:
        return
    if session.manifest.batch > 1:
        session.view(stepped, _with_other_last_row(session, batch))
        yield same("a view is not taken of rows of weight 0", session.save(), viewed)
    session.restore(viewed)
    output = session.call("evaluate", **batch)[OUTPUT]
    large = {name: v * _SIZE if name.startswith(FEATURES) else v for name, v in batch.items()}
    session.view(stepped, large)
    as_large = session.call("evaluate", **large)[OUTPUT]
    yield _near("the size of features makes no difference in a view", as_large, output)


def _check_first_samples(session: Session, initial: State, rng: np.random.Generator) -> Check:
    """Two classes of one sample each, made in an empty model, are told apart."""
    state = {**initial, MASK: np.zeros_like(initial[MASK])}
    batch = session.some_batch(rng)
    samples = []
    for slot in (0, 1):
        row = slot % session.manifest.batch
        rows = {n: np.repeat(v[row : row + 1], len(v), 0) for n, v in batch.items()}
        if slot == row:
            samples.append(rows)
        else:  # a batch of one row: the other class is made of another sample
            samples.append({name: -value for name, value in rows.items()})
        session.set_class(state, slot, samples[slot])
        state = session.save()
    right = []
    for slot, sample in enumerate(samples):
        labels = {LABELS: batch[LABELS], WEIGHTS: batch[WEIGHTS]}
        output = session.call("evaluate", **{**sample, **labels})[OUTPUT][0]
        right.append(output[slot] > output[1 - slot])
    return Check("a class is known from its first sample", all(right), f"{sum(right)} of 2 classes")


def _parts(session: Session, state: State, slot: int) -> State:
    """Of each variable with a class axis the part that belongs to one slot."""
    return {
        spec.name: np.take(state[spec.name], slot, spec.class_axis)
        for spec in session.manifest.variables
        if spec.class_axis is not None
    }


def _slot_problems(
    session: Session, before: State, after: State, slot: int, active: bool
) -> Iterator[str]:
    """What `set_class` changed that it must not, or left that it must change."""
    for spec in session.manifest.variables:
        if spec.role == "statistic" and spec.class_axis is None:
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


def _check_temperature(session: Session, state: State, batch: Batch) -> Iterator[Check]:
    """Doubling the temperature takes the square root of the odds; training does not see it."""
    warm = {**state, TEMPERATURE: state[TEMPERATURE] * 2}
    zero = np.zeros(1, np.float32)
    outputs, losses = [], []
    for each in (state, warm):
        session.restore(each)
        outputs.append(session.call("evaluate", **batch)[OUTPUT].astype(np.float64))
        losses.append(session.call("train", **batch, learning_rate=zero)[LOSS])
    wanted = _softened(outputs[0], session.manifest.task)
    yield _near("the temperature divides the logits", outputs[1], wanted)
    yield _near("training leaves the temperature out", losses[1], losses[0])


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


def _without(state: State, names: list[str]) -> State:
    return {name: value for name, value in state.items() if name not in names}


def _only(state: State, names: list[str]) -> State:
    return {name: state[name] for name in names}


def same(name: str, found: State, wanted: State) -> Check:
    """Bit for bit."""
    different = [n for n in wanted if n not in found or not np.array_equal(found[n], wanted[n])]
    return Check(name, not different, ", ".join(different) or f"{len(wanted)} variables")


def _near(name: str, found: object, wanted: object) -> Check:
    error = float(np.abs(np.asarray(found) - np.asarray(wanted)).max())
    return Check(name, error <= _CLOSE, f"off by {error:.1e}")
