"""Fine-tuning: the last layers of the base, with a head on top of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from .._arguments import check_flag, check_integer, check_number
from ..errors import ConversionError
from ..graph import Graph, Model, Op, Tensor, first_name
from ..losses import Loss
from ..ops import find_row
from ._layer_graph import LayerGraph
from ._low_rank import LowRankUpdate, has_low_rank_update
from ._prepare_graph import prepare_graph
from ._trainable import TrainableConstant, find_trainable
from .head import Head, NormalizingHead, Parameter
from .softmax import SoftmaxClassifier

__all__ = ["FineTune", "TunedHead", "tensor_names"]

_BIAS = "bias"

_LAYERS = "layers/"  # prefix of the layers' parameters


@dataclass(frozen=True)
class FineTune:
    """Train the last layers of the base too, with a head on top of them.

    The features of the file are then the inputs of these layers. The weights become variables, with
    the values of the base as initial values. The layers of a quantized base compute in float32.

    Attributes:
        last: number of the last layers with weights to train, at least 1. Default: 1, unless
            `tensors` or `memory_budget` chooses the layers.
        head: head on top of them. Default: `SoftmaxClassifier()`.
        biases_only: train the biases of these layers only (TinyTL: Cai et al., 2020). Default:
            False.
        rate: learning rate of the layers, relative to that of the head, above 0 to 1
            (discriminative fine-tuning: Howard & Ruder, 2018). Default: 1.
        memory_budget: bytes that training may take; `convert` trains as many layers as fit, or
            the head alone (docs/heads.md). Instead of `last`.
        tensors: regular expression; trains the weights and biases in whose names it is found:
            `LAYER/weights` and `LAYER/bias`, with the names of layers of `sartor inspect --all`.
            Layers between them stay as they are. Instead of `last`.
        lora_rank: train low-rank updates of this rank in place of the weights (LoRA: Hu et al.,
            2022), and the biases: far fewer numbers to save. Depthwise convolutions keep their
            weights. Default: None, the weights themselves.

    Raises:
        ConversionError: If a value is outside its range, or more than one of `last`, `tensors` and
            `memory_budget` is given.
    """

    last: int | None = None
    head: Head = field(default_factory=SoftmaxClassifier)
    biases_only: bool = False
    rate: float = 1.0
    memory_budget: int | None = None
    tensors: str | None = None
    lora_rank: int | None = None

    def __post_init__(self) -> None:
        choices = {"last": self.last, "tensors": self.tensors, "memory_budget": self.memory_budget}
        given = [name for name, value in choices.items() if value is not None]
        if len(given) > 1:
            raise ConversionError(
                f"FineTune: expected one of last, tensors and memory_budget; got "
                f"{' and '.join(given)}: leave {' and '.join(given[1:])} out"
            )
        if not given:
            object.__setattr__(self, "last", 1)
        for name in ("last", "memory_budget"):
            if getattr(self, name) is not None:
                check_integer(getattr(self, name), f"FineTune: {name}", 1, error=ConversionError)
        if self.tensors is not None:
            _check_expression(self.tensors)
        check_flag(self.biases_only, "FineTune: biases_only", error=ConversionError)
        if self.lora_rank is not None:
            check_integer(self.lora_rank, "FineTune: lora_rank", 1, error=ConversionError)
            if self.biases_only:
                raise ConversionError("FineTune: leave biases_only or lora_rank out, not both")
        check_number(self.rate, "FineTune: rate", error=ConversionError)
        if not 0 < self.rate <= 1:
            raise ConversionError(f"FineTune: rate must be above 0 and at most 1, got {self.rate}")

    def selects(self, name: str) -> bool:
        """Return whether `tensors` and `biases_only` select a tensor by its name."""
        is_matched = self.tensors is None or re.search(self.tensors, name) is not None
        return is_matched and (name.endswith(f"/{_BIAS}") or not self.biases_only)

    def describe(self) -> str:
        """Return what is trained, for messages."""
        if self.tensors is not None:
            return f"the first layer that {self.tensors!r} selects"
        if self.last == 1:
            return "the last layer with weights"
        return f"the last {self.last} layers with weights"


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
        label = f"the base, from the input of {options.describe()}"
        model = Model()
        model.graphs.append(layers)
        graph = prepare_graph(model, label)
        constants = _select_constants(graph, options)
        self._layers = LayerGraph(graph, constants)
        self._updates = {
            each.name: LowRankUpdate(each, options.lora_rank)
            for each in constants
            if options.lora_rank is not None and each.role != _BIAS
        }
        if options.lora_rank is not None and not self._updates:
            raise ConversionError(
                f"{label}: no layer has weights for low-rank updates, only convolutions that are "
                "not depthwise and dense layers do: train more layers (last=, --fine-tune), or "
                "leave lora_rank (--lora-rank) out"
            )
        if self._updates and not any(each.is_smaller for each in self._updates.values()):
            largest = max(each.largest_rank for each in self._updates.values())
            raise ConversionError(
                f"{label}: lora_rank must be at most {largest} for these layers, got "
                f"{options.lora_rank}: low-rank updates would have more numbers than their "
                "weights. Take a lower one (--lora-rank), or leave it out"
            )
        self._layers.check_gradients(graph.outputs[0], label)

    @property
    def loss(self) -> Loss:
        """The loss of the head."""
        return self.top.loss

    @property
    def trained_tensors(self) -> int:
        """Number of trained weights and biases."""
        return len(self._layers.constants)

    @property
    def top_features(self) -> int:
        """Number of features that the layers compute for the head."""
        return self._layers.graph.outputs[0].shape[-1]

    def settings(self) -> Mapping[str, Any]:
        """Return the options, and the settings of the head, for the manifest."""
        options = self._options
        return {
            **({"last": options.last} if options.tensors is None else {"tensors": options.tensors}),
            "biases_only": options.biases_only,
            "rate": options.rate,
            **({} if options.lora_rank is None else {"lora_rank": options.lora_rank}),
            "head": self.top.name,
            **self.top.settings(),
        }

    def identity(self) -> Mapping[str, Any]:
        """Return a hash of the layers without their trainable values, and that of the head."""
        trained = [each for each in self._layers.constants if each not in self._updates]
        layers = LayerGraph(self._layers.graph, [self._layers.constants[each] for each in trained])
        return {
            "layers": layers.content_hash(),
            **({} if not self._updates else {"lora_rank": self._options.lora_rank}),
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
        parameters = [
            parameter
            for each in self._layers.parameters()
            for parameter in (
                self._updates[each.name].parameters() if each.name in self._updates else [each]
            )
        ]
        return [replace(each, name=_LAYERS + each.name, rate=rate) for each in parameters]

    def run_layers(self, features: Sequence[Tensor], parameters: Mapping[str, Tensor]) -> Tensor:
        """Emit the layers: the features [N, F] of the head."""
        layers = {
            name.removeprefix(_LAYERS): each
            for name, each in parameters.items()
            if name.startswith(_LAYERS)
        }
        layers.update({name: each.value(layers) for name, each in self._updates.items()})
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


def tensor_names(op: Op) -> list[str]:
    """Return the names of the weights and the bias of a layer, such as `conv/weights`."""
    row = find_row(op)
    roles = {role: index for index, role in row.parameters.items()}
    return [
        _name(op, role)
        for role, index in roles.items()
        if op.code == "FULLY_CONNECTED" or index < len(op.inputs)  # a dense layer gets a bias
    ]


def _name(op: Op, role: str) -> str:
    return f"{first_name(op.output)}/{role}"


def _select_constants(graph: Graph, options: FineTune) -> list[TrainableConstant]:
    """Return the weights and biases to train."""
    constants = [each for each in find_trainable(graph) if each.is_layer]
    if options.last is not None:
        layers = list(dict.fromkeys(each.op for each in constants))[-options.last :]
        constants = [each for each in constants if each.op in layers]
    return [
        each
        for each in constants
        if options.selects(_name(each.op, each.role))
        and (options.lora_rank is None or each.role == _BIAS or has_low_rank_update(each.op))
    ]


def _check_expression(expression: object) -> None:
    if expression == "":
        raise ConversionError(
            "FineTune: tensors is empty: state a regular expression (tensors=, "
            "--fine-tune-tensors); '/' selects all weights and biases"
        )
    try:
        re.compile(cast("str", expression))
    except (re.error, TypeError) as error:
        raise ConversionError(
            f"FineTune: tensors must be a regular expression, got {expression!r}: {error}"
        ) from error
