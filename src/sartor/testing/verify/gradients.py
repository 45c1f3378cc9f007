"""Compare the gradients of `train` with differences of the loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ...contract.specs import FirstStep
from .report import Check
from .session import Batch, Session, Variables

__all__ = ["check_gradients"]

_LEARNING_RATE = 0.5
_SMALL_LEARNING_RATE = 1e-3
_ENTRIES = 4  # of each parameter: the largest derivatives, and as many at random
_NOISE_FACTOR = 8  # a difference must exceed the rounding error of the loss by this factor
_ROUNDING = 1e-6  # of the largest derivative of all parameters
_TOLERANCE = 0.01  # relative to the largest derivative; float32 differences are accurate to 1e-3


def check_gradients(session: Session, rng: np.random.Generator) -> Iterator[Check]:
    """Compare the gradient of one training step with numeric derivatives.

    The numeric derivatives move weights with `restore` and difference the loss. For an optimizer
    whose first step does not determine the gradient, only the signs of the largest entries are
    compared.
    """
    point = _Point(session, session.random_variables(rng), session.random_batch(rng))
    first = session.manifest.optimizer.step.first
    if first is None:
        after = session.train(point.variables, point.batch, _SMALL_LEARNING_RATE)
        for name in session.parameters():
            yield _check_signs(point, name, after[name] - point.variables[name])
        return
    after = session.train(point.variables, point.batch, _LEARNING_RATE)
    names = session.parameters()
    gradients = {name: _first_gradient(point, first, name, after) for name in names}
    gradients = _undo_clipping(point, gradients)
    largest = max((float(np.abs(gradient).max()) for gradient in gradients.values()), default=0.0)
    for name in names:
        yield _check_parameter(point, name, gradients[name], _ROUNDING * largest, rng)


@dataclass(frozen=True)
class _Point:
    """Variables and a batch: the point at which derivatives are computed."""

    session: Session
    variables: Variables
    batch: Batch

    def loss(self, direction: Variables, step: float) -> float:
        """Return the loss after a step along a direction."""
        moved = {
            name: (self.variables[name] + step * value).astype(np.float32)
            for name, value in direction.items()
        }
        return self.session.training_loss({**self.variables, **moved}, self.batch)

    def derivative(self, direction: Variables) -> float:
        """Return the derivative of the loss along a direction, by central differences.

        The step is the one at which halving it twice changes the result least, rounding errors
        included; after one halving, large steps can agree by chance. Richardson extrapolation then
        removes the second-order error.
        """
        noise = 0.0

        def difference(step: float) -> float:
            nonlocal noise
            losses = [self.loss(direction, sign * step) for sign in (1, -1)]
            noise = float(np.finfo(np.float32).eps) * max(map(abs, losses))
            return (losses[0] - losses[1]) / (2 * step)

        steps = [0.8 / 2**i for i in range(8)]
        estimates = [difference(step) for step in steps]
        changes = [
            abs(fine - coarse) + noise / step
            for (coarse, fine), step in zip(pairwise(estimates), steps[1:], strict=True)
        ]
        best = 1 + int(np.argmin([max(pair) for pair in pairwise(changes)]))
        return (4 * estimates[best + 1] - estimates[best]) / 3

    def one_sided_derivatives(self, direction: Variables, tolerance: float) -> Iterator[float]:
        """Yield forward, backward and central differences with decreasing steps.

        The steps end where rounding errors exceed the tolerance.
        """
        here = self.session.training_loss(self.variables, self.batch)
        for step in [0.01 / 2**i for i in range(8)]:
            ahead, behind = self.loss(direction, step), self.loss(direction, -step)
            noise = float(np.finfo(np.float32).eps) * max(abs(ahead), abs(behind))
            if _NOISE_FACTOR * noise > tolerance * step:
                return
            yield (ahead - here) / step
            yield (here - behind) / step
            yield (ahead - behind) / (2 * step)


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
    directions = [np.eye(1, flat.size, entry).reshape(gradient.shape) for entry in entries]
    # A random sign for each entry, so that no entry is left out.
    directions.append(rng.choice([-1.0, 1.0], gradient.shape) / np.sqrt(gradient.size))
    scale = float(np.abs(flat).max())
    tolerance = _TOLERANCE * scale + rounding
    error = max(
        _derivative_error(point, {name: each}, float((each * gradient).sum()), tolerance)
        for each in directions
    )
    passed = error <= tolerance and (scale > 0 or point.session.has_constant_loss)
    detail = f"{entries.size} entries and one direction: error {error:.1e}, largest entry "
    return Check(f"gradient of {name}", passed, f"{detail}{scale:.1e}")


def _check_signs(point: _Point, name: str, step: np.ndarray) -> Check:
    """Check that the weights that moved furthest moved against their derivative."""
    moved = step.reshape(-1).astype(np.float64)
    furthest = np.argsort(-np.abs(moved))[:_ENTRIES]
    directions = [np.eye(1, moved.size, entry).reshape(step.shape) for entry in furthest]
    derivatives = np.array([point.derivative({name: each}) for each in directions])
    large = np.abs(derivatives) > _TOLERANCE * np.abs(derivatives).max()
    descends = np.sign(moved[furthest]) == -np.sign(derivatives)
    trains = bool(np.abs(derivatives).max() > 0 and moved.any())
    passed = (trains or point.session.has_constant_loss) and bool(descends[large].all())
    detail = f"{descends[large].sum()} of {large.sum()} weights move against their derivative"
    return Check(f"sign of the gradient of {name}", passed, detail)


def _derivative_error(
    point: _Point, direction: Variables, expected: float, tolerance: float
) -> float:
    """Return the error of an expected derivative along a direction.

    If the error exceeds the tolerance, the loss may have a kink near the point, such as that of a
    ReLU. Then the smallest error over short one-sided and central differences is returned.
    """
    error = abs(point.derivative(direction) - expected)
    if error <= tolerance:
        return error
    nearby = point.one_sided_derivatives(direction, tolerance)
    return min([error, *(abs(derivative - expected) for derivative in nearby)])


def _undo_clipping(point: _Point, gradients: Variables) -> Variables:
    """Rescale gradients that were clipped by their global norm.

    The derivative along the normalized gradient is its norm before clipping.
    """
    limit = point.session.manifest.optimizer.clip_norm
    norm = float(np.sqrt(sum(np.square(gradient).sum() for gradient in gradients.values())))
    if not limit or norm < 0.999 * limit:
        return gradients
    true_norm = point.derivative({name: value / norm for name, value in gradients.items()})
    return {name: value * (true_norm / norm) for name, value in gradients.items()}


def _first_gradient(point: _Point, first: FirstStep, name: str, after: Variables) -> np.ndarray:
    """Return the gradient of a parameter from the first step (see `FirstStep`)."""
    before = point.variables[name].astype(np.float64)
    step = before - after[name]
    if first.state is None:
        return step / (_LEARNING_RATE * first.factor)
    value = after[f"optimizer/{first.state}/{name}"].astype(np.float64) / first.factor
    return value if first.power == 1 else np.sqrt(value) * np.sign(step)
