"""Differentiate the loss and attach the optimizer: the signature `train`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..autodiff import gradients
from ..contract.names import LEARNING_RATE, LOSS, MASK, OUTPUT, RANDOM
from ..graph import Tensor
from ..heads import Masks
from ..ops import add, zeros_like
from ..optimizers import clip_by_global_norm
from .attach_loss import batch_logits, batch_loss
from .plan import Plan, Variable, Workspace

__all__ = ["attach_train"]


def attach_train(plan: Plan) -> None:
    """Add `train`: one step on a batch. It yields loss and output from before the step."""
    _make_variables(plan)
    work = Workspace(plan, "train")
    logits, random = _training_logits(work, work.feature_inputs())
    output = plan.head.loss.output(logits, work.read(MASK))
    loss = batch_loss(work, logits)
    if plan.named("parameter"):
        _step(work, loss)
    else:  # only `set_class` changes this head: the rate is taken, and counts for nothing
        loss = add(loss, zeros_like(work.input(LEARNING_RATE, (1,))))
    if random is not None:
        work.assign(RANDOM, random)
    work.sign({LOSS: loss, OUTPUT: output})


def _training_logits(work: Workspace, features: Sequence[Tensor]) -> tuple[Tensor, Tensor | None]:
    """The logits [B, C]; and where units are dropped, the random state of the next step."""
    head = work.plan.random_head
    if head is None:
        return batch_logits(work, features), None
    masks = Masks(work.read(RANDOM), features[0])
    logits = head.training_logits(features, work.parameters(), masks)
    return logits, masks.advanced()


def _step(work: Workspace, loss: Tensor) -> None:
    """Change every parameter by its gradient, and the optimizer's variables with it."""
    plan, optimizer = work.plan, work.plan.optimizer
    parameters = plan.named("parameter")
    slopes = gradients(loss, [work.read(variable.name) for variable in parameters])
    if optimizer.clip_norm is not None:
        slopes = clip_by_global_norm(slopes, optimizer.clip_norm)
    learning_rate = work.input(LEARNING_RATE, (1,))
    state = optimizer.advance({name: work.read(_own(name)) for name in optimizer.state})
    new = {_own(name): value for name, value in state.items()}
    for variable, slope in zip(parameters, slopes, strict=True):
        slots = {slot: work.read(_slot(slot, variable)) for slot in optimizer.slots}
        value = work.read(variable.name)
        new[variable.name], slots = optimizer.update(value, slope, slots, state, learning_rate)
        new.update({_slot(slot, variable): value for slot, value in slots.items()})
    for name, value in new.items():
        work.assign(name, value)


def _make_variables(plan: Plan) -> None:
    for variable in plan.named("parameter"):
        for slot in plan.optimizer.slots:
            plan.add_variable(
                _slot(slot, variable), "slot", np.zeros(variable.shape, np.float32),
                class_axis=variable.class_axis, parameter=variable.name,
            )  # fmt: skip
    for name in plan.optimizer.state:
        plan.add_variable(_own(name), "optimizer", np.zeros(1, np.float32))


def _slot(slot: str, variable: Variable) -> str:
    return f"optimizer/{slot}/{variable.name}"


def _own(name: str) -> str:
    return f"optimizer/{name}"
