"""Gradients from outside: what one training step did, against differences of `evaluate`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np

from .report import Check
from .session import Batch, Session, State

__all__ = ["check_slopes"]

_RATE = 0.5
_SMALL_RATE = 1e-3
_ENTRIES = 4  # of each parameter: as many of the steepest, and as many at random
_ROUNDINGS = 8  # of a loss, that a short step must stand out from
_TOLERANCE = 0.01  # of the steepest slope: float32 differences see about 1e-3


def check_slopes(session: Session, rng: np.random.Generator) -> Iterator[Check]:
    """Move one weight at a time by `restore`, difference the loss, compare with `train`.

    An optimizer whose first step does not show the gradient is held to its direction: where the
    loss is steepest, each weight goes downhill.
    """
    state, batch = session.some_state(rng), session.some_batch(rng)
    reveal = _REVEALED_BY.get(session.manifest.optimizer.name)
    if reveal is None:
        after = session.train(state, batch, _SMALL_RATE)
        for name in session.parameters():
            yield _check_direction(session, state, batch, name, after[name] - state[name])
        return
    slopes = reveal(session, state, session.train(state, batch, _RATE))
    slopes = _unclipped(session, state, batch, slopes)
    for name in session.parameters():
        yield _check_parameter(session, state, batch, name, slopes[name], rng)


def _check_parameter(
    session: Session,
    state: State,
    batch: Batch,
    name: str,
    slope: np.ndarray,
    rng: np.random.Generator,
) -> Check:
    flat = slope.reshape(-1)
    steepest = np.argsort(-np.abs(flat))[:_ENTRIES]
    chosen = np.unique(np.concatenate([steepest, rng.integers(0, flat.size, _ENTRIES)]))
    directions = [np.eye(1, flat.size, entry).reshape(slope.shape) for entry in chosen]
    # All entries at once: a random sign for each, so that none can hide.
    directions.append(rng.choice([-1.0, 1.0], slope.shape) / np.sqrt(slope.size))
    scale = float(np.abs(flat).max())
    allowed = _TOLERANCE * scale
    worst = max(
        _slope_error(session, state, batch, {name: each}, float((each * slope).sum()), allowed)
        for each in directions
    )
    passed = worst <= allowed and (scale > 0 or session.nothing_to_learn)
    detail = f"{chosen.size} entries and one direction: off by {worst:.1e} where the steepest is "
    return Check(f"gradient of {name}", passed, f"{detail}{scale:.1e}")


def _check_direction(
    session: Session, state: State, batch: Batch, name: str, step: np.ndarray
) -> Check:
    moved = step.reshape(-1).astype(np.float64)
    furthest = np.argsort(-np.abs(moved))[:_ENTRIES]
    slopes = []
    for entry in furthest:
        direction = np.zeros(moved.size)
        direction[entry] = 1
        slopes.append(_slope_along(session, state, batch, {name: direction.reshape(step.shape)}))
    steep = np.abs(slopes) > _TOLERANCE * np.abs(slopes).max()
    downhill = np.sign(moved[furthest]) == -np.sign(slopes)
    learns = bool(np.abs(slopes).max() > 0 and moved.any()) or session.nothing_to_learn
    passed = learns and bool(downhill[steep].all())
    detail = f"of {steep.sum()} weights that move furthest {downhill[steep].sum()} go downhill"
    return Check(f"gradient of {name}, by direction", passed, detail)


def _slope_error(
    session: Session,
    state: State,
    batch: Batch,
    direction: State,
    claimed: float,
    allowed: float,
) -> float:
    """How far a slope is from the loss's derivative along a direction.

    Where that is too far, there may be a kink beside the state, as a ReLU has: then the slope is
    held to differences over steps so short that few kinks are crossed, to one side and to both.
    """
    error = abs(_slope_along(session, state, batch, direction) - claimed)
    if error <= allowed:
        return error
    nearby = _slopes_nearby(session, state, batch, direction, allowed)
    return min([error, *(abs(slope - claimed) for slope in nearby)])


def _slopes_nearby(
    session: Session, state: State, batch: Batch, direction: State, allowed: float
) -> Iterator[float]:
    """The derivative over ever shorter steps, while rounding counts for little."""
    here = session.training_loss(state, batch)
    for step in [0.01 / 2**i for i in range(8)]:
        ahead, behind = (
            session.training_loss(_moved(state, direction, sign * step), batch) for sign in (1, -1)
        )
        noise = float(np.finfo(np.float32).eps) * max(abs(ahead), abs(behind))
        if _ROUNDINGS * noise > allowed * step:
            return
        yield from ((ahead - here) / step, (here - behind) / step, (ahead - behind) / (2 * step))


def _moved(state: State, direction: State, step: float) -> State:
    moved = {n: (state[n] + step * d).astype(np.float32) for n, d in direction.items()}
    return {**state, **moved}


def _slope_along(session: Session, state: State, batch: Batch, direction: State) -> float:
    """The derivative of the loss along a direction, by central differences.

    The step is chosen where halving it changes least, and rounding counts for little;
    Richardson's extrapolation then removes the error of second order.
    """
    noise = 0.0

    def slope(step: float) -> float:
        nonlocal noise
        ends = [
            session.training_loss(_moved(state, direction, sign * step), batch) for sign in (1, -1)
        ]
        noise = float(np.finfo(np.float32).eps) * max(map(abs, ends))
        return (ends[0] - ends[1]) / (2 * step)

    steps = [0.8 / 2**i for i in range(8)]
    found = [slope(step) for step in steps]
    changes = [
        abs(fine - coarse) + noise / step
        for (coarse, fine), step in zip(pairwise(found), steps[1:], strict=True)
    ]
    best = int(np.argmin(changes))
    return (4 * found[best + 1] - found[best]) / 3


def _unclipped(session: Session, state: State, batch: Batch, slopes: State) -> State:
    """Undo clipping by the global norm: along the step itself the slope is the true norm."""
    limit = session.manifest.optimizer.settings.get("clip_norm")
    norm = float(np.sqrt(sum(np.square(slope).sum() for slope in slopes.values())))
    if not limit or norm < 0.999 * limit:
        return slopes
    true_norm = _slope_along(session, state, batch, {n: s / norm for n, s in slopes.items()})
    return {name: slope * (true_norm / norm) for name, slope in slopes.items()}


def _from_sgd(session: Session, before: State, after: State) -> State:
    """The first step of SGD: `Δ = lr · (g + λw)`, with Nesterov `(1 + momentum)` times that."""
    settings = session.manifest.optimizer.settings
    factor = 1 + settings["momentum"] if settings["nesterov"] else 1.0
    slopes = {}
    for name in session.parameters():
        step = before[name].astype(np.float64) - after[name]
        slopes[name] = step / (_RATE * factor) - settings["weight_decay"] * before[name]
    return slopes


def _from_adam(session: Session, before: State, after: State) -> State:
    """The first step of Adam leaves `m = (1 − β₁) · g`."""
    decay = session.manifest.optimizer.settings["beta_1"]
    names = session.parameters()
    return {name: after[f"optimizer/m/{name}"].astype(np.float64) / (1 - decay) for name in names}


def _from_rmsprop(session: Session, before: State, after: State) -> State:
    """The first step of RMSprop leaves `s = (1 − ρ) · g²`; the weights went against `g`."""
    decay = session.manifest.optimizer.settings["decay"]
    slopes = {}
    for name in session.parameters():
        squares = after[f"optimizer/square/{name}"].astype(np.float64) / (1 - decay)
        slopes[name] = np.sqrt(squares) * np.sign(before[name] - after[name])
    return slopes


_REVEALED_BY: dict[str, Callable[[Session, State, State], State]] = {
    "sgd": _from_sgd,
    "adam": _from_adam,
    "adamw": _from_adam,
    "rmsprop": _from_rmsprop,
}
"""Optimizer → how its first step shows the gradient."""
