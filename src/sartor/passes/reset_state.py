"""Reset the state of recurrent layers at the start of each call."""

from __future__ import annotations

import numpy as np

from ..graph import DType, Graph, Op, Tensor

__all__ = ["reset_state"]


_NOTE = (
    "the base has recurrent layers (LSTM, RNN or SVDF): the file runs in LiteRT's Interpreter, but "
    "not in CompiledModel or LiteRT.js, which do not support variable tensors"
)


def reset_state(graph: Graph) -> list[str]:
    """Write zeros to each state tensor before the layer that keeps its state there.

    Before: LSTM, RNN and SVDF continue from the state of the previous call, so that the features of
    a sample depend on the samples before it. After: each call starts from zeros, and no runtime has
    to reset them.

    Returns:
        A note if the base has such layers.
    """
    states = [tensor for tensor in graph.tensors if tensor.is_variable]
    for state in states:
        if state.producer is None:
            graph.ops.insert(0, _write_zeros(graph, state))
    return [_NOTE] if states else []


def _write_zeros(graph: Graph, state: Tensor) -> Op:
    """Return an op that sets a state tensor to the real number 0.

    Both ops run at each call. LiteRT computes others, such as RESHAPE, once if their inputs are
    constant.
    """
    zeros = graph.constant(np.zeros(state.shape, np.float32), "zeros")
    if state.dtype is DType.FLOAT32:
        return Op("ZEROS_LIKE", (zeros,), (state,), options_type="ZerosLikeOptions")
    return Op("QUANTIZE", (zeros,), (state,), options_type="QuantizeOptions")
