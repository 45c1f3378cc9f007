"""80 photos, decoded, to a trained classifier: four classes of 20."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import PIL.Image

from sartor import PersonalModel
from sartor.runtime.training.schedule import Schedule, default_schedule

from .contest import Entrant, Result, contest
from .harness import MOBILENET, Promise, Report, main, millis
from .photos import FeatureModel, Photos, converted, embedded, paths
from .steps import STEPS, Batch, Head, Settings

_CLASSES = ("hat", "pants", "shoes", "t-shirt")
_EACH = 20
_ROUNDS = 9
_LIMIT = 0.5


@dataclass(frozen=True)
class Times:
    """Seconds of each stage, by one clock."""

    open: float
    add: float
    fit: float

    @property
    def promised(self) -> float:
        """From the decoded photos to the trained classifier."""
        return self.add + self.fit


def run() -> Report:
    train, validation = _chosen("train", _EACH), _chosen("validation", 1000)
    with tempfile.TemporaryDirectory() as folder:
        file = converted(MOBILENET, Path(folder), classes=len(_CLASSES))
        pictures = [(_decoded(path), label) for path, label in train]
        times, cpu = zip(*(_timed(file, pictures) for _ in range(_ROUNDS)), strict=True)
        heads = _heads(file, embedded(file, train), embedded(file, validation))
    stages, cpu_stages = _stages(times), _stages(cpu)
    rows = [
        [
            f"PersonalModel: {name}",
            millis(seconds),
            millis([min(seconds)]),
            millis(cpu_stages[name]),
            "",
        ]
        for name, seconds in stages.items()
    ]
    rows += [[f"the head alone: {name}", *_cells(result)] for name, result in heads.items()]
    whole = median(stages["**photos to classifier**"])
    return Report(
        "80 photos, decoded, to a trained classifier of four classes",
        ["", "time", "best", "CPU time", "accuracy"],
        rows,
        promises=[
            Promise(
                "80 decoded photos to a trained classifier: under 0.5 s",
                f"{whole:.2f} s",
                whole < _LIMIT,
            )
        ],
        notes=[
            f"MobileNetV2 1.0, int8; clothing; medians of {_ROUNDS}. PersonalModel with all "
            "defaults (it takes two threads where there are two cores), a fresh one each time. "
            "CPU time is what a free core would have needed.",
            "The head alone: the features are there. Sartor: PersonalModel.fit as it is. The "
            "other frameworks do the same steps on the same batches at the same rates (SGD, "
            "momentum 0.9) on one thread, scikit-learn its LogisticRegression; by turns, each in "
            f"its own process. Accuracy on the {len(validation)} photos to validate.",
            *(f"{name}: left out ({r.missing})" for name, r in heads.items() if r.missing),
        ],
        data={
            "stages": stages,
            "cpu_stages": cpu_stages,
            "heads": {name: vars(each) for name, each in heads.items()},
        },
    )


def _chosen(split: str, most: int) -> list[tuple[Path, str]]:
    found = paths(split)
    return [
        photo
        for name in _CLASSES
        for photo in [(path, label) for path, label in found if label == name][:most]
    ]


def _decoded(path: Path) -> np.ndarray:
    with PIL.Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def _timed(file: Path, pictures: Sequence[tuple[np.ndarray, str]]) -> tuple[Times, Times]:
    """From the file to the trained classifier, by the clock and of the CPU."""
    marks = [_clocks()]
    with PersonalModel(file) as model:
        marks.append(_clocks())
        for picture, label in pictures:
            model.add_sample(picture, label)
        marks.append(_clocks())
        model.fit()
        marks.append(_clocks())
    wall, cpu = np.diff(np.array(marks), axis=0).T
    return Times(*wall.tolist()), Times(*cpu.tolist())


def _clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _stages(times: Sequence[Times]) -> dict[str, list[float]]:
    return {
        "open the file": [each.open for each in times],
        "add 80 photos: resize and embed": [each.add for each in times],
        "fit": [each.fit for each in times],
        "**photos to classifier**": [each.promised for each in times],
    }


def _heads(file: Path, train: Photos, validation: Photos) -> dict[str, Result]:
    with PersonalModel(file) as model:
        schedule = default_schedule(model.manifest, [train.features])
        batch = model.manifest.batch
    settings = Settings(train.features.shape[1], len(_CLASSES), batch, momentum=0.9)
    entrants: dict[str, Callable[[], Entrant]] = {
        "Sartor": partial(SartorFit, file, train, validation),
        "scikit-learn": partial(ScikitLearnFit, train, validation),
    }
    for name, make in STEPS.items():
        if "Sartor" not in name:
            entrants[name] = partial(StepsFit, make, settings, schedule, train, validation)
    return contest(entrants, threads=1, rounds=_ROUNDS, turn=0.05)


class SartorFit:
    """`PersonalModel.fit`, the features being there."""

    def __init__(self, file: Path, train: Photos, validation: Photos) -> None:
        self._model = FeatureModel(file)
        self._validation = validation
        for row, label in zip(train.features, train.labels, strict=True):
            self._model.add_sample(row[None], str(label))

    def __call__(self) -> object:
        """Fit, from the weights of the last time."""
        return self._model.fit()

    def quality(self) -> float:
        """Accuracy after one fit."""
        self()
        pairs = zip(self._validation.features, self._validation.labels, strict=True)
        return self._model.evaluate((row[None], str(label)) for row, label in pairs).accuracy


class StepsFit:
    """The same steps in another framework."""

    def __init__(
        self, make: Callable[[Settings], Head], settings: Settings, schedule: Schedule,
        train: Photos, validation: Photos,
    ) -> None:  # fmt: skip
        self._head = make(settings)
        self._schedule = schedule
        self._validation = validation
        self._features = train.features
        self._names, self._slots = np.unique(train.labels, return_inverse=True)
        self._targets = np.eye(settings.classes, dtype=np.float32)

    def __call__(self) -> object:
        """All steps, from the weights of the last time."""
        rng, step = np.random.default_rng(0), 0
        for _ in range(self._schedule.epochs):
            for part in np.array_split(rng.permutation(len(self._slots)), self._schedule.batches):
                slots = self._slots[part]
                batch = Batch(self._features[part], slots, self._targets[slots])
                self._head.step(batch, self._schedule.rate(step / self._schedule.steps))
                step += 1
        return step

    def quality(self) -> float:
        """Accuracy after one fit; a bias hardly matters to it, so the weights alone decide."""
        self()
        found = (self._validation.features @ self._head.weights().T).argmax(1)
        return float((self._names[found] == self._validation.labels).mean())


class ScikitLearnFit:
    """scikit-learn's LogisticRegression."""

    def __init__(self, train: Photos, validation: Photos) -> None:
        from sklearn.linear_model import LogisticRegression

        self._model = LogisticRegression(max_iter=1000)
        self._train, self._validation = train, validation

    def __call__(self) -> object:
        """Fit anew."""
        return self._model.fit(self._train.features, self._train.labels)

    def quality(self) -> float:
        """Accuracy after one fit."""
        self()
        return float(self._model.score(self._validation.features, self._validation.labels))


def _cells(result: Result) -> list[str]:
    if result.missing:
        return ["left out", "", "", ""]
    best = millis([min(result.times)])
    return [millis(result.times), best, "", f"{result.quality:.1%}".replace("%", " %")]


if __name__ == "__main__":
    main(run)
