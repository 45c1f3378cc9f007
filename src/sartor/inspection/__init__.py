"""Describe files: models, checkpoints, sample stores and projects.

For a model the description includes the possible cuts, their costs, and the layers that gradients
reach. Nothing is run.
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
    "VariableInfo",
    "describe",
]
