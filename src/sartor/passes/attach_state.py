"""Attach the signatures that move variables: `save`, `restore` and `initialize`."""

from __future__ import annotations

from ..contract.names import DONE, RUN, TEMPERATURE
from ..graph import DType, Tensor
from ..ops import add, reshape, zeros_like
from .plan import Plan
from .signature_builder import SignatureBuilder

__all__ = ["attach_state"]


def attach_state(plan: Plan) -> None:
    """Add `save`, `restore` and `initialize`, each a new graph over all variables."""
    _attach_save(plan)
    _attach_restore(plan)
    _attach_initialize(plan)


def _attach_save(plan: Plan) -> None:
    """Add `save`; adding zero gives each output a tensor of its own."""
    builder = SignatureBuilder(plan, "save")
    zero = zeros_like(builder.input(RUN, (1,)))
    builder.finish({name: add(builder.read(name), zero) for name in plan.variables})


def _attach_restore(plan: Plan) -> None:
    """Add `restore`; a RESHAPE to a constant shape rejects values of another size.

    Without it LiteRT accepts a wrong shape, and the next read goes out of bounds.
    """
    builder = SignatureBuilder(plan, "restore")
    inputs = {name: builder.input(name, each.shape) for name, each in plan.variables.items()}
    values = {name: reshape(tensor, tensor.shape) for name, tensor in inputs.items()}
    for name, value in values.items():
        builder.assign(name, value)
    builder.finish({DONE: _one(values[TEMPERATURE])})


def _attach_initialize(plan: Plan) -> None:
    """Add `initialize`, which shares the bytes of the initial values with the initializer.

    CALL_ONCE cannot run a second time, and no op calls a graph without inputs.
    """
    builder = SignatureBuilder(plan, "initialize")
    run = builder.input(RUN, (1,))
    for name, variable in plan.variables.items():
        constant = builder.graph.tensor(name, DType.FLOAT32, variable.shape)
        constant.data, constant.exclusive = variable.initial.data, True
        builder.assign(name, constant)
    builder.finish({DONE: _one(run)})


def _one(tensor: Tensor) -> Tensor:
    """Return [1] with the value 1, computed from a tensor [1]."""
    return add(zeros_like(tensor), 1.0)
