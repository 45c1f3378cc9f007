"""Accuracy with 1 to 50 samples per class, compared with the linear models of scikit-learn."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .datasets import DATASETS, Dataset, dataset, draw
from .harness import Goal, Report, main
from .samples import FeatureModel, Samples

_SHOTS = (1, 5, 20, 50)
_WRONG_SHOTS, _WRONG = 20, 0.1  # samples per class and fraction of wrong labels of another row
_DRAWS = 20
_MARGIN = -0.5  # points
_FOLDS = 3
_STRENGTHS = np.logspace(-2, 3, 6)  # C, times the variance of the features
_REFERENCE = "LogisticRegression"
_IMPRINTED, _OURS = "Sartor, before `fit`", "Sartor"
_Rival = Callable[[Samples], Any]
"""Trains a classifier; returns None if it needs more samples."""


@dataclass(frozen=True)
class Cell:
    """One row of the table, in percent.

    Attributes:
        dataset: name of the data set.
        shots: samples per class.
        wrong: fraction of training samples with a wrong label.
        scores: candidate → accuracy of each draw.
    """

    dataset: str
    shots: int
    wrong: float
    scores: Mapping[str, np.ndarray]

    @property
    def best(self) -> str:
        """The most accurate candidate of scikit-learn."""
        rivals = [name for name in self.scores if name not in (_OURS, _IMPRINTED)]
        return max(rivals, key=lambda name: self.scores[name].mean())

    def difference(self, other: str) -> tuple[float, float]:
        """Return the mean paired difference to another candidate, and its standard error."""
        values = self.scores[_OURS] - self.scores[other]
        return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


def run() -> Report:
    rivals = _rivals()
    with tempfile.TemporaryDirectory() as folder:
        cells = [cell for name in DATASETS for cell in _cells(dataset(name), Path(folder), rivals)]
    return _report(cells, [*rivals])


def _report(cells: list[Cell], rivals: list[str]) -> Report:
    behind = [cell for cell in cells if cell.difference(cell.best)[0] < _MARGIN]
    worst = min(cells, key=lambda cell: cell.difference(cell.best)[0])
    return Report(
        "Accuracy on ten classes: 341 photos of clothing, 797 digits, 300 spoken digits",
        ["samples and base", "per class", *rivals, _IMPRINTED, _OURS,
         f"− {_REFERENCE}", "− best"],
        [_row(cell) for cell in cells],
        goals=[
            Goal(
                f"at least {_MARGIN} points to the best of scikit-learn in each row",
                f"{len(behind)} of {len(cells)} rows below, at least "
                f"{worst.difference(worst.best)[0]:+.1f} ({_title(worst)})",
                not behind,
            )
        ],
        notes=[
            f"Means over {_DRAWS} draws of the training samples, the same for all candidates, in "
            "percent. The differences are paired, ± their standard errors, in points. The best is "
            "chosen by its mean in this row, which favors it.",
            "Sartor: PersonalModel with its defaults. scikit-learn, on the features of the "
            "base: LogisticRegression(max_iter=1000); the same with C by cross-validation with "
            f"three folds, {len(_STRENGTHS)} values from {_STRENGTHS[0]:g} to {_STRENGTHS[-1]:g} "
            "for features of variance 1 in all; LinearSVC(); LinearDiscriminantAnalysis"
            "(solver='lsqr', shrinkage='auto').",
            "Before `fit`: the classes are imprinted. Wrong labels: each of these samples has the "
            "label of another class, drawn at random.",
            "Clothing of 32 x 32 pixels: the same photos, reduced. 8x8 digits: those of "
            "scikit-learn, enlarged. Spoken digits: the first 10 of 50 takes are the test set; "
            "`benchmarks/spoken_digits.py` computes the MFCCs.",
        ],
        data=[
            {**vars(cell), "scores": {name: each.tolist() for name, each in cell.scores.items()}}
            for cell in cells
        ],
    )  # fmt: skip


def _cells(data: Dataset, folder: Path, rivals: Mapping[str, _Rival]) -> Iterator[Cell]:
    file, normalized = data.convert(folder), data.normalized()
    for shots, wrong in (*((shots, 0.0) for shots in _SHOTS), (_WRONG_SHOTS, _WRONG)):
        scores: dict[str, list[float]] = {name: [] for name in (*rivals, _IMPRINTED, _OURS)}
        for seed in range(_DRAWS):
            rows = draw(data.train, shots, seed)
            labels = _mislabelled(data.train.labels[rows], wrong, seed)
            train = Samples(data.train.features[rows], labels)
            for name, rival in rivals.items():
                model = rival(train)
                score = (
                    np.nan if model is None else model.score(data.test.features, data.test.labels)
                )
                scores[name].append(score)
            for name, accuracy in _sartor(file, train.normalized(), normalized.test).items():
                scores[name].append(accuracy)
        percent = {name: 100 * np.array(values) for name, values in scores.items()}
        yield Cell(data.name, shots, wrong, {n: np.nan_to_num(v) for n, v in percent.items()})


def _mislabelled(labels: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Return labels of which a fraction is replaced by those of other classes."""
    rng = np.random.default_rng(seed)
    names, labels = np.unique(labels), labels.copy()
    for index in rng.permutation(len(labels))[: round(fraction * len(labels))]:
        labels[index] = rng.choice(names[names != labels[index]])
    return labels


