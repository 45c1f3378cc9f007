"""Run a graph in LiteRT."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..errors import DataError
from ..flatbuffer import write
from ..graph import Graph, Model, Tensor
from ..litert import create_interpreter

__all__ = ["run_graph"]


def run_graph(graph: Graph, feeds: Mapping[Tensor, np.ndarray]) -> dict[Tensor, np.ndarray]:
    """Run a graph in LiteRT.

    Args:
        graph: a graph; it is not changed.
        feeds: value of each input, in the dtype of the input. Another shape than that of the
            input resizes it.

    Returns:
        The value of each output.

    Raises:
        DataError: If an input has no value.
        InvalidModelError: If LiteRT cannot load the graph, or a shape does not fit.
        RuntimeError: If LiteRT cannot run the graph.
    """
    missing = [tensor for tensor in graph.inputs if tensor not in feeds]
    if missing:
        raise DataError(f"no value is given for the inputs {missing}")
    model = Model()
    model.graphs.append(graph)
    values = [feeds[tensor] for tensor in graph.inputs]
    interpreter = create_interpreter(write(model), input_shapes=[value.shape for value in values])
    for value, detail in zip(values, interpreter.get_input_details(), strict=True):
        interpreter.set_tensor(detail["index"], value)
    interpreter.invoke()
    outputs = zip(graph.outputs, interpreter.get_output_details(), strict=True)
    return {tensor: interpreter.get_tensor(detail["index"]) for tensor, detail in outputs}
