"""A graph of layers whose constants are parameters."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ..autodiff import gradients
from ..errors import ConversionError
from ..graph import Graph, Op, Tensor
from ..graph.content_hash import hash_graph
from ..ops import zeros_like
from ._dropout import DropoutMasks
from ._emit_graph import emit_graph
from ._trainable import TrainableConstant
from .head import Parameter

__all__ = ["LayerGraph"]

_TEST_BATCH = 3


class LayerGraph:
    """A graph of layers, some of whose constants are parameters.

    Attributes:
        graph: the graph, from `prepare_graph`, with one output.
        constants: name → the constant that the parameter replaces.

    Args:
        graph: as above.
        constants: constants of its ops to train.
        rates: dropout rate of each marker (see `emit_graph`).
    """

    def __init__(
        self, graph: Graph, constants: Sequence[TrainableConstant], rates: Sequence[float] = ()
    ) -> None:
        self.graph = graph
        self.constants: Mapping[str, TrainableConstant] = {each.name: each for each in constants}
        self._rates = tuple(rates)

    def parameters(self, class_layer: Op | None = None) -> list[Parameter]:
        """Return the parameters, with the constants as initial values.

        Args:
            class_layer: the layer with one row per class, if there is one.
        """
        return [
            Parameter(name, each.constant.value, class_axis=0 if each.op is class_layer else None)
            for name, each in self.constants.items()
        ]

    def emit(
        self,
        features: Sequence[Tensor],
        parameters: Mapping[str, Tensor],
        end: Tensor,
        masks: DropoutMasks | None = None,
    ) -> Tensor:
        """Emit the ops up to `end` into the graph of the features.

        Args:
            features: a tensor [N, …] for each input.
            parameters: name → value of each parameter.
            end: tensor of the graph.
            masks: dropout masks of a training step. Default: no dropout.
        """
        variables = {(each.op, each.index): parameters[n] for n, each in self.constants.items()}
        return emit_graph(self.graph, features, variables, end, rates=self._rates, masks=masks)

    def content_hash(self, skipped_ops: Collection[Op] = ()) -> str:
        """Return a hash of the graph without the values of the parameters."""
        return hash_graph(
            self.graph,
            self.graph.outputs,
            variable_constants=[each.constant for each in self.constants.values()],
            skipped_ops=skipped_ops,
        )

    def check_gradients(self, end: Tensor, label: str) -> None:
        """Differentiate the graph once, so that errors appear early.

        Args:
            end: tensor of the graph to differentiate.
            label: name of the graph in messages.

        Raises:
            ConversionError: If an op has no gradient rule, or a parameter no effect.
        """
        graph = Graph("layers")
        features = [graph.input(t.name, (_TEST_BATCH, *t.shape[1:])) for t in self.graph.inputs]
        parameters = {
            name: graph.input(each.constant.name, each.constant.shape)
            for name, each in self.constants.items()
        }
        try:
            result = self.emit(features, parameters, end)
            gradients(result, list(parameters.values()), seed=zeros_like(result))
        except ConversionError as error:
            raise ConversionError(f"{label}: {error}") from error
