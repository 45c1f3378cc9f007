"""A demonstration on real photos that are installed with the extra `demo`.

Nine photos in scikit-image and scikit-learn are one class each. `views` renders them as prints on
a messy table; three views are for training, twenty others for the test. Over ten seeds, with the
starter base:

    trained model                       91.4 % correct (87.8 to 95.0)
    trained with shuffled labels         9.9 % (2.8 to 18.0); random guesses: 11.1 %
    logistic regression on the pixels   38.4 % (27.2 to 43.9)
    a tenth class from one view         87 % of its twenty others correct (60 to 95)
"""

from .material import Material, of_folder, of_photos
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
    "EvaluateStage",
    "Material",
    "PhotosStage",
    "Progress",
    "ReloadStage",
    "Stage",
    "TrainStage",
    "of_folder",
    "of_photos",
]
