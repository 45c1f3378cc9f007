"""From 80 decoded photos to a trained classifier: four classes of 20 photos."""

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
from sartor.runtime.training.config import TrainingConfig
from sartor.runtime.training.path import training_stages
from sartor.runtime.training.schedule import Schedule, default_rate

from .compare import Candidate, Result, compare
from .frameworks import FRAMEWORKS, Batch, Head, HeadConfig
from .harness import MOBILENET, Goal, Report, main, millis
from .samples import FeatureModel, Samples, clothing_photos, convert_base, embed

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
    def photos_to_classifier(self) -> float:
        """Time from the decoded photos to the trained classifier."""
        return self.add + self.fit


def run() -> Report:
    train, validation = _select("train", _EACH), _select("validation", 1000)
    with tempfile.TemporaryDirectory() as folder:
        file = convert_base(MOBILENET, Path(folder), classes=len(_CLASSES))
        images = [(_decoded(path), label) for path, label in train]
        times, cpu = zip(*(_timed(file, images) for _ in range(_ROUNDS)), strict=True)
        heads = _heads(file, embed(file, train), embed(file, validation))
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
    rows += [[f"head only: {name}", *_cells(result)] for name, result in heads.items()]
    whole = median(stages["**photos to classifier**"])
    return Report(
        "From 80 decoded photos to a trained classifier of four classes",
        ["", "time", "best", "CPU time", "accuracy"],
        rows,
        goals=[
            Goal(
                "80 decoded photos to a trained classifier: under 0.5 s",
                f"{whole:.2f} s",
                whole < _LIMIT,
            )
        ],
        notes=[
            f"MobileNetV2 1.0, int8; clothing; medians of {_ROUNDS}. PersonalModel with its "
            "defaults (two threads on two cores), a new one each time. "
            "The CPU time is independent of other load on the machine.",
            "Head only: training on stored features. Sartor: `PersonalModel.fit` with its "
            "defaults, cross-validation included. The other frameworks run the same steps on the "
            "same batches with the same learning rates (SGD, momentum 0.9) on one thread, "
            "scikit-learn its LogisticRegression; by turns, each in a process of its own. Accuracy "
            f"on {len(validation)} validation photos.",
            *(f"{name}: missing ({r.missing})" for name, r in heads.items() if r.missing),
        ],
        data={
            "stages": stages,
            "cpu_stages": cpu_stages,
            "heads": {name: vars(each) for name, each in heads.items()},
        },
    )


def _select(split: str, limit: int) -> list[tuple[Path, str]]:
    photos = clothing_photos(split)
    return [
        photo
        for name in _CLASSES
        for photo in [(path, label) for path, label in photos if label == name][:limit]
    ]


def _decoded(path: Path) -> np.ndarray:
    with PIL.Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def _timed(file: Path, images: Sequence[tuple[np.ndarray, str]]) -> tuple[Times, Times]:
    """Measure all stages, in wall-clock time and in CPU time."""
    clocks = [_clocks()]
    with PersonalModel(file) as model:
        clocks.append(_clocks())
        for image, label in images:
            model.add_sample(image, label)
        clocks.append(_clocks())
        model.fit()
        clocks.append(_clocks())
    wall, cpu = np.diff(np.array(clocks), axis=0).T
    return Times(*wall.tolist()), Times(*cpu.tolist())


def _clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _stages(times: Sequence[Times]) -> dict[str, list[float]]:
    return {
        "open the file": [each.open for each in times],
        "add 80 photos: resize and embed": [each.add for each in times],
        "fit": [each.fit for each in times],
        "**photos to classifier**": [each.photos_to_classifier for each in times],
    }


def _heads(file: Path, train: Samples, validation: Samples) -> dict[str, Result]:
    with PersonalModel(file) as model:
        count, manifest = len(train.labels), model.manifest
        rows = [(train.features.astype(np.float64), np.ones(count))]
        (schedule,) = training_stages(
            manifest, TrainingConfig(weight_decay=0.0), rows=count, samples=count,
            outputs=len(_CLASSES), rate=default_rate(manifest, rows),
            has_default_rate=True, warm=False,
        )  # fmt: skip
        batch = model.manifest.batch_size
    config = HeadConfig(train.features.shape[1], len(_CLASSES), batch, momentum=0.9)
    candidates: dict[str, Callable[[], Candidate]] = {
        "Sartor": partial(SartorFit, file, train, validation),
        "scikit-learn": partial(ScikitLearnFit, train, validation),
    }
    for name, make in FRAMEWORKS.items():
        if "Sartor" not in name:
            candidates[name] = partial(StepsFit, make, config, schedule, train, validation)
    return compare(candidates, threads=1, rounds=_ROUNDS, turn=0.05)


class SartorFit:
    """`PersonalModel.fit` on stored features."""

    def __init__(self, file: Path, train: Samples, validation: Samples) -> None:
        self._model = FeatureModel(file)
        self._validation = validation
        for row, label in zip(train.features, train.labels, strict=True):
            self._model.add_sample(row[None], str(label))

    def __call__(self) -> object:
        """Fit from scratch."""
        return self._model.fit()

    def quality(self) -> float:
        """Return the accuracy after one fit."""
        self()
        pairs = zip(self._validation.features, self._validation.labels, strict=True)
        return self._model.evaluate((row[None], str(label)) for row, label in pairs).accuracy


class StepsFit:
    """The same steps in another framework."""

    def __init__(
        self, make: Callable[[HeadConfig], Head], config: HeadConfig, schedule: Schedule,
        train: Samples, validation: Samples,
    ) -> None:  # fmt: skip
        self._head = make(config)
        self._schedule = schedule
        self._validation = validation
        self._features = train.features
        self._names, self._labels = np.unique(train.labels, return_inverse=True)
        self._targets = np.eye(config.classes, dtype=np.float32)

    def __call__(self) -> object:
        """Run all steps, from the current weights."""
        rng, step = np.random.default_rng(0), 0
        for _ in range(self._schedule.epochs):
            for part in np.array_split(rng.permutation(len(self._labels)), self._schedule.batches):
                labels = self._labels[part]
                batch = Batch(self._features[part], labels, self._targets[labels])
                self._head.step(batch, self._schedule.rate(step / self._schedule.steps))
                step += 1
        return step

    def quality(self) -> float:
        """Return the accuracy after one fit, by the weights only: the bias hardly matters."""
        self()
        predicted = (self._validation.features @ self._head.weights().T).argmax(1)
        return float((self._names[predicted] == self._validation.labels).mean())


class ScikitLearnFit:
    """scikit-learn's LogisticRegression."""

    def __init__(self, train: Samples, validation: Samples) -> None:
        from sklearn.linear_model import LogisticRegression

        self._model = LogisticRegression(max_iter=1000)
        self._train, self._validation = train, validation

    def __call__(self) -> object:
        """Fit from scratch."""
        return self._model.fit(self._train.features, self._train.labels)

    def quality(self) -> float:
        """Return the accuracy after one fit."""
        self()
        return float(self._model.score(self._validation.features, self._validation.labels))


def _cells(result: Result) -> list[str]:
    if result.missing:
        return ["missing", "", "", ""]
    best = millis([min(result.times)])
    return [millis(result.times), best, "", f"{result.quality:.1%}".replace("%", " %")]


if __name__ == "__main__":
    main(run)
