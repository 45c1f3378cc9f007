"""Differentiate the loss and attach the optimizer: the signature `train`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..autodiff import gradients
from ..contract.names import LEARNING_RATE, LOSS, MASK, OUTPUT, RANDOM_STATE
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
        work.assign(RANDOM_STATE, random)
    work.sign({LOSS: loss, OUTPUT: output})


def _training_logits(work: Workspace, features: Sequence[Tensor]) -> tuple[Tensor, Tensor | None]:
    """The logits [B, C]; and where units are dropped, the random state of the next step."""
    head = work.plan.random_head
    if head is None:
        return batch_logits(work, features), None
    masks = Masks(work.read(RANDOM_STATE), features[0])
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
    shared = optimizer.advance({name: work.read(_shared(name)) for name in optimizer.shared_state})
    new = {_shared(name): value for name, value in shared.items()}
    for variable, slope in zip(parameters, slopes, strict=True):
        state = {name: work.read(_own(name, variable)) for name in optimizer.parameter_state}
        value = work.read(variable.name)
        new[variable.name], state = optimizer.update(value, slope, state, shared, learning_rate)
        new.update({_own(name, variable): value for name, value in state.items()})
    for name, value in new.items():
        work.assign(name, value)


def _make_variables(plan: Plan) -> None:
    for variable in plan.named("parameter"):
        for name in plan.optimizer.parameter_state:
            plan.add_variable(
                _own(name, variable), "optimizer_state", np.zeros(variable.shape, np.float32),
                class_axis=variable.class_axis, parameter=variable.name,
            )  # fmt: skip
    for name in plan.optimizer.shared_state:
        plan.add_variable(_shared(name), "optimizer_state", np.zeros(1, np.float32))


def _own(name: str, variable: Variable) -> str:
    return f"optimizer/{name}/{variable.name}"


def _shared(name: str) -> str:
    return f"optimizer/{name}"
