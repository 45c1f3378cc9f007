"""The sample store: samples as features in one SQLite file."""

from .codec import FeatureRows
from .records import SampleSet, StoredSample
from .store import SampleStore
from .transfer import reembed_samples
from .writing import new_key

__all__ = ["FeatureRows", "SampleSet", "SampleStore", "StoredSample", "new_key", "reembed_samples"]
