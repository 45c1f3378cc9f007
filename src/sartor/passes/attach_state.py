"""Take the state out, put it back, start anew: `save`, `restore` and `initialize`."""

from __future__ import annotations

from ..contract.names import DONE, RUN, TEMPERATURE
from ..graph import DType, Tensor
from ..ops import add, reshape, zeros_like
from .plan import Plan, Workspace

__all__ = ["attach_state"]


def attach_state(plan: Plan) -> None:
    """Add the three signatures that carry variables across."""
    _attach_save(plan)
    _attach_restore(plan)
    _attach_initialize(plan)


def _attach_save(plan: Plan) -> None:
    """`save`: adding zero to what is read gives each output a tensor of its own."""
    work = Workspace(plan, "save")
    nothing = zeros_like(work.input(RUN, (1,)))
    work.sign({name: add(work.read(name), nothing) for name in plan.variables})


def _attach_restore(plan: Plan) -> None:
    """`restore`: a constant RESHAPE refuses what is not of the variable's size.

    Without it a wrong shape is accepted, and the next read goes out of bounds.
    """
    work = Workspace(plan, "restore")
    given = {name: work.input(name, variable.shape) for name, variable in plan.variables.items()}
    checked = {name: reshape(tensor, tensor.shape) for name, tensor in given.items()}
    for name, value in checked.items():
        work.assign(name, value)
    work.sign({DONE: _done(checked[TEMPERATURE])})


def _attach_initialize(plan: Plan) -> None:
    """`initialize`: the values that the file came with, from the bytes that the initializer uses.

    CALL_ONCE cannot run a second time, and no op calls a graph without inputs.
    """
    work = Workspace(plan, "initialize")
    run = work.input(RUN, (1,))
    for name, variable in plan.variables.items():
        constant = work.graph.tensor(name, DType.FLOAT32, variable.shape)
        constant.data, constant.exclusive = variable.initial.data, True
        work.assign(name, constant)
    work.sign({DONE: _done(run)})


def _done(tensor: Tensor) -> Tensor:
    """[1]: 1, by an op that uses the tensor [1]."""
    return add(zeros_like(tensor), 1.0)
