"""`sartor evaluate`: measure a model on a folder of photos."""

from __future__ import annotations

from ..errors import StoreError
from ._folder_state import label_names, present_names
from ._options import BakedOrCheckpoint, ModelFile, PhotoFolder
from ._photos import Photos, SkipUnreadable
from ._plot import Plot, check_plot
from ._results import describe_evaluation, print_evaluation
from ._user import find_checkpoint, open_store, store_of
from .predict import open_trained
from .report import Json, fail, note, print_json

__all__ = ["evaluate"]


def evaluate(
    model: ModelFile,
    folder: PhotoFolder,
    checkpoint: BakedOrCheckpoint = None,
    skip_unreadable: SkipUnreadable = False,
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Measure a model on photos that it was not trained on.

    FOLDER contains a folder of photos for each class; or it is a CSV, as for `fit`. Of a
    folder with train/ and validation/, the photos in validation/ are measured.
    """
    checkpoint = find_checkpoint(model, checkpoint)
    check_plot(plot, model, checkpoint)
    with open_trained(model, checkpoint) as personal:
        if plot is not None and personal.manifest.task != "classification":
            fail("--plot shows a confusion matrix, which only a classification has")
        photos = Photos(folder, personal.manifest, skip_unreadable=skip_unreadable)
        photos.keep_validation()
        if checkpoint is not None and store_of(checkpoint).is_file():
            try:
                with open_store(personal, checkpoint) as store:
                    photos.rename(present_names(store, folder, personal.classes))
            except StoreError as error:  # the weights do not need it
                note(str(error))
        personal.check_classes(
            name for file in photos.files.values() for name in label_names(file.label)
        )
        evaluation = personal.evaluate(photos.samples())
    if plot is not None:
        from ..charts import confusion_chart

        confusion_chart(evaluation.labels, evaluation.confusion.tolist()).save(plot)
    if as_json:
        print_json(describe_evaluation(evaluation))
    else:
        print_evaluation(evaluation)
