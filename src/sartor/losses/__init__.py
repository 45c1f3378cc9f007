"""Losses: from logits and targets to the value that training minimizes, as ops."""

from .cross_entropy import SigmoidCrossEntropy, SoftmaxCrossEntropy
from .loss import Loss
from .mean import weighted_mean
from .regression import Huber, MeanSquaredError

__all__ = [
    "Huber",
    "Loss",
    "MeanSquaredError",
    "SigmoidCrossEntropy",
    "SoftmaxCrossEntropy",
    "weighted_mean",
]
