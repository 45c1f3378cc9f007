"""Emit layers whose weights or biases are variables in ops that LiteRT runs fast."""

from __future__ import annotations

import numpy as np

from ..graph import Graph, Op, Tensor
from ..ops import emit, find_row

__all__ = ["use_fast_forms"]

_ACTIVATION = "fusedActivationFunction"


def use_fast_forms(graph: Graph) -> None:
    """Replace layers that LiteRT runs slowly.

    Before: `CONV_2D` with the value of a variable as weights, for which LiteRT has no fast kernel.
    After: the windows as rows, and BATCH_MATMUL. The gradient has the same rows, so that
    `simplify` computes them once.

    Before: constant weights with the value of a variable as bias, which XNNPACK refuses. After: a
    bias of zeros, and an ADD of the variable with the activation of the layer.
    """
    for op in list(graph.ops):
        graph.replace(op, _fast_form)


def _fast_form(op: Op) -> list[Tensor] | None:
    row = find_row(op)
    if row.weights is None:
        return None
    if op.input(row.weights.input).is_constant:
        return _add_bias(op, row.weights.bias)
    return None if row.fast_form is None else [row.fast_form(op, op.inputs)]


def _add_bias(op: Op, index: int | None) -> list[Tensor] | None:
    """Emit a layer with constant weights, and add its bias if that is not constant."""
    bias = op.inputs[index] if index is not None and index < len(op.inputs) else None
    if bias is None or bias.is_constant or not bias.dtype.is_float:
        return None
    inputs: list[Tensor | np.ndarray | None] = list(op.inputs)
    inputs[inputs.index(bias)] = np.zeros(bias.shape, np.float32)
    linear = emit(op.code, *inputs, **{**op.options, _ACTIVATION: 0})
    return [emit("ADD", linear, bias, **{_ACTIVATION: op.options.get(_ACTIVATION, 0)})]
