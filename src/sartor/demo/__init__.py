"""A demonstration on real pictures, which a newcomer has not got to find first.

Nine photos that ship with scikit-image and scikit-learn are a class each. `views` renders them as
prints on a messy table, over and over; five views are learned from, twenty others tested on. That
is neither trivial nor impossible (ten seeds, the starter base): PLACEHOLDER
"""

from .run import Demo, Progress
from .stages import Baked, Converted, Gathered, Grown, Judged, Learned, Reloaded, Stage

__all__ = [
    "Baked",
    "Converted",
    "Demo",
    "Gathered",
    "Grown",
    "Judged",
    "Learned",
    "Progress",
    "Reloaded",
    "Stage",
]
