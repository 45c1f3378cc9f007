"""Costs of a model in LiteRT, computed from its graphs: multiply-adds and memory."""

from .multiply_adds import multiply_adds
from .training import TrainingCost, training_cost

__all__ = ["TrainingCost", "multiply_adds", "training_cost"]
