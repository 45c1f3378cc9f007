"""Attach the signature `train`: differentiate the loss, and attach the optimizer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..autodiff import gradients
from ..contract.names import LEARNING_RATE, LOSS, MASK, OUTPUT, RANDOM_STATE, WEIGHT_DECAY
from ..graph import Tensor
from ..heads import DropoutMasks
from ..ops import add, mul, zeros_like
from ..optimizers import clip_by_global_norm
from .attach_loss import attach_loss
from .plan import Plan, Variable
from .signature_builder import SignatureBuilder
from .split_wide_layers import split_wide_layers

__all__ = ["add_optimizer_state", "attach_train"]


def attach_train(plan: Plan, key: str = "train") -> None:
    """Add a signature `train`: one optimizer step on a batch.

    The new graph contains the head, the loss, its gradients and the update of each parameter. The
    outputs `loss` and `output` are those before the step.

    Args:
        plan: gets the signature; it has the variables of the optimizer (`add_optimizer_state`).
        key: name of the signature.
    """
    builder = SignatureBuilder(plan, key)
    logits, random_state = _training_logits(builder, builder.feature_inputs())
    split_wide_layers(builder.graph, logits)
    output = plan.head.loss.output(logits, builder.read(MASK))
    loss = attach_loss(builder, logits)
    if plan.variables_with_role("parameter"):
        _attach_step(builder, loss)
    else:  # only `set_class` changes this head; the contract still requires the input
        loss = add(loss, zeros_like(builder.input(LEARNING_RATE, (1,))))
    if random_state is not None:
        builder.assign(RANDOM_STATE, random_state)
    builder.finish({LOSS: loss, OUTPUT: output})


def _training_logits(
    builder: SignatureBuilder, features: Sequence[Tensor]
) -> tuple[Tensor, Tensor | None]:
    """Return the logits [B, C], and for a head with dropout its next random state."""
    head = builder.plan.dropout_head
    if head is None:
        return builder.plan.head.logits(features, builder.head_parameters()), None
    masks = DropoutMasks(builder.read(RANDOM_STATE), features[0])
    logits = head.training_logits(features, builder.head_parameters(), masks)
    return logits, masks.next_state()


def _attach_step(builder: SignatureBuilder, loss: Tensor) -> None:
    """Update every parameter by its gradient, and the state of the optimizer."""
    plan, optimizer = builder.plan, builder.plan.optimizer
    parameters = plan.variables_with_role("parameter")
    loss_gradients = gradients(loss, [builder.read(variable.name) for variable in parameters])
    if optimizer.clip_norm is not None:
        loss_gradients = clip_by_global_norm(loss_gradients, optimizer.clip_norm)
    learning_rate, weight_decay = builder.input(LEARNING_RATE, (1,)), builder.read(WEIGHT_DECAY)
    shared = optimizer.advance(
        {name: builder.read(_shared_name(name)) for name in optimizer.shared_state}
    )
    updates = {_shared_name(name): value for name, value in shared.items()}
    for variable, gradient in zip(parameters, loss_gradients, strict=True):
        state = {
            name: builder.read(_state_name(name, variable)) for name in optimizer.parameter_state
        }
        value = builder.read(variable.name)
        rate = learning_rate if variable.rate is None else mul(learning_rate, variable.rate)
        updates[variable.name], state = optimizer.update(
            value, gradient, state, shared, rate, weight_decay
        )
        updates.update({_state_name(name, variable): value for name, value in state.items()})
    for name, value in updates.items():
        builder.assign(name, value)


def add_optimizer_state(plan: Plan) -> None:
    """Add the variables of the optimizer."""
    for variable in plan.variables_with_role("parameter"):
        for name in plan.optimizer.parameter_state:
            plan.add_variable(
                _state_name(name, variable),
                "optimizer_state",
                np.zeros(variable.shape, np.float32),
                class_axis=variable.class_axis,
                parameter=variable.name,
            )
    for name in plan.optimizer.shared_state:
        plan.add_variable(_shared_name(name), "optimizer_state", np.zeros(1, np.float32))


def _state_name(name: str, variable: Variable) -> str:
    """Return the name of the optimizer state of one parameter."""
    return f"optimizer/{name}/{variable.name}"


def _shared_name(name: str) -> str:
    """Return the name of an optimizer state that all parameters share."""
    return f"optimizer/{name}"
