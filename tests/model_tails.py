"""The last layers of a real model as a head, and the rest as a base."""

from __future__ import annotations

from pathlib import Path

from sartor.flatbuffer import read, write
from sartor.graph import Graph, Op

__all__ = ["split_model"]

_LAYERS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def split_model(path: Path, count: int) -> tuple[bytes, bytes, str]:
    """Return a base, a head of the last layers with weights, and the name of the features.

    Args:
        path: a float model whose last `count` layers follow each other.
        count: number of layers with weights in the head.
    """
    base, head = read(path), read(path)
    layers = _layers(head.main)[-count:]
    features = layers[0].input(0)
    head.main.inputs = [features]
    before = head.main.ops.index(layers[0])
    head.main.remove(head.main.ops[:before])
    end = _layers(base.main)[-count].input(0)
    base.main.outputs = [end]
    for model in (base, head):
        model.signatures, model.files, model.metadata = [], {}, {}
        model.main.prune()
    return write(base), write(head), end.name


def _layers(graph: Graph) -> list[Op]:
    return [op for op in graph.ops if op.code in _LAYERS]
