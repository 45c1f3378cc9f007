"""Checks of a model: LiteRT must neither reject it nor crash.

They run after reading, against hostile files, and before writing, against errors in Sartor.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import InvalidModelError
from ..graph import Graph, Model, Signature, Tensor
from .check_tensors import ADVICE, check_tensor
from .operands import find_operand_error, needs_shape_only
from .options import called_graphs, find_options_error
from .variables import check_variables

__all__ = ["check_model"]

_RESETS = ("ZEROS_LIKE", "QUANTIZE")  # the ops that Sartor writes to reset a state
_MAX_CALLS = 64  # nested; LiteRT uses the stack for each


def check_model(model: Model) -> None:
    """Check a model before it is used or written.

    Raises:
        InvalidModelError: If the model contradicts itself, or would crash LiteRT.
    """
    if not model.graphs:
        raise InvalidModelError(f"the model has no subgraph, expected at least one. {ADVICE}")
    for index, graph in enumerate(model.graphs):
        where = f"subgraph {index} {graph.name!r}"
        for tensor in graph.tensors:
            check_tensor(tensor, where)
        _check_ends(graph, where)
        _check_order(graph, where)
    check_variables(model)
    _check_calls(model)
    _check_signatures(model)


def _check_ends(graph: Graph, where: str) -> None:
    """Check that the caller can fill the inputs."""
    for tensor in graph.inputs:
        if tensor.data is not None or tensor.producer is not None:
            reason = (
                "a constant" if tensor.data is not None else f"an output of {tensor.producer!r}"
            )
            raise InvalidModelError(
                f"{where}, input {tensor.name!r} is {reason}, expected the caller to fill it. "
                f"{ADVICE}"
            )


def _check_order(graph: Graph, where: str) -> None:
    """Check that each tensor has a value when it is read."""
    ready = {tensor for tensor in graph.tensors if tensor.data is not None or tensor.is_variable}
    ready.update(graph.inputs)
    for index, op in enumerate(graph.ops):
        what = f"{where}, op {index} {op.name}"
        problem = find_options_error(op) or find_operand_error(op)
        if problem is not None:
            raise InvalidModelError(f"{what} {problem}. {ADVICE}")
        for input_index, tensor in enumerate(op.inputs):
            if tensor is None or tensor in ready or needs_shape_only(op, input_index, tensor):
                continue
            raise InvalidModelError(
                f"{what} reads {tensor!r} before it has a value; expected an input, a "
                f"constant, or an output of an op before this one. {ADVICE}"
            )
        for tensor in op.outputs:
            if tensor in ready and not _is_reset(tensor):
                raise InvalidModelError(
                    f"{what} returns {tensor!r}, which is a constant or variable; expected a "
                    f"tensor without a value. {ADVICE}"
                )
        ready.update(op.outputs)
    for tensor in graph.outputs:
        if tensor not in ready:
            raise InvalidModelError(
                f"{where}, output {tensor.name!r} has no value; expected an op to compute it. "
                f"{ADVICE}"
            )


def _is_reset(tensor: Tensor) -> bool:
    """Return True for the state of a recurrent layer that an op sets at the start of each call."""
    return tensor.is_variable and tensor.producer is not None and tensor.producer.code in _RESETS


def _check_calls(model: Model) -> None:
    """Check that graphs run only graphs of the model, without a cycle."""
    graphs = {graph: index for index, graph in enumerate(model.graphs)}
    calls = {
        graph: [called for op in graph.ops for called in called_graphs(op)]
        for graph in model.graphs
    }
    depth: dict[Graph, int] = {}
    for start in model.graphs:
        path: list[tuple[Graph, Iterable[Graph]]] = [(start, iter(calls[start]))]
        active = {start}
        while path:
            graph, rest = path[-1]
            called = next(iter(rest), None)
            if called is None:
                path.pop()
                active.discard(graph)
                depth[graph] = 1 + max((depth[each] for each in calls[graph]), default=0)
                _check_depth(depth[graph], graphs[graph])
                continue
            if called not in graphs:
                raise InvalidModelError(f"{called!r} is run, but is not in the model. {ADVICE}")
            if called in active:
                raise InvalidModelError(
                    f"subgraph {graphs[called]} {called.name!r} runs itself, through subgraph "
                    f"{graphs[graph]}; expected calls without a cycle. {ADVICE}"
                )
            if called not in depth:
                path.append((called, iter(calls[called])))
                active.add(called)


def _check_depth(depth: int, index: int) -> None:
    if depth > _MAX_CALLS:
        raise InvalidModelError(
            f"subgraph {index} nests {depth} calls, expected at most {_MAX_CALLS}. {ADVICE}"
        )


def _check_signatures(model: Model) -> None:
    keys: set[str] = set()
    for signature in model.signatures:
        what = f"signature {signature.key!r}"
        if signature.key in keys:
            raise InvalidModelError(
                f"{what} is in the model twice, expected different keys. {ADVICE}"
            )
        keys.add(signature.key)
        if signature.graph not in model.graphs:
            raise InvalidModelError(f"{what} runs a graph that is not in the model. {ADVICE}")
        _check_names(signature, what)


def _check_names(signature: Signature, what: str) -> None:
    """Check that a signature names only inputs and outputs of its graph."""
    graph = signature.graph
    for side, ends, there in (
        ("input", signature.inputs, set(graph.inputs)),
        ("output", signature.outputs, set(graph.outputs)),
    ):
        for name, tensor in ends.items():
            if tensor not in there:
                raise InvalidModelError(
                    f"{what} names {tensor!r} as its {side} {name!r}, which is not an {side} of "
                    f"the subgraph. {ADVICE}"
                )
