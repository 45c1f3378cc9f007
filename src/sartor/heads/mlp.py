"""The perceptron with hidden layers, for what no single layer can tell apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import ConversionError
from ..graph import Tensor
from ..losses import Loss, SoftmaxCrossEntropy, check_loss
from ..ops import add, linear, logistic, mul, reduce_sum, reshape, square
from ._dropout import Masks, check_rate
from ._imprint import imprint_label, imprint_softmax, imprint_zero
from ._rows import row_size
from ._view import seen_through, view_parameters
from .head import Parameter
from .linear import LinearLayer

__all__ = ["MLP"]


@dataclass(frozen=True)
class MLP(LinearLayer):
    """Hidden layers `h ← swish(h · Wᵢᵀ + bᵢ)` under an output layer, with any loss.

    `swish(z) = z · sigmoid(z)` (Ramachandran et al., 2017) is a ReLU without its kink: no unit dies
    of a few steps, and `sartor verify` can hold every gradient to differences of the loss.

    The hidden weights start uniform in ±√(6 / inputs) (He et al., 2015), of a fixed seed: the same
    conversion gives the same file. The output layer starts at zero. No class owns a hidden unit:
    `set_class` makes and wipes classes in the output layer, from the hidden units of the samples.

    Attributes:
        normalize, scale, l2: see `LinearLayer`; the penalty is on the hidden weights, too.
        hidden: the units of each hidden layer, from the features on.
        loss: what it is for: `SoftmaxCrossEntropy`, `SigmoidCrossEntropy`, `MeanSquaredError` or
            `Huber`.
        dropout: the part of the hidden units that each training step leaves out, 0 ≤ it < 1
            (Srivastava et al., 2014). Answers are given by all of them, scaled to the same mean.
            What is left out follows from the variable `random`, which `save` takes along: a
            training that was stopped goes on as if it had not been, in any runtime. On photos of
            ten kinds of clothing (5 and 20 a class, two bases, 20 draws each) 0.5 gains 0.5 to 0.9
            points where features are normalized to length 4, and nothing to rely on where they are
            raw (−0.6 to +0.5): so it is 0 unless told. `SoftmaxClassifier` is as good or better
            there.
    """

    hidden: tuple[int, ...] = (64,)
    loss: Loss = field(default_factory=SoftmaxCrossEntropy)
    dropout: float = 0.0

    name = "mlp"

    def __post_init__(self) -> None:
        super().__post_init__()
        units = tuple(self.hidden) if isinstance(self.hidden, Sequence) else ()
        if not units or not all(isinstance(n, int) and n > 0 for n in units):
            raise ConversionError(f"MLP: hidden must be sizes, as (64,); got {self.hidden!r}")
        check_loss(self.loss, "MLP: loss")
        check_rate(self.dropout, "MLP: dropout")
        object.__setattr__(self, "hidden", units)

    @property
    def is_random(self) -> bool:
        """Whether units are dropped in training."""
        return self.dropout > 0

    def settings(self) -> Mapping[str, Any]:
        """What goes into the manifest; the loss stands there by itself."""
        settings = {name: value for name, value in super().settings().items() if name != "loss"}
        return {**settings, "hidden": list(self.hidden)}

    def identity(self) -> Mapping[str, Any]:
        """How features come in, the layers, and what the outputs are."""
        return {**super().identity(), "hidden": list(self.hidden), "task": self.loss.task}

    def parameters(self, features: Sequence[tuple[int, ...]], capacity: int) -> list[Parameter]:
        """`hidden_1`, `hidden_1_bias`, …; `weights`, `bias`, a classifier's `gain`; the view."""
        made, size = [], row_size(features)
        for index, units in enumerate(self.hidden, 1):
            made.append(Parameter(f"hidden_{index}", _he_uniform(index, units, size)))
            made.append(Parameter(f"hidden_{index}_bias", np.zeros(units, np.float32)))
            size = units
        made += self._layer(size, capacity)
        if self.loss.task == "classification":
            made.append(Parameter("gain", np.zeros(1, np.float32), trained=False))
        return [*made, *view_parameters(features)]

    def logits(self, features: Sequence[Tensor], parameters: Mapping[str, Tensor]) -> Tensor:
        """`x · Wᵀ + b` of the hidden units."""
        return _output(self._hidden(features, parameters, None), parameters)

    def training_logits(
        self, features: Sequence[Tensor], parameters: Mapping[str, Tensor], masks: Masks
    ) -> Tensor:
        """`x · Wᵀ + b` of the hidden units that are left."""
        return _output(self._hidden(features, parameters, masks), parameters)

    def imprint(
        self,
        features: Sequence[Tensor],
        weights: Tensor,
        parameters: Mapping[str, Tensor],
        others: Tensor,
    ) -> dict[str, Tensor]:
        """Make the class of the samples' hidden units, as a layer alone would of features."""
        rows = self._rows(features, parameters)
        if self.loss.task == "classification":
            return imprint_softmax(rows, weights, parameters, others)
        imprint = imprint_label if self.loss.task == "multi_label" else imprint_zero
        return imprint(rows, weights)

    def _squares(self, parameters: Mapping[str, Tensor]) -> Tensor:
        """`Σ ‖Wᵢ‖²` over all layers, as [1]."""
        total = super()._squares(parameters)
        for index in range(1, len(self.hidden) + 1):
            squares = reduce_sum(square(parameters[f"hidden_{index}"]), [0, 1])
            total = add(total, reshape(squares, (1,)))
        return total

    def _rows(self, features: Sequence[Tensor], parameters: Mapping[str, Tensor]) -> Tensor:
        """What the output layer takes: the last hidden units."""
        return self._hidden(features, parameters, None)

    def _hidden(
        self, features: Sequence[Tensor], parameters: Mapping[str, Tensor], masks: Masks | None
    ) -> Tensor:
        """The last hidden units; with masks, of a training step."""
        rows = self._given(features)
        for index in range(1, len(self.hidden) + 1):
            weights, bias = parameters[f"hidden_{index}"], parameters[f"hidden_{index}_bias"]
            first = index == 1
            products = seen_through(rows, weights, parameters) if first else linear(rows, weights)
            rows = _swish(add(products, bias))
            if masks is not None:
                rows = masks.drop(rows, self.dropout)
        return rows


def _output(rows: Tensor, parameters: Mapping[str, Tensor]) -> Tensor:
    """The output layer, on the last hidden units."""
    return add(linear(rows, parameters["weights"]), parameters["bias"])


def _swish(x: Tensor) -> Tensor:
    return mul(x, logistic(x))


def _he_uniform(seed: int, units: int, size: int) -> np.ndarray:
    """Weights [units, size] in ±√(6 / size)."""
    values = np.random.default_rng(seed).uniform(-1, 1, (units, size))
    return np.asarray(values * np.sqrt(6 / size), np.float32)
