"""Make the last layers of a base a part of the head."""

from __future__ import annotations

from ..errors import ConversionError
from ..heads import FineTune
from ..heads.fine_tune import TunedHead
from ..ops import flatten, smooth_power_normalization
from .dequantize_graph import dequantize_graph
from .prepare_base import PreparedBase
from .split_layers import split_layers

__all__ = ["tune_layers"]


def tune_layers(prepared: PreparedBase, options: FineTune, *, normalize: bool) -> TunedHead:
    """Move the last layers of a base to its head.

    Before: a base that ends at the features of `options.head`. After: it ends before the layers to
    train.

    Args:
        prepared: the base; changed in place.
        options: the layers, and the head on top of them.
        normalize: power-normalize the features of the head; see `smooth_power_normalization`.

    Raises:
        ConversionError: If the base has several feature tensors or fewer layers, or a layer cannot
            be trained.
    """
    graph = prepared.graph
    if len(graph.outputs) != 1:
        listed = ", ".join(repr(tensor.name) for tensor in graph.outputs)
        raise ConversionError(
            f"FineTune needs one feature tensor, and the base has {len(graph.outputs)} ({listed}): "
            "choose one (features=, --features)"
        )
    assert options.last is not None  # `convert` has chosen it
    layers = split_layers(graph, options.last)
    dequantize_graph(layers)
    features = flatten(layers.outputs[0])
    layers.outputs = [smooth_power_normalization(features) if normalize else features]
    prepared.features = ()  # a personalizable base names features behind these layers
    prepared.cut_reason = f"the input of the last {options.last} layers with weights"
    return TunedHead(options, layers)
