"""The whole pipeline on real pictures: convert, learn, judge, save, reload, a new class, bake."""

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
from .material import Count, Example, Material, of_folder, of_photos, say_nothing
from .pixels import pixel_accuracy
from .sheet import Answer, contact_sheet, few_of_each
from .stages import Baked, Converted, Gathered, Grown, Judged, Learned, Reloaded, Stage

__all__ = ["Demo", "Progress"]

Progress: TypeAlias = Callable[[str], AbstractContextManager[Count]]
"""Takes a title, and shows how far something is until the block ends."""

_SHUFFLES = 3
_MOST_CLASSES, _ROWS = 12, 5  # of the sheet of pictures


@dataclass(frozen=True)
class Demo:
    """One run of the demo.

    Attributes:
        out: the folder for what it makes.
        base: the path of a `.tflite` file, or a name that `convert` knows.
        photos: a folder of photos with one for each class; None for those that ship with others.
        seed: of everything that is drawn at random.
        progress: shows how far it is.
    """

    out: Path
    base: str = "starter"
    photos: Path | None = None
    seed: int = 0
    progress: Progress = lambda title: nullcontext(say_nothing)

    def run(self) -> Iterator[Stage]:
        """Do it, stage by stage.

        Raises:
            DataError: the pictures are not there, or not enough.
            SartorError: the base cannot be converted.
            OSError: something cannot be read or written.
        """
        material = self._gather()  # first: here a user's mistake shows
        self.out.mkdir(parents=True, exist_ok=True)
        yield Gathered(
            material.labels, len(material.learn), len(material.test), material.new, material.source,
            material.left_out,
        )  # fmt: skip
        converted = self._convert(len(material.labels) + (material.new is not None))
        yield converted
        with PersonalModel(converted.file) as model:
            yield self._learn(model, material)
            judged = self._judge(model, material)
            yield judged
        checkpoint = self.out / "mine.safetensors"
        with PersonalModel(converted.file) as model:
            yield self._reload(model, material, checkpoint, judged.measured)
            if material.new is not None:
                yield self._grow(model, material, checkpoint)
        yield self._bake(converted.file, checkpoint)

    def _gather(self) -> Material:
        with self.progress("pictures") as show:
            if self.photos is None:
                return of_photos(self.seed, show)
            return of_folder(self.photos, self.seed, show)

    def _convert(self, capacity: int) -> Converted:
        made = convert(self.base, classes=capacity)
        inputs = made.manifest.inputs
        if len(inputs) != 1 or not modality_of(inputs[0]).reads_files:
            raise DataError(
                f"the demo needs a base with one image input, and {self.base} takes "
                f"{', '.join(spec.name for spec in inputs)}: choose another --base"
            )
        path = made.save(self.out / "model.tflite")
        return Converted(self.base, path, capacity, made.notes)

    def _learn(self, model: PersonalModel, material: Material) -> Learned:
        start = time.perf_counter()
        with self.progress("learning") as show:
            history = self._fit(model, material.learn, show)
        seconds = time.perf_counter() - start
        model.save(self.out / "mine.safetensors")
        chart = loss_chart([epoch.loss for epoch in history.epochs])
        return Learned(history, seconds, chart.save(self.out / "loss.png"))

    def _fit(self, model: PersonalModel, examples: Sequence[Example], show: Count) -> History:
        for done, (picture, label) in enumerate(examples, 1):
            model.add_sample(picture, label)
            show(done, len(examples), "")
        return model.fit(
            on_epoch=lambda epoch: show(epoch.epoch, epoch.epochs, f"loss {epoch.loss:.3f}"),
            seed=self.seed,
        )

    def _judge(self, model: PersonalModel, material: Material) -> Judged:
        measured = model.evaluate(material.test)
        chart = confusion_chart(measured.labels, measured.confusion.tolist())
        answers = _answers(model, few_of_each(material.test, _ROWS, _MOST_CLASSES))
        title = (
            f"Pictures that it had not seen: {round(measured.accuracy * measured.samples)} of all "
            f"{measured.samples} right"
        )
        columns = min(_MOST_CLASSES, len(material.labels))
        sheet = contact_sheet(answers, title, columns=columns)
        return Judged(
            measured,
            self._shuffled(model.path, material),
            pixel_accuracy(material.learn, material.test),
            chart.save(self.out / "confusion.png"),
            write_png(sheet, self.out / "predictions.png"),
            answers,
        )

    def _shuffled(self, path: Path, material: Material) -> float:
        """The mean accuracy of models that learned the same pictures with the labels shuffled."""
        rng, found = np.random.default_rng(self.seed), []
        labels = [label for _, label in material.learn]
        with self.progress("the same with labels shuffled") as show:
            for done in range(_SHUFFLES):
                shuffled = [labels[i] for i in rng.permutation(len(labels))]
                pairs = zip(material.learn, shuffled, strict=True)
                with PersonalModel(path) as model:
                    self._fit(model, [(each[0], label) for each, label in pairs], say_nothing)
                    found.append(model.evaluate(material.test).accuracy)
                show(done + 1, _SHUFFLES, "")
        return float(np.mean(found))

    def _reload(
        self, model: PersonalModel, material: Material, checkpoint: Path, before: Evaluation
    ) -> Reloaded:
        model.load(checkpoint)
        after = model.evaluate(material.test)
        if not np.array_equal(after.confusion, before.confusion):
            raise SartorError(
                f"{checkpoint} answers otherwise than the model that it was saved from: this is a "
                "defect in Sartor, please report it"
            )
        return Reloaded(checkpoint)

    def _grow(self, model: PersonalModel, material: Material, checkpoint: Path) -> Grown:
        if material.new is None or material.new_sample is None:
            raise DataError("there is no class left to add")
        label = material.new
        model.add_sample(material.new_sample, label)
        model.save(checkpoint)
        measured = model.evaluate(material.new_test)
        others = model.evaluate(material.test).accuracy
        found = round(measured.accuracy * measured.samples)
        answers = _answers(model, material.new_test[:10])
        title = f"{label}, from one picture: {found} of all {measured.samples} right"
        sheet = contact_sheet(answers, title, columns=5)
        path = write_png(sheet, self.out / "new-class.png")
        return Grown(label, found, measured.samples, others, path, answers)

    def _bake(self, model: Path, checkpoint: Path) -> Baked:
        path, _ = bake(model, checkpoint, self.out / "mine.tflite")
        with PersonalModel(path) as baked:
            return Baked(path, baked.classes)


def _answers(model: PersonalModel, examples: Sequence[Example]) -> tuple[Answer, ...]:
    found = []
    for picture, label in examples:
        best = model.predict(picture)[0]
        found.append(Answer(picture, label, best.label, best.probability))
    return tuple(found)
