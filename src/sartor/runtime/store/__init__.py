"""The sample store: what a user has taught, in one SQLite file that survives."""

from .records import SampleSet, StoredSample
from .store import SampleStore

__all__ = ["SampleSet", "SampleStore", "StoredSample"]
