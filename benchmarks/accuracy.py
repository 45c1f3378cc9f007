"""Accuracy with 1, 5, 20 and all samples per class, compared with scikit-learn."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .harness import BASES, MOBILENET, Goal, Report, main
from .samples import FeatureModel, Samples, clothing_photos, convert_base, embed
from .spoken_digits import KEYWORDS, spoken

_SHOTS = (1, 5, 20, None)  # None: all
_DRAWS = 20
_MARGIN = -0.5  # points
_REFERENCE = "LogisticRegression"
_NEIGHBOURS = 5


@dataclass(frozen=True)
class Task:
    """Samples of ten classes, and the files to train on them.

    Attributes:
        name: for the table.
        files: name of the features → converted file.
        train, validation: samples.
        has_goal: whether a goal refers to this task.
    """

    name: str
    files: Mapping[str, Path]
    train: Samples
    validation: Samples
    has_goal: bool


@dataclass(frozen=True)
class Cell:
    """One row of the table, in percent.

    Attributes:
        task, features, shots: task, features, and samples per class (None: all).
        scores: candidate → accuracy of each draw.
        has_goal: whether the margin applies.
    """

    task: str
    features: str
    shots: int | None
    scores: Mapping[str, np.ndarray]
    has_goal: bool

    @property
    def difference(self) -> float:
        """The mean paired difference to the reference."""
        return float(self._differences.mean())

    @property
    def error(self) -> float | None:
        """The standard error of `difference`; None for a single draw."""
        values = self._differences
        return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None

    @property
    def _differences(self) -> np.ndarray:
        return np.asarray(self.scores["Sartor"] - self.scores[_REFERENCE])


def run() -> Report:
    others = _others()
    with tempfile.TemporaryDirectory() as folder:
        cells = [cell for task in _tasks(Path(folder)) for cell in _cells(task, others)]
    return Report(
        "Accuracy on ten classes: 341 photos of clothing, 300 spoken digits",
        ["samples and base", "features", "per class", *others, "Sartor", "Sartor − " + _REFERENCE],
        [_row(cell) for cell in cells],
        goals=[_goal(cell) for cell in cells if cell.has_goal],
        notes=[
            f"Means over {_DRAWS} draws of the training samples, the same for all candidates. The "
            "difference is paired, ± its standard error, in points. All samples: one draw.",
            "Sartor: PersonalModel with its defaults. scikit-learn, on the features that `infer` "
            "returns: LogisticRegression(max_iter=1000), nearest class mean, and k-NN with k = "
            f"{_NEIGHBOURS} or the number of samples per class, if that is smaller.",
            "The goals refer to MobileNetV2; the other bases have weaker features. Spoken digits: "
            "the first 10 of 50 takes are the validation set; `benchmarks/spoken_digits.py` "
            "computes the MFCCs.",
        ],
        data=[_numbers(cell) for cell in cells],
    )


def _tasks(folder: Path) -> Iterator[Task]:
    for name, base in BASES.items():
        files = {"raw": convert_base(base, folder, classes=10)}
        files["L2-normalized"] = convert_base(base, folder, classes=10, normalize=True)
        train, validation = (
            embed(files["raw"], clothing_photos(split)) for split in ("train", "validation")
        )
        yield Task(f"clothing, {name}", files, train, validation, base == MOBILENET)
    file = convert_base(KEYWORDS, folder, classes=10)
    yield Task("spoken digits, DS-CNN, float", {"raw": file}, *spoken(file), False)


def _cells(task: Task, others: Mapping[str, Callable[[int], Any]]) -> Iterator[Cell]:
    for kind, file in task.files.items():
        scaled = _unit if kind == "L2-normalized" else np.asarray
        validation = Samples(scaled(task.validation.features), task.validation.labels)
        for shots in _SHOTS:
            scores: dict[str, list[float]] = {name: [] for name in (*others, "Sartor")}
            for seed in range(_DRAWS if shots else 1):
                draw = _draw(task.train, shots, seed)
                scores["Sartor"].append(_sartor(file, draw, task.validation))
                rows = scaled(draw.features)
                for name, make in others.items():
                    model = make(int(np.unique(draw.labels, return_counts=True)[1].min()))
                    with np.errstate(invalid="ignore"):  # one sample a class has no variance
                        model.fit(rows, draw.labels)
                    scores[name].append(model.score(validation.features, validation.labels))
            percent = {name: 100 * np.array(values) for name, values in scores.items()}
            yield Cell(task.name, kind, shots, percent, task.has_goal and shots is not None)


def _draw(samples: Samples, shots: int | None, seed: int) -> Samples:
    """Return `shots` samples of each class, or all samples."""
    if shots is None:
        return samples
    rng = np.random.default_rng([seed, shots])
    rows = [
        rng.choice(np.flatnonzero(samples.labels == label), shots, replace=False)
        for label in np.unique(samples.labels)
    ]
    indices = np.concatenate(rows)
    return Samples(samples.features[indices], samples.labels[indices])


def _sartor(file: Path, train: Samples, validation: Samples) -> float:
    with FeatureModel(file) as model:
        for row, label in zip(train.features, train.labels, strict=True):
            model.add_sample(row[None], str(label))
        model.fit()
        rows = zip(validation.features, validation.labels, strict=True)
        return model.evaluate((row[None], str(label)) for row, label in rows).accuracy


def _others() -> dict[str, Callable[[int], Any]]:
    """Return name → factory of a classifier, given the size of the smallest class."""
    try:
        from sklearn.linear_model import LogisticRegression
        from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
    except ImportError:
        sys.exit("NOT RUN: scikit-learn is not installed; see benchmarks/README.md")
    return {
        _REFERENCE: lambda least: LogisticRegression(max_iter=1000),
        "nearest class mean": lambda least: NearestCentroid(),
        "k-NN": lambda least: KNeighborsClassifier(min(_NEIGHBOURS, least)),
    }


def _unit(features: np.ndarray) -> np.ndarray:
    return np.asarray(features / np.linalg.norm(features, axis=1, keepdims=True))


def _row(cell: Cell) -> list[str]:
    means = [f"{scores.mean():.2f} %" for scores in cell.scores.values()]
    return [cell.task, cell.features, str(cell.shots or "all"), *means, _difference(cell)]


def _difference(cell: Cell) -> str:
    error = "" if cell.error is None else f" ± {cell.error:.2f}"
    return f"{cell.difference:+.2f}{error}"


def _goal(cell: Cell) -> Goal:
    text = f"{cell.features} features, {cell.shots} per class: at least {_MARGIN} points"
    return Goal(text, _difference(cell), cell.difference >= _MARGIN)


def _numbers(cell: Cell) -> dict[str, object]:
    scores = {name: values.tolist() for name, values in cell.scores.items()}
    return {"task": cell.task, "features": cell.features, "shots": cell.shots, "scores": scores}


if __name__ == "__main__":
    main(run)
