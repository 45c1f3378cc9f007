"""Make layers of a base a part of the head."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import ConversionError, FeatureError
from ..graph import Graph, Op
from ..heads import FineTune
from ..heads.fine_tune import TunedHead, tensor_names
from ..ops import flatten, smooth_power_normalization
from .dequantize_graph import dequantize_graph
from .prepare_base import PreparedBase
from .split_layers import find_layers, split_layers

__all__ = ["tune_layers"]

_MOST_NAMES = 8


def tune_layers(prepared: PreparedBase, options: FineTune, *, normalize: bool) -> TunedHead:
    """Move the layers to train of a base, and all behind them, to its head.

    Before: a base that ends at the features of `options.head`. After: it ends before the layers to
    train.

    Args:
        prepared: the base; changed in place.
        options: the layers, and the head on top of them.
        normalize: power-normalize the features of the head; see `smooth_power_normalization`.

    Raises:
        ConversionError: If the base has several feature tensors, fewer layers, or none that the
            options select, or a layer cannot be trained.
    """
    graph = prepared.graph
    if len(graph.outputs) != 1:
        listed = ", ".join(repr(tensor.name) for tensor in graph.outputs)
        raise ConversionError(
            f"FineTune needs one feature tensor, and the base has {len(graph.outputs)} ({listed}): "
            "choose one (features=, --features)"
        )
    selected = _select_layers(graph, options)
    tensors = sum(len(tensor_names(op)) for op in find_layers(graph))
    layers = split_layers(graph, selected)
    dequantize_graph(layers)
    features = flatten(layers.outputs[0])
    layers.outputs = [smooth_power_normalization(features) if normalize else features]
    prepared.features = ()  # a personalizable base names features behind these layers
    head = TunedHead(options, layers)
    prepared.cut_reason = f"the input of {options.describe()}"
    if options.tensors is not None:
        count = f"{head.trained_tensors} of {tensors}"
        prepared.cut_reason += f"; {count} weights and biases are trained"
    return head


def _select_layers(graph: Graph, options: FineTune) -> Sequence[Op]:
    """Return the layers of a base of which weights or biases are trained."""
    layers = find_layers(graph)
    if not layers:
        raise FeatureError(
            "FineTune: there are no layers with weights before these features: leave FineTune "
            "(--fine-tune) out, or choose later features (features=, --features)"
        )
    if options.tensors is not None:
        selected = [op for op in layers if any(map(options.selects, tensor_names(op)))]
        if not selected:
            names = [name for op in layers for name in tensor_names(op)]
            raise ConversionError(
                f"FineTune: no weights or biases match {options.tensors!r} (tensors=, "
                f"--fine-tune-tensors); the base has {_list(names)}"
            )
        return selected
    count = options.last or 0
    if count > len(layers):
        raise FeatureError(
            f"the base has {len(layers)} layers with weights, expected at least {count} to train: "
            f"train fewer (last={len(layers)}, --fine-tune {len(layers)})"
        )
    return layers[-count:]


def _list(names: Sequence[str]) -> str:
    """List the last names; `sartor inspect --all` lists all layers."""
    more = len(names) - _MOST_NAMES
    listed = ", ".join(names[-_MOST_NAMES:])
    return f"{listed} and {more} before them (sartor inspect --all)" if more > 0 else listed
