"""A class that is added to trained ones: predictions before the next `fit`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .datasets import Dataset, dataset, draw
from .harness import Goal, Report, main
from .samples import FeatureModel, Samples

_DATASETS = ("clothing, starter", "8x8 digits, starter", "spoken digits, DS-CNN")
_TRAINED = 20  # samples of each trained class
_ADDED = (1, 5, 20)  # samples of the new class
_DRAWS = 20  # two for each of the ten classes
_COST = 1.0  # points


@dataclass(frozen=True)
class Cell:
    """One row of the table, in percent; arrays have one number per draw.

    Attributes:
        dataset: name of the data set.
        added: samples of the new class.
        found, nearest, fitted: recall of the new class before `fit`, of the nearest class mean,
            and after `fit`.
        cost, fitted_cost: loss of accuracy on the other classes before and after `fit`.
    """

    dataset: str
    added: int
    found: np.ndarray
    nearest: np.ndarray
    fitted: np.ndarray
    cost: np.ndarray
    fitted_cost: np.ndarray


def run() -> Report:
    with tempfile.TemporaryDirectory() as folder:
        cells = [
            cell for name in _DATASETS for cell in _cells(dataset(name).normalized(), Path(folder))
        ]
    return _report(cells)


def _report(cells: list[Cell]) -> Report:
    most = max(cells, key=lambda cell: cell.cost.mean())
    return Report(
        f"A class added to nine trained classes of {_TRAINED} samples",
        ["samples and base", "samples of it", "found before `fit`", "by the nearest class mean",
         "found after `fit`", "cost before `fit`", "cost after `fit`"],
        [_row(cell) for cell in cells],
        goals=[
            Goal(
                f"the other classes lose at most {_COST:.0f} point before `fit`",
                f"at most {most.cost.mean():.1f} ({most.dataset}, {most.added})",
                bool(most.cost.mean() <= _COST),
            )
        ],
        notes=[
            f"Means ± standard errors over {_DRAWS} draws, each class being the new one in two. "
            "Found: the test samples of the new class that are predicted as it. Cost: the loss of "
            "accuracy on the test samples of the other classes, in points.",
            "Nearest class mean: largest cosine similarity to the mean of a class.",
        ],
        data=[
            {name: each.tolist() if isinstance(each, np.ndarray) else each
             for name, each in vars(cell).items()}
            for cell in cells
        ],
    )  # fmt: skip


def _cells(data: Dataset, folder: Path) -> Iterator[Cell]:
    file = data.convert(folder)
    draws = [_draw(data, file, seed) for seed in range(_DRAWS)]
    for index, added in enumerate(_ADDED):
        yield Cell(data.name, added, *100 * np.array([each[index] for each in draws]).T)


def _draw(data: Dataset, file: Path, seed: int) -> list[list[float]]:
    """Return the measurements of `Cell` for each number of samples of the new class."""
    names = np.unique(data.train.labels)
    new = names[seed % len(names)]
    train = data.train.take(draw(data.train, _TRAINED, seed))
    others, samples = train.take(train.labels != new), train.take(train.labels == new)
    test = data.test.take(data.test.labels == new)
    rest = data.test.take(data.test.labels != new)
    rows = []
    for added in _ADDED:
        with FeatureModel(file) as model:
            model.add_samples(others)
            model.fit()
            before = model.evaluate(rest.pairs()).accuracy
            first = samples.take(np.arange(added))
            model.add_samples(first)
            accuracy = [[model.evaluate(each.pairs()).accuracy for each in (test, rest)]]
            model.fit()
            accuracy += [[model.evaluate(each.pairs()).accuracy for each in (test, rest)]]
        (found, cost), (fitted, fitted_cost) = accuracy
        nearest = _nearest([others, first], test)
        rows.append([found, nearest, fitted, before - cost, before - fitted_cost])
    return rows


def _nearest(parts: list[Samples], test: Samples) -> float:
    """Return the accuracy of the nearest class mean."""
    features = _unit(np.concatenate([part.features for part in parts]))
    labels = np.concatenate([part.labels for part in parts])
    names = np.unique(labels)
    means = _unit(np.stack([features[labels == name].mean(0) for name in names]))
    predicted = names[(_unit(test.features) @ means.T).argmax(1)]
    return float((predicted == test.labels).mean())


def _unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def _row(cell: Cell) -> list[str]:
    columns = (cell.found, cell.nearest, cell.fitted, cell.cost, cell.fitted_cost)
    return [cell.dataset, str(cell.added), *(_mean(each) for each in columns)]


def _mean(values: np.ndarray) -> str:
    return f"{values.mean():.1f} ± {values.std(ddof=1) / np.sqrt(len(values)):.1f}"


if __name__ == "__main__":
    main(run)
