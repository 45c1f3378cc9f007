"""The multilayer perceptron, for classes that no linear layer separates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import ConversionError
from ..graph import Tensor
from ..losses import Loss, SoftmaxCrossEntropy, check_loss
from ..ops import add, linear, logistic, mul
from ._dropout import DropoutMasks, check_rate
from ._features import flat_size, flatten_features
from ._imprint import imprint_for_task
from ._normalization import normalization_parameters, normalized_linear
from .head import Parameter
from .linear import LinearLayer

__all__ = ["MLP"]


@dataclass(frozen=True)
class MLP(LinearLayer):
    """Hidden layers `h ← swish(h · Wᵢᵀ + bᵢ)` and a linear output layer, with any loss.

    `swish(z) = z · sigmoid(z)` (Ramachandran et al., 2017) is smooth: no unit dies in a few steps,
    and `sartor verify` can compare every gradient with differences of the loss.

    Hidden weights start uniform in ±√(6 / inputs) (He et al., 2015) with a fixed seed: equal
    conversions give equal files. The output layer starts at zero. No hidden unit belongs to a
    class: `set_class` imprints and clears classes in the output layer only.

    `SoftmaxClassifier` is more accurate on features of a base that suits the images. On features
    of a weak base, `dropout=0.5` gains up to a point from 20 samples per class on. Without
    dropout, an MLP is behind everywhere. See `docs/heads.md`.

    Attributes:
        hidden: number of units of each hidden layer.
        loss: `SoftmaxCrossEntropy`, `SigmoidCrossEntropy`, `MeanSquaredError` or `Huber`.
        dropout: fraction of the hidden units that each training step drops, 0 ≤ dropout < 1
            (Srivastava et al., 2014). The masks follow from the variable `random_state`, which
            `save` includes, so that a resumed training continues identically in any runtime.
    """

    hidden: tuple[int, ...] = (64,)
    loss: Loss = field(default_factory=SoftmaxCrossEntropy)
    dropout: float = 0.0

    name = "mlp"
    feature_norm = None  # hidden layers add curvature: the runtime searches the learning rate

    def __post_init__(self) -> None:
        units = tuple(self.hidden) if isinstance(self.hidden, Sequence) else ()
        if not units or not all(isinstance(n, int) and n > 0 for n in units):
            raise ConversionError(
                f"MLP: hidden must be positive sizes, for example (64,); got {self.hidden!r}"
            )
        check_loss(self.loss, "MLP: loss")
        check_rate(self.dropout, "MLP: dropout")
        object.__setattr__(self, "hidden", units)

    @property
    def uses_dropout(self) -> bool:
        """Whether training drops units."""
        return self.dropout > 0

    def settings(self) -> Mapping[str, Any]:
        """Return the options for the manifest; the loss has an entry of its own."""
        return {**super().settings(), "hidden": list(self.hidden)}

    def identity(self) -> Mapping[str, Any]:
        """Return the input scaling, the layers and the task."""
        return {**super().identity(), "hidden": list(self.hidden), "task": self.loss.task}

    def parameters(self, features: Sequence[tuple[int, ...]], capacity: int) -> list[Parameter]:
        """Return `hidden_1`, `hidden_1_bias`, …, the output layer, `gain` and the statistics."""
        parameters, size = [], flat_size(features)
        for index, units in enumerate(self.hidden, 1):
            parameters.append(Parameter(f"hidden_{index}", _he_uniform(index, units, size)))
            parameters.append(Parameter(f"hidden_{index}_bias", np.zeros(units, np.float32)))
            size = units
        parameters += self._layer_parameters(size, capacity)
        if self.loss.task == "classification":
            parameters.append(Parameter("gain", np.zeros(1, np.float32), trainable=False))
        return [*parameters, *normalization_parameters(features)]

    def logits(self, features: Sequence[Tensor], parameters: Mapping[str, Tensor]) -> Tensor:
        """Emit the logits, with all hidden units."""
        return _output(self._hidden_units(features, parameters, None), parameters)

    def training_logits(
        self,
        features: Sequence[Tensor],
        parameters: Mapping[str, Tensor],
        masks: DropoutMasks,
    ) -> Tensor:
        """Emit the logits, with dropout in each hidden layer."""
        return _output(self._hidden_units(features, parameters, masks), parameters)

    def imprint(
        self,
        features: Sequence[Tensor],
        sample_weights: Tensor,
        parameters: Mapping[str, Tensor],
        other_classes: Tensor,
    ) -> dict[str, Tensor]:
        """Emit the output layer's parameters of a class, from the hidden units of its samples."""
        rows = self._layer_inputs(features, parameters)
        return imprint_for_task(self.loss.task, rows, sample_weights, parameters, other_classes)

    def _layer_inputs(self, features: Sequence[Tensor], parameters: Mapping[str, Tensor]) -> Tensor:
        """Emit the input of the output layer: the last hidden units."""
        return self._hidden_units(features, parameters, None)

    def _hidden_units(
        self,
        features: Sequence[Tensor],
        parameters: Mapping[str, Tensor],
        masks: DropoutMasks | None,
    ) -> Tensor:
        """Emit the last hidden units, with dropout if there are masks."""
        rows = flatten_features(features)
        for index in range(1, len(self.hidden) + 1):
            weights, bias = parameters[f"hidden_{index}"], parameters[f"hidden_{index}_bias"]
            if index == 1:
                products = normalized_linear(rows, weights, parameters)
            else:
                products = linear(rows, weights)
            rows = _swish(add(products, bias))
            if masks is not None:
                rows = masks.drop(rows, self.dropout)
        return rows


def _output(rows: Tensor, parameters: Mapping[str, Tensor]) -> Tensor:
    """Emit the output layer, from the last hidden units."""
    return add(linear(rows, parameters["weights"]), parameters["bias"])


def _swish(x: Tensor) -> Tensor:
    return mul(x, logistic(x))


def _he_uniform(seed: int, units: int, size: int) -> np.ndarray:
    """Return weights [units, size] in ±√(6 / size)."""
    values = np.random.default_rng(seed).uniform(-1, 1, (units, size))
    return np.asarray(values * np.sqrt(6 / size), np.float32)
