"""What a device needs: a personalizable file at work, its samples, training and saved state.

Nothing here knows the converter, or how a head is laid out: the contract is all there is.
"""

from .bake import bake
from .checkpoint import Checkpoint, read_checkpoint
from .model import PersonalModel
from .project import unpack as unpack_project
from .reembed import reembed
from .results import Epoch, Evaluation, History, Prediction, Predictions
from .store import StoredSample
from .training import Training

__all__ = [
    "Checkpoint",
    "Epoch",
    "Evaluation",
    "History",
    "PersonalModel",
    "Prediction",
    "Predictions",
    "StoredSample",
    "Training",
    "bake",
    "read_checkpoint",
    "reembed",
    "unpack_project",
]
