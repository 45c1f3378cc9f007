"""Heads from a graph: any ops from features to logits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import ConversionError
from ..graph import Graph, Model, Op, Tensor
from ..losses import Loss, SigmoidCrossEntropy, SoftmaxCrossEntropy, check_loss
from ..ops import find_row, flatten
from ._dropout import DropoutMasks
from ._emit_graph import dropout_markers
from ._features import flat_size, flatten_features
from ._imprint import imprint_for_task
from ._layer_graph import LayerGraph
from ._prepare_graph import last_dense_layer, prepare_graph
from ._trainable import find_trainable, select_trainable
from .head import Parameter

__all__ = ["GraphHead"]

_LOSSES: Mapping[str, Callable[[], Loss]] = {
    "categorical": SoftmaxCrossEntropy,
    "independent": SigmoidCrossEntropy,
}
"""The probabilities that the last op computes from logits (`OpRow.probabilities`) → loss."""


class GraphHead:
    """A head from a graph of TFLite ops, with its initial values.

    The inputs of the graph are the features. It ends in a dense layer with one row of weights per
    class, optionally followed by SOFTMAX or LOGISTIC (which are then part of the loss). Constants
    of layers become variables: weights and biases of dense layers, matrices, and terms and factors
    of more than one number, such as those of a folded batch normalization. Each FULLY_CONNECTED
    gets a bias if it has none. `set_class` imprints and clears classes in the last layer.

    Attributes:
        loss: loss that the head is trained with.
        outputs: number of outputs of the last layer: the capacity.

    Args:
        model: the graph; changed in place.
        label: name of the head in messages.
        loss: loss. Default: `SigmoidCrossEntropy()` if the graph ends in a sigmoid, otherwise
            `SoftmaxCrossEntropy()`. For a regression loss the last op stays in the graph.
        trainable: names of parameters (`layer_2/weights`), of layers (`layer_2`: the second op
            with constants) or of constants in the file. Default: all but single numbers.
        rates: dropout rate of each marker (see `_emit_graph`).
        is_frozen: returns True for the value of a constant that is not trained.

    Raises:
        ConversionError: If the graph cannot be a head.
    """

    name = "graph"
    feature_norm = None

    def __init__(
        self,
        model: Model,
        label: str,
        *,
        loss: Loss | None = None,
        trainable: Sequence[str] | None = None,
        rates: Sequence[float] = (),
        is_frozen: Callable[[np.ndarray], bool] = lambda value: False,
    ) -> None:
        self._label = label
        self._rates = tuple(rates)
        self._graph = prepare_graph(model, label)
        self.loss: Loss = _split_loss(self._graph, loss, label)
        self._last_layer = last_dense_layer(self._graph, label)
        constants = select_trainable(
            find_trainable(self._graph), trainable, is_frozen, self._last_layer, label
        )
        self._layers = LayerGraph(self._graph, constants, self._rates)
        # Input of the last layer → name of its parameter
        self._last_names = {
            each.index: each.name for each in constants if each.op is self._last_layer
        }
        self._layers.check_gradients(self._last_layer.output, label)

    @property
    def outputs(self) -> int:
        """Number of outputs of the last layer."""
        return self._last_layer.output.shape[1]

    @property
    def flat(self) -> bool:
        """Whether the head takes features as rows."""
        return all(tensor.rank == 2 for tensor in self._graph.inputs)

    @property
    def uses_dropout(self) -> bool:
        """Whether training drops units."""
        return bool(self._rates)

    def settings(self) -> Mapping[str, Any]:
        """Return the ops and the dropout rates for the manifest."""
        markers = self._markers()
        ops = [op.name for op in self._graph.ops if op not in markers]
        return {"ops": ops, "dropout": list(self._rates)}

    def identity(self) -> Mapping[str, Any]:
        """Return a hash of the graph without the trainable values, and the task."""
        return {"graph": self._layers.content_hash(self._markers()), "task": self.loss.task}

    def parameters(self, features: Sequence[tuple[int, ...]], capacity: int) -> list[Parameter]:
        """Return the trainable constants with their values; for a classifier also `gain`.

        Raises:
            ConversionError: If the features or the capacity do not fit the graph.
        """
        self._check_features(features)
        if capacity != self.outputs:
            raise ConversionError(
                f"{self._label} has {self.outputs} outputs, which do not fit a capacity of "
                f"{capacity} classes: convert with classes={self.outputs}, or with "
                f"{self.outputs} class names at most"
            )
        parameters = self._layers.parameters(self._last_layer)
        if self.loss.task == "classification":
            parameters.append(Parameter("gain", np.zeros(1, np.float32), trainable=False))
        return parameters

    def logits(self, features: Sequence[Tensor], parameters: Mapping[str, Tensor]) -> Tensor:
        """Emit the graph, before softmax or sigmoid."""
        return self._emit(features, parameters, self._last_layer.output)

    def training_logits(
        self,
        features: Sequence[Tensor],
        parameters: Mapping[str, Tensor],
        masks: DropoutMasks,
    ) -> Tensor:
        """Emit the graph with dropout."""
        return self._emit(features, parameters, self._graph.outputs[0], masks)

    def imprint(
        self,
        features: Sequence[Tensor],
        sample_weights: Tensor,
        parameters: Mapping[str, Tensor],
        other_classes: Tensor,
    ) -> dict[str, Tensor]:
        """Emit the last layer's parameters of a class, from the layer's inputs."""
        rows = flatten(self._emit(features, parameters, self._last_layer.input(0)))
        names = {"weights": self._last_names[1], "bias": self._last_names[2]}
        if self.loss.task == "classification":
            names["gain"] = "gain"
        layer = {name: parameters[parameter] for name, parameter in names.items()}
        values = imprint_for_task(self.loss.task, rows, sample_weights, layer, other_classes)
        return {names[name]: value for name, value in values.items()}

    def _markers(self) -> list[Op]:
        return dropout_markers(self._graph) if self._rates else []

    def _emit(
        self,
        features: Sequence[Tensor],
        parameters: Mapping[str, Tensor],
        end: Tensor,
        masks: DropoutMasks | None = None,
    ) -> Tensor:
        inputs = self._graph.inputs
        if len(features) != len(inputs):
            features = [flatten_features(features)]
        return self._layers.emit(features, parameters, end, masks)

    def _check_features(self, features: Sequence[tuple[int, ...]]) -> None:
        expected = [tensor.shape[1:] for tensor in self._graph.inputs]
        if expected not in ([tuple(shape) for shape in features], [(flat_size(features),)]):
            raise ConversionError(
                f"{self._label} takes features of shape {_format_shapes(expected)}, and the base "
                f"has {_format_shapes(features)}: cut the base at another tensor (`features=`), or "
                "build the head for these shapes"
            )


def _format_shapes(shapes: Sequence[Sequence[int]]) -> str:
    return " and ".join(str(list(shape)) for shape in shapes)


def _split_loss(graph: Graph, loss: Loss | None, label: str) -> Loss:
    """Return the loss, and remove a final softmax or sigmoid that the loss contains."""
    if loss is not None:
        check_loss(loss, f"{label}: loss")
    last: Op | None = graph.outputs[0].producer
    probabilities = find_row(last).probabilities if last is not None else None
    loss = loss or _LOSSES.get(probabilities or "", SoftmaxCrossEntropy)()
    if last is not None and probabilities in _LOSSES and loss.task != "regression":
        if last.options.get("beta", 1.0) != 1.0:
            raise ConversionError(
                f"{label}: {last!r} has a beta other than 1: scale the weights of the layer before "
                "it instead"
            )
        graph.outputs = [last.input(0)]
        graph.prune()
    return loss