def _sartor(file: Path, train: Samples, test: Samples) -> dict[str, float]:
    """Return the accuracy before and after `fit`."""
    with FeatureModel(file) as model:
        model.add_samples(train)
        before = model.evaluate(test.pairs()).accuracy
        model.fit()
        return {_IMPRINTED: before, _OURS: model.evaluate(test.pairs()).accuracy}


def _rivals() -> dict[str, _Rival]:
    """Return name → function that trains a classifier of scikit-learn."""
    try:
        from sklearn.decomposition import PCA
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import GridSearchCV
        from sklearn.pipeline import make_pipeline
        from sklearn.svm import LinearSVC
    except ImportError:
        sys.exit("NOT RUN: scikit-learn is not installed; see benchmarks/README.md")

    def logistic_regression(train: Samples) -> Any:
        return LogisticRegression(max_iter=1000).fit(train.features, train.labels)

    def cross_validated(train: Samples) -> Any:
        if len(train.labels) < _FOLDS * len(np.unique(train.labels)):
            return None
        values = _STRENGTHS / train.features.var(0).sum()
        search = GridSearchCV(LogisticRegression(max_iter=1000), {"C": values}, cv=_FOLDS)
        # all components: the result is the same, and fewer numbers take less time
        return make_pipeline(PCA(), search).fit(train.features, train.labels)

    def discriminant(train: Samples) -> Any:
        if len(train.labels) == len(np.unique(train.labels)):
            return None
        model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
        return model.fit(train.features, train.labels)

    return {
        _REFERENCE: logistic_regression,
        "C by cross-validation": cross_validated,
        "LinearSVC": lambda train: LinearSVC().fit(train.features, train.labels),
        "shrinkage LDA": discriminant,
    }


def _row(cell: Cell) -> list[str]:
    means = [f"{each.mean():.1f}" if each.any() else "" for each in cell.scores.values()]
    differences = [
        "{:+.1f} ± {:.1f}".format(*cell.difference(name)) for name in (_REFERENCE, cell.best)
    ]
    return [cell.dataset, _shots(cell), *means, *differences]


def _title(cell: Cell) -> str:
    return f"{cell.dataset}, {_shots(cell)} per class"


def _shots(cell: Cell) -> str:
    return f"{cell.shots}" + f", {100 * cell.wrong:.0f} % wrong" * bool(cell.wrong)


if __name__ == "__main__":
    main(run)
