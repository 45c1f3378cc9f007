"""Derivatives of the loss by differences: in LiteRT, and in float64."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Protocol

import numpy as np

from ...contract.names import LEARNING_RATE, LOSS
from ...errors import GradientError
from ...graph import Graph, Model, Tensor, copy_graph
from ...ops import evaluate, variable_name
from .comparison import TOLERANCE
from .session import Batch, Session, Variables

__all__ = ["Derivatives", "derivatives_at"]

_NOISE_FACTOR = 8  # a difference must exceed the rounding error of the loss by this factor
_STEP = 1e-6  # in float64: few units of a network cross a kink


class Derivatives(Protocol):
    """Derivatives of the loss at a point."""

    @property
    def is_exact(self) -> bool:
        """Whether they are accurate to many digits, and cross few kinks."""
        ...

    @property
    def tolerance(self) -> float:
        """Largest error of a correct gradient, relative to its largest entry."""
        ...

    def derivative(self, direction: Variables) -> float:
        """Return the derivative of the loss along a direction."""
        ...

    def error(self, direction: Variables, expected: float, tolerance: float) -> float:
        """Return the error of an expected derivative; the tolerance is the largest one allowed."""
        ...


def derivatives_at(
    session: Session, model: Model, variables: Variables, batch: Batch
) -> Derivatives:
    """Return the derivatives of the training loss by variables.

    They come from float64 if NumPy can compute the loss, that is, if it has a reference of each op
    and computes the loss that LiteRT does. Otherwise they come from LiteRT.

    Args:
        session: the file in LiteRT.
        model: the same file as graphs.
        variables: the point.
        batch: inputs of `evaluate`.
    """
    loss = session.training_loss(variables, batch)
    try:
        exact = _Float64Derivatives(_loss_graph(session, model), variables, batch)
    except GradientError:
        return _LiteRTDerivatives(session, variables, batch)
    if abs(exact.loss - loss) <= TOLERANCE * max(1.0, abs(loss)):
        return exact
    return _LiteRTDerivatives(session, variables, batch)


# --- float64 -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _LossGraph:
    """The ops of the loss, with an input for each variable.

    Attributes:
        graph: the ops.
        inputs: name → input of the signature.
        variables: name → the values that are read from a variable.
        loss: the loss.
    """

    graph: Graph
    inputs: Mapping[str, Tensor]
    variables: Mapping[str, tuple[Tensor, ...]]
    loss: Tensor


def _loss_graph(session: Session, model: Model) -> _LossGraph:
    """Return the ops of the loss that `session.training_loss` computes."""
    signature = model.signature("train" if session.random_state() else "evaluate")
    assert signature is not None
    graph, copies = copy_graph(signature.graph)
    variables: dict[str, tuple[Tensor, ...]] = {}
    for op in [op for op in graph.ops if op.code == "READ_VARIABLE"]:
        name, value = variable_name(op), op.output
        variables[name] = (*variables.get(name, ()), value)
        graph.remove([op])
        graph.inputs.append(value)
    loss = copies[signature.outputs[LOSS]]
    graph.outputs = [loss]
    graph.remove([op for op in graph.ops if not op.outputs])
    graph.prune()
    inputs = {name: copies[tensor] for name, tensor in signature.inputs.items()}
    return _LossGraph(graph, inputs, variables, loss)


class _Float64Derivatives:
    """Derivatives of the loss in float64, from the NumPy reference of each op.

    Attributes:
        is_exact, tolerance: see `Derivatives`; the gradient of `train` is float32.
        loss: the loss at the point.
    """

    is_exact = True
    tolerance = 2e-3

    def __init__(self, graph: _LossGraph, variables: Variables, batch: Batch) -> None:
        self._graph = graph
        self._variables = variables
        values = {**batch, LEARNING_RATE: np.zeros(1)}
        feeds = {tensor: values[name] for name, tensor in graph.inputs.items()}
        for name, tensors in graph.variables.items():
            feeds.update(dict.fromkeys(tensors, variables[name]))
        self._values = evaluate(graph.graph, feeds)
        self.loss = float(self._values[graph.loss].sum())

    def derivative(self, direction: Variables) -> float:
        """See `Derivatives`."""
        return (self._moved(direction, _STEP) - self._moved(direction, -_STEP)) / (2 * _STEP)

    def error(self, direction: Variables, expected: float, tolerance: float) -> float:
        """See `Derivatives`."""
        return abs(self.derivative(direction) - expected)

    def _moved(self, direction: Variables, step: float) -> float:
        """Return the loss after a step, from the values at the point that do not change."""
        moved = {
            tensor: self._variables[name] + step * value
            for name, value in direction.items()
            for tensor in self._graph.variables.get(name, ())
        }
        changed = set(moved)
        for op in self._graph.graph.ops:
            if changed.intersection(op.inputs):
                changed.update(op.outputs)
        same = {tensor: each for tensor, each in self._values.items() if tensor not in changed}
        return float(evaluate(self._graph.graph, {**same, **moved})[self._graph.loss].sum())


# --- LiteRT --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _LiteRTDerivatives:
    """Derivatives of the loss in LiteRT: `restore` moves the variables."""

    session: Session
    variables: Variables
    batch: Batch
    is_exact: bool = False
    tolerance: float = 0.01  # float32 differences are accurate to 1e-3

    def derivative(self, direction: Variables) -> float:
        """Return the derivative of the loss along a direction, by central differences.

        The step is the one at which halving it twice changes the result least, rounding errors
        included; after one halving, large steps can agree by chance. Richardson extrapolation then
        removes the second-order error.
        """
        noise = 0.0

        def difference(step: float) -> float:
            nonlocal noise
            losses = [self._loss(direction, sign * step) for sign in (1, -1)]
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

    def error(self, direction: Variables, expected: float, tolerance: float) -> float:
        """Return the error of an expected derivative.

        If it exceeds the tolerance, the loss may have a kink near the point, such as that of a
        ReLU. Then the smallest error over short one-sided and central differences is returned.
        """
        error = abs(self.derivative(direction) - expected)
        if error <= tolerance:
            return error
        nearby = self._one_sided_derivatives(direction, tolerance)
        return min([error, *(abs(derivative - expected) for derivative in nearby)])

    def _one_sided_derivatives(self, direction: Variables, tolerance: float) -> Iterator[float]:
        """Yield forward, backward and central differences with decreasing steps.

        The steps end where rounding errors exceed the tolerance.
        """
        for step in [0.01 / 2**i for i in range(8)]:
            ahead, behind = self._loss(direction, step), self._loss(direction, -step)
            noise = float(np.finfo(np.float32).eps) * max(abs(ahead), abs(behind))
            if _NOISE_FACTOR * noise > tolerance * step:
                return
            yield (ahead - self._loss_here) / step
            yield (self._loss_here - behind) / step
            yield (ahead - behind) / (2 * step)

    @cached_property
    def _loss_here(self) -> float:
        return self.session.training_loss(self.variables, self.batch)

    def _loss(self, direction: Variables, step: float) -> float:
        """Return the loss after a step along a direction."""
        moved = {
            name: (self.variables[name] + step * value).astype(np.float32)
            for name, value in direction.items()
        }
        return self.session.training_loss({**self.variables, **moved}, self.batch)
