"""Compare the gradients of `train` with differences of the loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...contract.specs import FirstStep
from ...graph import Model
from .derivatives import Derivatives, derivatives_at
from .report import Check
from .session import Batch, Session, Variables

__all__ = ["check_gradients"]

_LEARNING_RATE = 64.0  # a long step: rounding the weights adds little to the difference
_SMALL_LEARNING_RATE = 1e-3
_ENTRIES = 4  # of each parameter: the largest derivatives, and as many at random
_ROUNDING = 1e-6  # of the largest derivative of all parameters
_LARGE = 0.01  # of the largest derivative: below it, a sign may be a rounding error


def check_gradients(session: Session, model: Model, rng: np.random.Generator) -> Iterator[Check]:
    """Compare the gradient of one training step with numeric derivatives.

    The numeric derivatives are differences of the loss. If the first step of the optimizer does not
    determine the gradient, the check compares only the signs of the largest entries.
    """
    variables, batch = session.random_variables(rng), session.random_batch(rng)
    point = _Point(session, variables, batch, derivatives_at(session, model, variables, batch))
    first = session.manifest.optimizer.step.first
    if first is None:
        after = session.train(point.variables, point.batch, _SMALL_LEARNING_RATE)
        for name in session.parameters():
            yield _check_signs(point, name, after[name] - point.variables[name])
        return
    after = session.train(point.variables, point.batch, _LEARNING_RATE)
    names = session.parameters()
    rates = {spec.name: spec.rate or 1.0 for spec in session.manifest.variables}
    gradients = {name: _first_gradient(point, first, name, after, rates[name]) for name in names}
    gradients = _undo_clipping(point, gradients)
    largest = max((float(np.abs(gradient).max()) for gradient in gradients.values()), default=0.0)
    for name in names:
        yield _check_parameter(point, name, gradients[name], _ROUNDING * largest, rng)


@dataclass(frozen=True)
class _Point:
    """The point at which derivatives are computed.

    Attributes:
        session: the file.
        variables, batch: the point.
        loss: derivatives of the loss there.
    """

    session: Session
    variables: Variables
    batch: Batch
    loss: Derivatives


def _check_parameter(
    point: _Point, name: str, gradient: np.ndarray, rounding: float, rng: np.random.Generator
) -> Check:
    """Compare single entries of a gradient, and its projection on a random direction.

    The derivative of a parameter that has no effect, such as a bias before a softmax, is a rounding
    error.
    """
    flat = gradient.reshape(-1)
    largest = np.argsort(-np.abs(flat))[:_ENTRIES]
    entries = np.unique(np.concatenate([largest, rng.integers(0, flat.size, _ENTRIES)]))
    directions = _through(entries, flat, together=point.loss.is_exact)
    # A random sign for each entry, so that no entry is left out.
    directions.append(rng.choice([-1.0, 1.0], flat.size) / np.sqrt(flat.size))
    scale = float(np.abs(flat).max())
    tolerance = point.loss.tolerance * scale + rounding
    error = max(
        point.loss.error({name: each.reshape(gradient.shape)}, float(each @ flat), tolerance)
        for each in directions
    )
    passed = error <= tolerance and (scale > 0 or point.session.has_constant_loss)
    detail = f"{entries.size} entries and one direction: error {error:.1e}, largest entry "
    return Check(f"gradient of {name}", passed, f"{detail}{scale:.1e}")


def _through(entries: np.ndarray, gradient: np.ndarray, *, together: bool) -> list[np.ndarray]:
    """Return a direction for each entry, or one uphill through all of them.

    One direction saves time, but it crosses more kinks. Wrong factors add up along it.
    """
    units = [np.eye(1, gradient.size, entry)[0] for entry in entries]
    if not together:
        return units
    signs = np.where(gradient[entries] < 0, -1.0, 1.0)
    return [np.sum([s * unit for s, unit in zip(signs, units, strict=True)], 0) / len(units) ** 0.5]


def _check_signs(point: _Point, name: str, step: np.ndarray) -> Check:
    """Check that the weights that moved furthest moved against their derivative."""
    moved = step.reshape(-1).astype(np.float64)
    furthest = np.argsort(-np.abs(moved))[:_ENTRIES]
    directions = [np.eye(1, moved.size, entry).reshape(step.shape) for entry in furthest]
    derivatives = np.array([point.loss.derivative({name: each}) for each in directions])
    large = np.abs(derivatives) > _LARGE * np.abs(derivatives).max()
    descends = np.sign(moved[furthest]) == -np.sign(derivatives)
    trains = bool(np.abs(derivatives).max() > 0 and moved.any())
    passed = (trains or point.session.has_constant_loss) and bool(descends[large].all())
    detail = f"{descends[large].sum()} of {large.sum()} weights move against their derivative"
    return Check(f"sign of the gradient of {name}", passed, detail)


def _undo_clipping(point: _Point, gradients: Variables) -> Variables:
    """Rescale gradients that were clipped by their global norm.

    The derivative along the normalized gradient is its norm before clipping.
    """
    limit = point.session.manifest.optimizer.clip_norm
    norm = float(np.sqrt(sum(np.square(gradient).sum() for gradient in gradients.values())))
    if not limit or norm < 0.999 * limit:
        return gradients
    true_norm = point.loss.derivative({name: value / norm for name, value in gradients.items()})
    return {name: value * (true_norm / norm) for name, value in gradients.items()}


def _first_gradient(
    point: _Point, first: FirstStep, name: str, after: Variables, rate: float
) -> np.ndarray:
    """Return the gradient of a parameter from the first step (see `FirstStep`)."""
    before = point.variables[name].astype(np.float64)
    step = before - after[name]
    if first.state is None:
        return step / (_LEARNING_RATE * rate * first.factor)
    value = after[f"optimizer/{first.state}/{name}"].astype(np.float64) / first.factor
    return value if first.power == 1 else np.sqrt(value) * np.sign(step)
