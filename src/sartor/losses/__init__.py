"""Losses, as ops."""

from .cross_entropy import SigmoidCrossEntropy, SoftmaxCrossEntropy
from .loss import Loss, check_loss
from .mean import weighted_mean
from .regression import Huber, MeanSquaredError

__all__ = [
    "Huber",
    "Loss",
    "MeanSquaredError",
    "SigmoidCrossEntropy",
    "SoftmaxCrossEntropy",
    "check_loss",
    "weighted_mean",
]
