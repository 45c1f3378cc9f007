"""Optimizers, as ops."""

from ..contract.specs import FirstStep, StepSpec
from .adam import Adam, AdamW
from .clip import clip_by_global_norm
from .optimizer import Optimizer, check_optimizer
from .rmsprop import RMSprop
from .sgd import SGD

__all__ = [
    "DEFAULT_OPTIMIZER",
    "OPTIMIZERS",
    "SGD",
    "Adam",
    "AdamW",
    "FirstStep",
    "Optimizer",
    "RMSprop",
    "StepSpec",
    "check_optimizer",
    "clip_by_global_norm",
]

DEFAULT_OPTIMIZER = SGD(momentum=0.9)
"""Optimizer of a conversion if none is given."""

OPTIMIZERS = {optimizer.name: optimizer for optimizer in (SGD, Adam, AdamW, RMSprop)}
"""Name → class of each optimizer; `sartor convert --optimizer` takes these names."""
