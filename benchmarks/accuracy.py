"""Accuracy from 1, 5, 20 and all samples a class, beside scikit-learn on the same features."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .harness import BASES, MOBILENET, Promise, Report, main
from .photos import FeatureModel, Photos, converted, embedded, paths
from .spoken import KEYWORDS, spoken

_SHOTS = (1, 5, 20, None)  # None: all
_DRAWS = 20
_MARGIN = -0.5  # points
_REFERENCE = "LogisticRegression"
_NEIGHBOURS = 5


@dataclass(frozen=True)
class Task:
    """Samples of ten classes, and the files that learn them."""

    name: str
    files: Mapping[str, Path]
    train: Photos
    validation: Photos
    promised: bool


@dataclass(frozen=True)
class Cell:
    """One row of the table, in percent.

    Attributes:
        task, features, shots: what was learned from.
        scores: of each entrant, one number a draw.
        promised: whether it is held to the margin.
    """

    task: str
    features: str
    shots: int | None
    scores: Mapping[str, np.ndarray]
    promised: bool

    @property
    def difference(self) -> float:
        """The mean of the paired differences to the reference."""
        return float(self._differences.mean())

    @property
    def error(self) -> float | None:
        """Its standard error; None of a single draw."""
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
        "Accuracy on ten classes: 341 photos of clothing, 300 spoken digits to validate",
        ["samples and base", "features", "a class", *others, "Sartor", "Sartor − " + _REFERENCE],
        [_row(cell) for cell in cells],
        promises=[_promise(cell) for cell in cells if cell.promised],
        notes=[
            f"Means over {_DRAWS} draws of the samples to learn from, the same for all; the "
            "difference is paired, ± its standard error, in points. All samples: one draw.",
            "Sartor: PersonalModel on the converted file, all defaults. scikit-learn, on the "
            f"features that the file's infer gives: LogisticRegression(max_iter=1000); nearest "
            f"class mean; k-NN with k = {_NEIGHBOURS}, or as many as there are a class.",
            "Promised for MobileNetV2; the other bases show what weaker features do. Spoken "
            "digits: the first 10 of 50 takes validate; `benchmarks/spoken.py` says how the "
            "MFCCs are made.",
        ],
        data=[_numbers(cell) for cell in cells],
    )


def _tasks(folder: Path) -> Iterator[Task]:
    for name, base in BASES.items():
        files = {"raw": converted(base, folder, classes=10)}
        files["L2-normalized"] = converted(base, folder, classes=10, normalize=True)
        train, validation = (
            embedded(files["raw"], paths(split)) for split in ("train", "validation")
        )
        yield Task(f"clothing, {name}", files, train, validation, base == MOBILENET)
    file = converted(KEYWORDS, folder, classes=10)
    yield Task("spoken digits, DS-CNN, float", {"raw": file}, *spoken(file), False)


def _cells(task: Task, others: Mapping[str, Callable[[int], Any]]) -> Iterator[Cell]:
    for kind, file in task.files.items():
        scaled = _unit if kind == "L2-normalized" else np.asarray
        known = Photos(scaled(task.validation.features), task.validation.labels)
        for shots in _SHOTS:
            scores: dict[str, list[float]] = {name: [] for name in (*others, "Sartor")}
            for seed in range(_DRAWS if shots else 1):
                draw = _drawn(task.train, shots, seed)
                scores["Sartor"].append(_sartor(file, draw, task.validation))
                rows = scaled(draw.features)
                for name, make in others.items():
                    model = make(int(np.unique(draw.labels, return_counts=True)[1].min()))
                    with np.errstate(invalid="ignore"):  # one sample a class has no variance
                        model.fit(rows, draw.labels)
                    scores[name].append(model.score(known.features, known.labels))
            percent = {name: 100 * np.array(values) for name, values in scores.items()}
            yield Cell(task.name, kind, shots, percent, task.promised and shots is not None)


def _drawn(photos: Photos, shots: int | None, seed: int) -> Photos:
    """So many samples of each class, or all."""
    if shots is None:
        return photos
    rng = np.random.default_rng([seed, shots])
    rows = [
        rng.choice(np.flatnonzero(photos.labels == label), shots, replace=False)
        for label in np.unique(photos.labels)
    ]
    chosen = np.concatenate(rows)
    return Photos(photos.features[chosen], photos.labels[chosen])


def _sartor(file: Path, train: Photos, validation: Photos) -> float:
    with FeatureModel(file) as model:
        for row, label in zip(train.features, train.labels, strict=True):
            model.add_sample(row[None], str(label))
        model.fit()
        rows = zip(validation.features, validation.labels, strict=True)
        return model.evaluate((row[None], str(label)) for row, label in rows).accuracy


def _others() -> dict[str, Callable[[int], Any]]:
    """Name → what makes a classifier, given the samples of the smallest class."""
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


def _promise(cell: Cell) -> Promise:
    text = f"{cell.features} features, {cell.shots} a class: at least {_MARGIN} points"
    return Promise(text, _difference(cell), cell.difference >= _MARGIN)


def _numbers(cell: Cell) -> dict[str, object]:
    scores = {name: values.tolist() for name, values in cell.scores.items()}
    return {"task": cell.task, "features": cell.features, "shots": cell.shots, "scores": scores}


if __name__ == "__main__":
    main(run)
