"""Optimizers: how a gradient becomes a step, as ops."""

from .adam import Adam, AdamW
from .clip import clip_by_global_norm
from .optimizer import Optimizer
from .rmsprop import RMSprop
from .sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "RMSprop", "clip_by_global_norm"]
