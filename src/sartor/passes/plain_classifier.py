"""Build the plain classifier that a personalizable file contains."""

from __future__ import annotations

from copy import copy

import numpy as np

from ..errors import ConversionError
from ..flatbuffer import Tail
from ..graph import Graph, Model, Signature, Tensor, copy_graph
from .describe_frozen import describe_frozen
from .freeze_infer import keep_infer
from .plan import Plan
from .scale_pixels_inside import scale_pixels_inside

__all__ = ["plain_classifier"]

_Axes = dict[Tensor, tuple[int, ...]]


def plain_classifier(plan: Plan) -> Tail:
    """Return the signature `infer` as a model without variables.

    Its constants are the initial values of the variables, and share their bytes in the file: a
    runtime freezes a model by copying bytes, with the values and the number of classes replaced.

    Args:
        plan: the parts of the personalizable model; not changed.
    """
    model = _infer(plan, plan.capacity)
    for tensor in model.main.tensors:
        if tensor.exclusive:
            tensor.data = plan.variables[tensor.name].initial.data
    axes = _class_axes(plan, model.main)
    inputs = scale_pixels_inside(model, plan.inputs)
    describe_frozen(model, inputs, plan.head.loss.task)
    return Tail(model, axes)


def _infer(plan: Plan, classes: int) -> Model:
    """Return the model of `infer` with this number of classes."""
    (infer,) = (signature for signature in plan.model.signatures if signature.key == "infer")
    graph, copies = copy_graph(infer.graph)
    model = copy(plan.model)
    model.metadata, model.graphs = dict(plan.model.metadata), [graph]
    inputs, outputs = (
        {name: copies[tensor] for name, tensor in ends.items()}
        for ends in (infer.inputs, infer.outputs)
    )
    model.signatures = [Signature(infer.key, graph, inputs, outputs)]
    values = {
        name: variable.initial.value
        if variable.class_axis is None
        else variable.initial.value.take(range(classes), variable.class_axis)
        for name, variable in plan.variables.items()
    }
    keep_infer(model, values, exclusive=True)
    return model


def _class_axes(plan: Plan, graph: Graph) -> _Axes:
    """Return tensor → axes that run over classes; empty if the head needs the whole capacity.

    They are the axes that are shorter in the same model with a class less.
    """
    capacity = plan.capacity
    if capacity == 1:
        return {}
    try:
        smaller = _infer(plan, capacity - 1).main
    except ConversionError:
        return {}
    axes = {
        tensor: tuple(np.flatnonzero(np.not_equal(tensor.shape, other.shape)).tolist())
        for tensor, other in zip(graph.tensors, smaller.tensors, strict=True)
        if tensor.shape != other.shape
    }
    is_cut = smaller.outputs[0].shape == (1, capacity - 1) and all(
        tensor.shape[axis] == capacity for tensor in axes for axis in axes[tensor]
    )
    return axes if is_cut else {}
