"""Heads of one's own: a graph from features to logits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..autodiff import gradients
from ..errors import ConversionError
from ..graph import Graph, Model, Op, Tensor
from ..graph.content_hash import hash_graph
from ..losses import Loss, SigmoidCrossEntropy, SoftmaxCrossEntropy, check_loss
from ..ops import find_row, flatten, zeros_like
from ._dropout import Masks
from ._head_graph import dense_end, open_graph
from ._imprint import imprint_label, imprint_softmax, imprint_zero
from ._replay import marks, replay
from ._rows import as_rows
from ._trained import choose, uses_of
from .head import Parameter

__all__ = ["GraphHead"]

_ENDS: Mapping[str, Callable[[], Loss]] = {
    "categorical": SoftmaxCrossEntropy,
    "independent": SigmoidCrossEntropy,
}
"""The probabilities that the last op computes from logits (`OpRow.probabilities`) → loss."""


class GraphHead:
    """A head that is a graph of TFLite ops, with the values that it brings.

    Its inputs are the features; it ends in a dense layer with a row of weights for each class (and
    may then have SOFTMAX or LOGISTIC, which the loss takes over). The constants that layers learn
    become variables: weights and biases of dense layers, matrices, and what is added or multiplied
    where it is more than one number, as a batch normalization for inference is. Each
    FULLY_CONNECTED has a bias, of zeros where the file has none. `set_class` makes and wipes
    classes in the last layer, from what comes into it.

    Attributes:
        loss: what it is trained with.
        outputs: how many classes there can be: the width of the last layer.

    Args:
        model: the graph; it is changed.
        what: it is called in messages.
        loss: as told; else by what the graph ends in: softmax or nothing: `SoftmaxCrossEntropy()`,
            sigmoid: `SigmoidCrossEntropy()`. For regression the end stays.
        trainable: what to train: names of parameters (`layer_2/weights`), of layers (`layer_2`: the
            second op that has any), or of constants in the file. Unless told all are, save lone
            numbers.
        rates: what part of the units each mark of `_replay` drops in training.
        frozen: whether a constant of this value is not to be trained.

    Raises:
        ConversionError: the graph is no head; the message says why.
    """

    name = "graph"
    feature_norm = None

    def __init__(
        self,
        model: Model,
        what: str,
        *,
        loss: Loss | None = None,
        trainable: Sequence[str] | None = None,
        rates: Sequence[float] = (),
        frozen: Callable[[np.ndarray], bool] = lambda value: False,
    ) -> None:
        self._what = what
        self._rates = tuple(rates)
        self._graph = open_graph(model, what)
        self.loss: Loss = _loss(self._graph, loss, what)
        self._last = dense_end(self._graph, what)
        uses = choose(uses_of(self._graph), trainable, frozen, self._last, what)
        self._uses = {use.name: use for use in uses}
        self._own = {use.index: use.name for use in uses if use.op is self._last}
        self._try()

    @property
    def outputs(self) -> int:
        """The width of the last layer."""
        return self._last.output.shape[1]

    @property
    def flat(self) -> bool:
        """Whether it takes features as rows."""
        return all(tensor.rank == 2 for tensor in self._graph.inputs)

    @property
    def is_random(self) -> bool:
        """Whether units are dropped in training."""
        return bool(self._rates)

    def settings(self) -> Mapping[str, Any]:
        """What goes into the manifest: the ops, and what is dropped."""
        dropping = marks(self._graph) if self._rates else []
        ops = [op.name for op in self._graph.ops if op not in dropping]
        return {"ops": ops, "dropout": list(self._rates)}

    def identity(self) -> Mapping[str, Any]:
        """The graph, with all values but those that are trained; and what the outputs are."""
        trained = [use.constant for use in self._uses.values()]
        dropping = marks(self._graph) if self._rates else []
        content_hash = hash_graph(
            self._graph, self._graph.outputs, variable_constants=trained, skipped_ops=dropping
        )
        return {"graph": content_hash, "task": self.loss.task}

    def parameters(self, features: Sequence[tuple[int, ...]], capacity: int) -> list[Parameter]:
        """The trained constants with the values that they have; of a classifier also `gain`.

        Raises:
            ConversionError: the head takes other features, or has another number of outputs.
        """
        self._check_features(features)
        if capacity != self.outputs:
            raise ConversionError(
                f"{self._what} has {self.outputs} outputs, and there is to be room for {capacity} "
                f"classes: convert with classes={self.outputs}, or name {self.outputs} at most"
            )
        made = []
        for name, use in self._uses.items():
            value = use.constant.value
            made.append(Parameter(name, value, class_axis=0 if use.op is self._last else None))
        if self.loss.task == "classification":
            made.append(Parameter("gain", np.zeros(1, np.float32), trained=False))
        return made

    def logits(self, features: Sequence[Tensor], parameters: Mapping[str, Tensor]) -> Tensor:
        """What the graph makes of the features, before softmax or sigmoid."""
        return self._run(features, parameters, self._last.output)

    def training_logits(
        self, features: Sequence[Tensor], parameters: Mapping[str, Tensor], masks: Masks
    ) -> Tensor:
        """The same of the units that are left."""
        return self._run(features, parameters, self._graph.outputs[0], masks)

    def penalty(self, parameters: Mapping[str, Tensor]) -> Tensor | None:
        """None."""
        return None

    def imprint(
        self,
        features: Sequence[Tensor],
        weights: Tensor,
        parameters: Mapping[str, Tensor],
        others: Tensor,
    ) -> dict[str, Tensor]:
        """Make the class of what comes into the last layer, as that alone would of features."""
        rows = flatten(self._run(features, parameters, self._last.input(0)))
        layer = {"weights": parameters[self._own[1]], "bias": parameters[self._own[2]]}
        if self.loss.task == "classification":
            layer["gain"] = parameters["gain"]
            values = imprint_softmax(rows, weights, layer, others)
        elif self.loss.task == "multi_label":
            values = imprint_label(rows, weights)
        else:
            values = imprint_zero(rows, weights)
        own = {"weights": self._own[1], "bias": self._own[2], "gain": "gain"}
        return {own[name]: value for name, value in values.items()}

    def _run(
        self,
        features: Sequence[Tensor],
        parameters: Mapping[str, Tensor],
        end: Tensor,
        masks: Masks | None = None,
    ) -> Tensor:
        inputs = self._graph.inputs
        given = list(features) if len(features) == len(inputs) else [as_rows(features)]
        variables = {(use.op, use.index): parameters[name] for name, use in self._uses.items()}
        return replay(self._graph, given, variables, end, rates=self._rates, masks=masks)

    def _check_features(self, features: Sequence[tuple[int, ...]]) -> None:
        wanted = [tensor.shape[1:] for tensor in self._graph.inputs]
        joined = [(sum(int(np.prod(shape)) for shape in features),)]
        if wanted not in ([tuple(shape) for shape in features], joined):
            takes, gives = (" and ".join(str(list(s)) for s in all_) for all_ in (wanted, features))
            raise ConversionError(
                f"{self._what} takes {takes}, and the features are {gives}: cut the base where it "
                "gives that (`features=`), or build the head for what it gives"
            )

    def _try(self) -> None:
        """Differentiate it once by itself, so that what is wrong is said at once."""
        graph = Graph("head")
        features = [graph.input(t.name, (3, *t.shape[1:])) for t in self._graph.inputs]
        trained = {
            name: graph.input(use.constant.name, use.constant.shape)
            for name, use in self._uses.items()
        }
        try:
            logits = self.logits(features, trained)
            gradients(logits, list(trained.values()), seed=zeros_like(logits))
        except ConversionError as error:
            raise ConversionError(f"{self._what}: {error}") from error


def _loss(graph: Graph, told: Loss | None, what: str) -> Loss:
    """The loss; a graph that ends in what the loss brings ends before it from now on."""
    if told is not None:
        check_loss(told, f"{what}: loss")
    last: Op | None = graph.outputs[0].producer
    probabilities = find_row(last).probabilities if last is not None else None
    loss = told or _ENDS.get(probabilities or "", SoftmaxCrossEntropy)()
    if last is not None and probabilities in _ENDS and loss.task != "regression":
        if last.options.get("beta", 1.0) != 1.0:
            raise ConversionError(f"{what}: {last!r} sharpens by beta: scale the layer before it")
        graph.outputs = [last.input(0)]
        graph.prune()
    return loss
