"""What is in a file: a model, and what it could learn; a checkpoint, a sample store, a project."""

from .files import Description, describe
from .records import (
    CutFacts,
    LayerFacts,
    ModelDescription,
    OpFacts,
    SignatureFacts,
    StopFacts,
    TensorFacts,
    VariableFacts,
)
from .saved import CheckpointDescription, ProjectDescription, StoreDescription

__all__ = [
    "CheckpointDescription",
    "CutFacts",
    "Description",
    "LayerFacts",
    "ModelDescription",
    "OpFacts",
    "ProjectDescription",
    "SignatureFacts",
    "StopFacts",
    "StoreDescription",
    "TensorFacts",
    "VariableFacts",
    "describe",
]
