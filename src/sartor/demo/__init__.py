"""A demonstration on real photos that are installed with the extra `demo`.

Each of nine photos in scikit-image and scikit-learn is one class. `rendering` renders each as a
print on a cluttered table: three views are for training, twenty for the test. Results over ten
seeds, with the starter base:

    trained model                       91.4 % correct (87.8 to 95.0)
    trained with shuffled labels         9.9 % (2.8 to 18.0); random guesses: 11.1 %
    logistic regression on the pixels   38.4 % (27.2 to 43.9)
    a tenth class from one view         87 % of twenty others correct (60 to 95)
"""

from .data import DemoData, load_folder, render_photos
from .drawings import write_sample_photos
from .run import Demo, Progress
from .stages import (
    AddClassStage,
    BakeStage,
    ConvertStage,
    EvaluateStage,
    PhotosStage,
    ReloadStage,
    Stage,
    TrainStage,
)

__all__ = [
    "AddClassStage",
    "BakeStage",
    "ConvertStage",
    "Demo",
    "DemoData",
    "EvaluateStage",
    "PhotosStage",
    "Progress",
    "ReloadStage",
    "Stage",
    "TrainStage",
    "load_folder",
    "render_photos",
    "write_sample_photos",
]
