"""The sample store: samples as features in one SQLite file."""

from .codec import FeatureRows
from .records import SampleSet, StoredSample
from .store import SampleStore
from .stored_features import StoredFeatures, take_rows
from .transfer import reembed_samples
from .writing import new_key

__all__ = [
    "FeatureRows",
    "SampleSet",
    "SampleStore",
    "StoredFeatures",
    "StoredSample",
    "new_key",
    "reembed_samples",
    "take_rows",
]
