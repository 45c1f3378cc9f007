"""The whole pipeline on real photos: convert, train, evaluate, reload, add a class, bake."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from ..charts import confusion_chart, loss_chart
from ..charts.image import write_png
from ..convert import convert
from ..errors import DataError, SartorError
from ..modalities import modality_of
from ..runtime import Evaluation, History, PersonalModel, bake
from .data import DemoData, Example, ShowProgress, load_folder, no_progress, render_photos
from .pixels import pixel_accuracy
from .sheet import PhotoPrediction, contact_sheet, first_of_each_class
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

__all__ = ["Demo", "Progress"]

Progress: TypeAlias = Callable[[str], AbstractContextManager[ShowProgress]]
"""Takes a title and shows a progress bar until the block ends."""

_SHUFFLES = 3
_MOST_CLASSES, _ROWS = 12, 5  # of the sheet of photos


@dataclass(frozen=True)
class Demo:
    """One run of the demo.

    Attributes:
        out: folder for the results.
        base: path of a base, or a name such as `starter`.
        photos: folder with one subfolder of photos per class. Default: the photos in the packages
            scikit-image and scikit-learn.
        seed: seed of the random numbers.
        progress: function that shows a progress bar.
    """

    out: Path
    base: str = "starter"
    photos: Path | None = None
    seed: int = 0
    progress: Progress = lambda title: nullcontext(no_progress)

    def run(self) -> Iterator[Stage]:
        """Run the demo, and yield the result of each stage.

        Raises:
            DataError: If there are not enough photos.
            SartorError: If the base cannot be converted.
            OSError: If a file cannot be read or written.
        """
        data = self._load_photos()  # first, because it can fail
        self.out.mkdir(parents=True, exist_ok=True)
        yield PhotosStage(
            data.labels, len(data.training), len(data.test), data.new,
            data.source, data.skipped,
        )  # fmt: skip
        converted = self._convert(len(data.labels) + (data.new is not None))
        yield converted
        with PersonalModel(converted.file) as model:
            yield self._train(model, data)
            evaluate_stage = self._evaluate(model, data)
            yield evaluate_stage
        checkpoint = self.out / "mine.safetensors"
        with PersonalModel(converted.file) as model:
            yield self._reload(model, data, checkpoint, evaluate_stage.evaluation)
            if data.new is not None:
                yield self._add_class(model, data, checkpoint)
        yield self._bake(converted.file, checkpoint)

    def _load_photos(self) -> DemoData:
        with self.progress("loading photos") as show:
            if self.photos is None:
                return render_photos(self.seed, show)
            return load_folder(self.photos, self.seed, show)

    def _convert(self, capacity: int) -> ConvertStage:
        converted = convert(self.base, classes=capacity)
        inputs = converted.manifest.inputs
        if len(inputs) != 1 or not modality_of(inputs[0]).reads_files:
            raise DataError(
                f"the demo needs a base with one image input, and {self.base} takes "
                f"{', '.join(spec.name for spec in inputs)}: choose another --base"
            )
        path = converted.save(self.out / "model.tflite")
        return ConvertStage(self.base, path, capacity, converted.notes)

    def _train(self, model: PersonalModel, data: DemoData) -> TrainStage:
        start = time.perf_counter()
        with self.progress("training") as show:
            history = self._fit(model, data.training, show)
        seconds = time.perf_counter() - start
        model.save(self.out / "mine.safetensors")
        chart = loss_chart([epoch.loss for epoch in history.epochs])
        return TrainStage(history, seconds, chart.save(self.out / "loss.png"))

    def _fit(
        self, model: PersonalModel, examples: Sequence[Example], show: ShowProgress
    ) -> History:
        for number, (photo, label) in enumerate(examples, 1):
            model.add_sample(photo, label)
            show(number, len(examples), "")
        return model.fit(
            on_epoch=lambda epoch: show(epoch.epoch, epoch.epochs, f"loss {epoch.loss:.3f}"),
            seed=self.seed,
        )

    def _evaluate(self, model: PersonalModel, data: DemoData) -> EvaluateStage:
        evaluation = model.evaluate(data.test)
        chart = confusion_chart(evaluation.labels, evaluation.confusion.tolist())
        predictions = _predict(model, first_of_each_class(data.test, _ROWS, _MOST_CLASSES))
        title = (
            f"Test photos: {round(evaluation.accuracy * evaluation.samples)} of "
            f"{evaluation.samples} correct"
        )
        columns = min(_MOST_CLASSES, len(data.labels))
        sheet = contact_sheet(predictions, title, columns=columns)
        return EvaluateStage(
            evaluation,
            self._shuffled(model.path, data),
            pixel_accuracy(data.training, data.test),
            chart.save(self.out / "confusion.png"),
            write_png(sheet, self.out / "predictions.png"),
            predictions,
        )

    def _shuffled(self, path: Path, data: DemoData) -> float:
        """Return the mean accuracy after training on the same photos with shuffled labels."""
        rng, accuracies = np.random.default_rng(self.seed), []
        labels = [label for _, label in data.training]
        with self.progress("training with shuffled labels") as show:
            for index in range(_SHUFFLES):
                shuffled = [labels[i] for i in rng.permutation(len(labels))]
                pairs = zip(data.training, shuffled, strict=True)
                with PersonalModel(path) as model:
                    self._fit(model, [(each[0], label) for each, label in pairs], no_progress)
                    accuracies.append(model.evaluate(data.test).accuracy)
                show(index + 1, _SHUFFLES, "")
        return float(np.mean(accuracies))

    def _reload(
        self, model: PersonalModel, data: DemoData, checkpoint: Path, before: Evaluation
    ) -> ReloadStage:
        model.load(checkpoint)
        after = model.evaluate(data.test)
        if not np.array_equal(after.confusion, before.confusion):
            raise SartorError(
                f"{checkpoint} predicts other classes than the model that saved it: this is a bug, "
                "please report it"
            )
        return ReloadStage(checkpoint)

    def _add_class(self, model: PersonalModel, data: DemoData, checkpoint: Path) -> AddClassStage:
        if data.new is None or data.new_sample is None:
            raise DataError("there is no class to add: give three or more folders")
        label = data.new
        model.add_sample(data.new_sample, label)
        model.save(checkpoint)
        evaluation = model.evaluate(data.new_test)
        others = model.evaluate(data.test).accuracy
        correct = round(evaluation.accuracy * evaluation.samples)
        predictions = _predict(model, data.new_test[:10])
        title = f"{label}, from one photo: {correct} of {evaluation.samples} correct"
        sheet = contact_sheet(predictions, title, columns=5)
        path = write_png(sheet, self.out / "new-class.png")
        return AddClassStage(label, correct, evaluation.samples, others, path, predictions)

    def _bake(self, model: Path, checkpoint: Path) -> BakeStage:
        path, _ = bake(model, checkpoint, self.out / "mine.tflite")
        with PersonalModel(path) as baked:
            return BakeStage(path, baked.classes)


def _predict(model: PersonalModel, examples: Sequence[Example]) -> tuple[PhotoPrediction, ...]:
    predictions = []
    for photo, label in examples:
        best = model.predict(photo)[0]
        predictions.append(PhotoPrediction(photo, label, best.label, best.probability))
    return tuple(predictions)
