"""Custom heads and optimizers for tests of the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sartor.contract.specs import StepSpec
from sartor.graph import Tensor
from sartor.heads import MultiLabelClassifier, Parameter
from sartor.losses import SoftmaxCrossEntropy
from sartor.ops import (
    add,
    concatenation,
    div,
    flatten,
    l2_normalization,
    linear,
    matmul,
    maximum,
    mean,
    mul,
    reduce_sum,
    reshape,
    sqrt,
    square,
    sub,
    tanh,
)

Tensors = Mapping[str, Tensor]


@dataclass(frozen=True)
class Perceptron:
    """A head with a hidden layer that all classes share, and classes along the last axis."""

    units: int = 16

    name = "perceptron"
    flat = True
    feature_norm = None
    loss = SoftmaxCrossEntropy()

    def settings(self) -> Mapping[str, Any]:
        return {"units": self.units}

    def identity(self) -> Mapping[str, Any]:
        return {"units": self.units}

    def parameters(self, features: Sequence[tuple[int, ...]], capacity: int) -> list[Parameter]:
        rng, (shape,) = np.random.default_rng(0), features
        hidden = rng.standard_normal((self.units, *shape)) / np.sqrt(shape[0])
        return [
            Parameter("hidden", hidden.astype(np.float32)),
            Parameter("hidden_bias", np.zeros(self.units, np.float32)),
            Parameter("weights", np.zeros((self.units, capacity), np.float32), class_axis=1),
        ]

    def logits(self, features: Sequence[Tensor], parameters: Tensors) -> Tensor:
        return matmul(self._hidden(features, parameters), parameters["weights"])

    def imprint(
        self,
        features: Sequence[Tensor],
        sample_weights: Tensor,
        parameters: Tensors,
        other_classes: Tensor,
    ) -> dict[str, Tensor]:
        hidden = direction(self._hidden(features, parameters), sample_weights)
        return {"weights": reshape(hidden, (self.units, 1))}

    def _hidden(self, features: Sequence[Tensor], parameters: Tensors) -> Tensor:
        x = linear(features[0], parameters["hidden"])
        return tanh(add(x, parameters["hidden_bias"]))


@dataclass(frozen=True)
class Block:
    """A head that trains the last layers of a base.

    It applies a 1x1 convolution, which starts from the base's weights, to features [H, W, C];
    then it averages and classifies.
    """

    name = "block"
    flat = False
    feature_norm = None
    loss = SoftmaxCrossEntropy(0.1)

    def settings(self) -> Mapping[str, Any]:
        return {}

    def identity(self) -> Mapping[str, Any]:
        return {}

    def parameters(self, features: Sequence[tuple[int, ...]], capacity: int) -> list[Parameter]:
        ((_, _, channels),) = features
        start = np.eye(channels, 5, dtype=np.float32)
        return [
            Parameter("layer", start),
            Parameter("scale", np.ones((1, 1, 1, 5), np.float32)),
            Parameter("weights", np.zeros((capacity, 5), np.float32), class_axis=0),
        ]

    def logits(self, features: Sequence[Tensor], parameters: Tensors) -> Tensor:
        return linear(self._pool(features, parameters), parameters["weights"])

    def imprint(
        self,
        features: Sequence[Tensor],
        sample_weights: Tensor,
        parameters: Tensors,
        other_classes: Tensor,
    ) -> dict[str, Tensor]:
        return {"weights": direction(self._pool(features, parameters), sample_weights)}

    def _pool(self, features: Sequence[Tensor], parameters: Tensors) -> Tensor:
        y = mul(matmul(features[0], parameters["layer"]), parameters["scale"])
        return mean(tanh(y), [1, 2])


@dataclass(frozen=True)
class NearestMean:
    """A head without trainable parameters.

    It stores the mean of each class and the spread of the samples. Only `set_class` changes these
    statistics.
    """

    name = "nearest_mean"
    flat = True
    feature_norm = None
    loss = SoftmaxCrossEntropy()

    def settings(self) -> Mapping[str, Any]:
        return {}

    def identity(self) -> Mapping[str, Any]:
        return {}

    def parameters(self, features: Sequence[tuple[int, ...]], capacity: int) -> list[Parameter]:
        size = sum(int(np.prod(shape)) for shape in features)
        return [
            Parameter("means", np.zeros((capacity, size), np.float32), 0, trainable=False),
            Parameter("spread", np.ones(1, np.float32), trainable=False),
        ]

    def logits(self, features: Sequence[Tensor], parameters: Tensors) -> Tensor:
        means = parameters["means"]
        half = mul(reduce_sum(square(means), [1]), 0.5)
        return div(sub(linear(rows_of(features), means), half), parameters["spread"])

    def imprint(
        self,
        features: Sequence[Tensor],
        sample_weights: Tensor,
        parameters: Tensors,
        other_classes: Tensor,
    ) -> dict[str, Tensor]:
        rows = rows_of(features)
        center = mean_row(rows, sample_weights)
        distances = reduce_sum(square(sub(rows, center)), [1])
        spread = div(total(mul(distances, sample_weights)), maximum(total(sample_weights), 1e-6))
        return {"means": center, "spread": maximum(spread, 1.0)}


@dataclass(frozen=True)
class TwoStates:
    """An optimizer with two states of each parameter and two shared ones, and no weight decay."""

    learning_rate: float | None = None
    weight_decay: float | None = None
    clip_norm: float | None = None
    decay: float = 0.9

    name = "two_states"
    parameter_state = ("square", "velocity")
    shared_state = ("step", "largest")
    step = StepSpec(adaptive=True)

    def settings(self) -> dict[str, Any]:
        return {"decay": self.decay, "clip_norm": self.clip_norm}

    def advance(self, shared_state: Tensors) -> dict[str, Tensor]:
        step = add(shared_state["step"], 1.0)
        return {"step": step, "largest": maximum(shared_state["largest"], step)}

    def update(
        self,
        parameter: Tensor,
        gradient: Tensor,
        parameter_state: Tensors,
        shared_state: Tensors,
        learning_rate: Tensor,
        weight_decay: Tensor | None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        squares = add(
            mul(parameter_state["square"], self.decay), mul(square(gradient), 1 - self.decay)
        )
        pace = div(gradient, add(sqrt(squares), 1e-6))
        velocity = add(mul(parameter_state["velocity"], 0.5), pace)
        new = sub(parameter, mul(velocity, learning_rate))
        return new, {"square": squares, "velocity": velocity}


def rows_of(features: Sequence[Tensor]) -> Tensor:
    flat = [flatten(tensor) for tensor in features]
    return flat[0] if len(flat) == 1 else concatenation(flat, 1)


def mean_row(rows: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted mean of the rows: [1, F]."""
    weighted = mul(rows, reshape(weights, (-1, 1)))
    return div(reduce_sum(weighted, [0], keep_dims=True), maximum(total(weights), 1e-6))


def direction(rows: Tensor, weights: Tensor) -> Tensor:
    """Return the direction of the mean row: [1, F], with norm 1."""
    return l2_normalization(mean_row(rows, weights))


def total(x: Tensor) -> Tensor:
    """Return the sum of a tensor [N] as [1]."""
    return reduce_sum(x, [0], keep_dims=True)


class TakesTwice(MultiLabelClassifier):
    """A head with one op that takes a variable twice, on which XNNPACK would crash."""

    def parameters(self, features: Sequence[tuple[int, ...]], capacity: int) -> list[Parameter]:
        shift = Parameter("shift", np.ones(capacity, np.float32), class_axis=0)
        return [*super().parameters(features, capacity), shift]

    def logits(self, features: Sequence[Tensor], parameters: Tensors) -> Tensor:
        shift = parameters["shift"]
        return add(super().logits(features, parameters), mul(shift, shift))
