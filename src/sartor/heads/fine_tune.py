"""Fine-tuning: the last layers of the base, with a head on top of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .._arguments import check_flag, check_integer, check_number
from ..errors import ConversionError
from ..graph import Graph, Model, Tensor
from ..losses import Loss
from ._layer_graph import LayerGraph
from ._prepare_graph import prepare_graph
from ._trainable import TrainableConstant, find_trainable
from .head import Head, NormalizingHead, Parameter
from .softmax import SoftmaxClassifier

__all__ = ["FineTune", "TunedHead"]

_LAYERS = "layers/"  # prefix of the layers' parameters


@dataclass(frozen=True)
class FineTune:
    """Train the last layers of the base too, with a head on top of them.

    The features of the file are then the inputs of these layers. The weights become variables, with
    the values of the base as initial values. The layers of a quantized base compute in float32.

    Attributes:
        last: number of the last layers with weights to train, at least 1. Default: 1, unless
            `memory_budget` chooses it.
        head: head on top of them. Default: `SoftmaxClassifier()`.
        biases_only: train the biases of these layers only (TinyTL: Cai et al., 2020). Default:
            False.
        rate: learning rate of the layers, relative to that of the head, above 0 to 1
            (discriminative fine-tuning: Howard & Ruder, 2018). Default: 1.
        memory_budget: bytes that training may take; `convert` trains as many layers as fit, or
            the head alone (docs/heads.md). Instead of `last`.

    Raises:
        ConversionError: If a value is outside its range, or both `last` and `memory_budget` are
            given.
    """

    last: int | None = None
    head: Head = field(default_factory=SoftmaxClassifier)
    biases_only: bool = False
    rate: float = 1.0
    memory_budget: int | None = None

    def __post_init__(self) -> None:
        if self.memory_budget is not None:
            check_integer(self.memory_budget, "FineTune: memory_budget", 1, error=ConversionError)
            if self.last is not None:
                raise ConversionError(
                    "FineTune: memory_budget chooses the number of layers: leave last out"
                )
        else:
            last = 1 if self.last is None else self.last
            check_integer(last, "FineTune: last", 1, error=ConversionError)
            object.__setattr__(self, "last", last)
        check_flag(self.biases_only, "FineTune: biases_only", error=ConversionError)
        check_number(self.rate, "FineTune: rate", error=ConversionError)
        if not 0 < self.rate <= 1:
            raise ConversionError(f"FineTune: rate must be above 0 and at most 1, got {self.rate}")


class TunedHead:
    """The last layers of a base and a head: the head that `FineTune` describes.

    Attributes:
        loss: loss of the head.
        top: the head behind the layers.

    Args:
        options: what to train.
        layers: graph of the layers, float32, from the features of the file to those of the head;
            changed in place.

    Raises:
        ConversionError: If a layer has no gradient rule.
    """

    name = "fine_tune"
    flat = False
    feature_norm = None  # the layers add curvature: the runtime searches the learning rate

    def __init__(self, options: FineTune, layers: Graph) -> None:
        self._options = options
        self.top = options.head
        assert options.last is not None  # `convert` has chosen it
        label = f"the last {options.last} layers of the base"
        model = Model()
        model.graphs.append(layers)
        graph = prepare_graph(model, label)
        self._layers = LayerGraph(graph, _select_constants(graph, options))
        self._layers.check_gradients(graph.outputs[0], label)

    @property
    def loss(self) -> Loss:
        """The loss of the head."""
        return self.top.loss

    @property
    def top_features(self) -> int:
        """Number of features that the layers compute for the head."""
        return self._layers.graph.outputs[0].shape[-1]

    def settings(self) -> Mapping[str, Any]:
        """Return the options, and the settings of the head, for the manifest."""
        return {
            "last": self._options.last,
            "biases_only": self._options.biases_only,
            "rate": self._options.rate,
            "head": self.top.name,
            **self.top.settings(),
        }

    def identity(self) -> Mapping[str, Any]:
        """Return a hash of the layers without their trainable values, and that of the head."""
        return {
            "layers": self._layers.content_hash(),
            "head": self.top.name,
            **self.top.identity(),
        }

    def parameters(self, features: Sequence[tuple[int, ...]], capacity: int) -> list[Parameter]:
        """Return the weights and biases of the layers, then the parameters of the head."""
        return [
            *self.layer_parameters(),
            *self.top.parameters([(self.top_features,)], capacity),
        ]

    def layer_parameters(self) -> list[Parameter]:
        """Return the weights and biases of the layers."""
        rate = None if self._options.rate == 1 else self._options.rate
        return [
            replace(each, name=_LAYERS + each.name, rate=rate) for each in self._layers.parameters()
        ]

    def run_layers(self, features: Sequence[Tensor], parameters: Mapping[str, Tensor]) -> Tensor:
        """Emit the layers: the features [N, F] of the head."""
        layers = {
            name.removeprefix(_LAYERS): each
            for name, each in parameters.items()
            if name.startswith(_LAYERS)
        }
        return self._layers.emit(features, layers, self._layers.graph.outputs[0])

    def logits(self, features: Sequence[Tensor], parameters: Mapping[str, Tensor]) -> Tensor:
        """Emit the layers and the head."""
        return self.top.logits([self.run_layers(features, parameters)], parameters)

    def normalization_statistics(
        self,
        features: Sequence[Tensor],
        sample_weights: Tensor,
        parameters: Mapping[str, Tensor],
    ) -> dict[str, Tensor]:
        """Emit the statistics of the head's features; nothing if the head does not normalize."""
        if not isinstance(self.top, NormalizingHead):
            return {}
        rows = [self.run_layers(features, parameters)]
        return dict(self.top.normalization_statistics(rows, sample_weights, parameters))

    def imprint(
        self,
        features: Sequence[Tensor],
        sample_weights: Tensor,
        parameters: Mapping[str, Tensor],
        other_classes: Tensor,
    ) -> dict[str, Tensor]:
        """Emit the head's parameters of a class, from the features behind the layers."""
        rows = [self.run_layers(features, parameters)]
        return dict(self.top.imprint(rows, sample_weights, parameters, other_classes))


def _select_constants(graph: Graph, options: FineTune) -> list[TrainableConstant]:
    """Return the weights and biases of the last layers."""
    constants = [each for each in find_trainable(graph) if each.is_layer]
    assert options.last is not None
    layers = list(dict.fromkeys(each.op for each in constants))[-options.last :]
    return [
        each
        for each in constants
        if each.op in layers and (each.role == "bias" or not options.biases_only)
    ]
