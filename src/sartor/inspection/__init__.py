"""Describe files: models, checkpoints, sample stores and projects.

For a model the description includes the possible cuts, their costs, and the layers that gradients
reach, and on demand the cost of training. Nothing is run.
"""

from .files import Description, describe
from .records import (
    CutInfo,
    GradientStop,
    LayerInfo,
    ModelDescription,
    OpInfo,
    SignatureInfo,
    TensorInfo,
    VariableInfo,
)
from .saved import CheckpointDescription, ProjectDescription, StoreDescription
from .training import TrainingCost, TrainingDepth, TrainingPrediction

__all__ = [
    "CheckpointDescription",
    "CutInfo",
    "Description",
    "GradientStop",
    "LayerInfo",
    "ModelDescription",
    "OpInfo",
    "ProjectDescription",
    "SignatureInfo",
    "StoreDescription",
    "TensorInfo",
    "TrainingCost",
    "TrainingDepth",
    "TrainingPrediction",
    "VariableInfo",
    "describe",
]
