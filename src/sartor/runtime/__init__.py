"""The device library: a personalizable file, its samples, training and saved state.

It imports nothing of the converter, and relies on the contract only, not on the layout of a head.
"""

from .model import PersonalModel
from .project import unpack_project
from .reembedding import reembed
from .results.records import Epoch, Evaluation, History, Prediction, Predictions
from .saved.bake import bake
from .saved.checkpoint import Checkpoint, read_checkpoint
from .store import StoredSample
from .training.job import TrainingJob

__all__ = [
    "Checkpoint",
    "Epoch",
    "Evaluation",
    "History",
    "PersonalModel",
    "Prediction",
    "Predictions",
    "StoredSample",
    "TrainingJob",
    "bake",
    "read_checkpoint",
    "reembed",
    "unpack_project",
]
