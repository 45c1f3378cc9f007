"""Accuracy from 1, 5 and 20 photos a class, beside scikit-learn on the same features."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .harness import BASES, Promise, Report, main
from .photos import FeatureModel, Photos, converted, embedded, paths

_SHOTS = (1, 5, 20)
_DRAWS = 20
_MARGIN = -0.5  # points


@dataclass(frozen=True)
class Cell:
    """One row of the table, in percent."""

    base: str
    features: str
    shots: int
    ours: np.ndarray
    theirs: np.ndarray

    @property
    def difference(self) -> float:
        """The mean of the paired differences."""
        return float((self.ours - self.theirs).mean())

    @property
    def error(self) -> float:
        """Its standard error."""
        return float((self.ours - self.theirs).std(ddof=1) / np.sqrt(len(self.ours)))


def run() -> Report:
    _need_scikit_learn()
    cells = [cell for name, base in BASES.items() for cell in _cells(name, base)]
    promised = [cell for cell in cells if cell.base == next(iter(BASES))]
    return Report(
        "Accuracy on clothing, ten classes, 341 photos to validate",
        ["base", "features", "photos a class", "scikit-learn", "Sartor", "paired difference"],
        [_row(cell) for cell in cells],
        promises=[_promise(cell) for cell in promised],
        notes=[
            f"Means over {_DRAWS} draws of the photos to learn from; the difference is paired, "
            "± its standard error, in points.",
            f"Promised for {next(iter(BASES))}; the other base shows what weaker features do.",
            "Sartor: PersonalModel on the converted file, all defaults. scikit-learn: "
            "LogisticRegression(max_iter=1000) on the features that the file's infer gives.",
        ],
        data=[_numbers(cell) for cell in cells],
    )


def _cells(name: str, base: str) -> Iterator[Cell]:
    with tempfile.TemporaryDirectory() as folder:
        raw = converted(base, Path(folder), classes=10)
        normalized = converted(base, Path(folder), classes=10, normalize=True)
        train, validation = (embedded(raw, paths(split)) for split in ("train", "validation"))
        for file, kind in ((raw, "raw"), (normalized, "L2-normalized")):
            for shots in _SHOTS:
                draws = [_drawn(train, shots, seed) for seed in range(_DRAWS)]
                ours = [_sartor(file, draw, validation) for draw in draws]
                theirs = [_scikit_learn(kind, draw, validation) for draw in draws]
                yield Cell(name, kind, shots, 100 * np.array(ours), 100 * np.array(theirs))


def _drawn(photos: Photos, shots: int, seed: int) -> Photos:
    """So many photos of each class."""
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


def _scikit_learn(kind: str, train: Photos, validation: Photos) -> float:
    from sklearn.linear_model import LogisticRegression

    scaled = _unit if kind == "L2-normalized" else np.asarray
    model = LogisticRegression(max_iter=1000).fit(scaled(train.features), train.labels)
    return float(model.score(scaled(validation.features), validation.labels))


def _unit(features: np.ndarray) -> np.ndarray:
    return np.asarray(features / np.linalg.norm(features, axis=1, keepdims=True))


def _row(cell: Cell) -> list[str]:
    return [
        cell.base, cell.features, str(cell.shots), f"{cell.theirs.mean():.2f} %",
        f"{cell.ours.mean():.2f} %", f"{cell.difference:+.2f} ± {cell.error:.2f}",
    ]  # fmt: skip


def _promise(cell: Cell) -> Promise:
    text = f"{cell.features} features, {cell.shots} a class: at least {_MARGIN} points"
    measured = f"{cell.difference:+.2f} ± {cell.error:.2f}"
    return Promise(text, measured, cell.difference >= _MARGIN)


def _numbers(cell: Cell) -> dict[str, object]:
    return {
        "base": cell.base, "features": cell.features, "shots": cell.shots,
        "sartor": cell.ours.tolist(), "scikit_learn": cell.theirs.tolist(),
    }  # fmt: skip


def _need_scikit_learn() -> None:
    try:
        import sklearn  # noqa: F401
    except ImportError:
        sys.exit("NOT RUN: scikit-learn is not installed; see benchmarks/README.md")


if __name__ == "__main__":
    main(run)
