"""Accuracy with options, compared with that of the defaults."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sartor import SoftmaxClassifier
from sartor.heads import MLP, Head
from sartor.litert import Engine, open_model
from sartor.modalities import load

from .datasets import Dataset, dataset, draw
from .harness import Report, main
from .samples import FeatureModel

_DATASETS = ("clothing, starter", "spoken digits, DS-CNN")
_SHOTS = (5, 20, 50)
_DRAWS = 20
_DEFAULT = "defaults"
_HEADS: dict[str, Head] = {
    _DEFAULT: SoftmaxClassifier(),
    "MLP()": MLP(),
    "MLP(dropout=0.5)": MLP(dropout=0.5),
}
_PLAIN = "normalize=False"
_AUGMENTATIONS = 4
_AUGMENTED = f"augment={_AUGMENTATIONS}"
_WITH_AUGMENTATIONS = ("clothing, starter",)


@dataclass(frozen=True)
class Cell:
    """One row of the table: option → accuracy of each draw, in percent."""

    dataset: str
    shots: int
    scores: Mapping[str, np.ndarray]


def run() -> Report:
    with tempfile.TemporaryDirectory() as folder:
        cells = [cell for name in _DATASETS for cell in _cells(dataset(name), Path(folder))]
    return _report(cells)


def _report(cells: list[Cell]) -> Report:
    options = [_PLAIN, *list(_HEADS)[1:], _AUGMENTED]
    return Report(
        "Options: accuracy, and paired difference to the defaults, in points",
        ["samples and base", "per class", _DEFAULT, *(f"`{name}`" for name in options)],
        [_row(cell, options) for cell in cells],
        notes=[
            f"Means over {_DRAWS} draws of the training samples, the same for all options; "
            "differences ± their standard errors. The data sets are those of the table of "
            f"accuracy. `{_AUGMENTED}` for photos only.",
        ],
        data=[
            {**vars(cell), "scores": {name: each.tolist() for name, each in cell.scores.items()}}
            for cell in cells
        ],
    )


def _cells(data: Dataset, folder: Path) -> Iterator[Cell]:
    normalized = data.normalized()
    files = {name: (normalized, data.convert(folder, head)) for name, head in _HEADS.items()}
    files[_PLAIN] = data, data.convert(folder, normalize=False)
    augmented = (
        _augmentations(data, files[_DEFAULT][1]) if data.name in _WITH_AUGMENTATIONS else None
    )
    for shots in _SHOTS:
        scores: dict[str, list[float]] = {}
        for seed in range(_DRAWS):
            rows = draw(data.train, shots, seed)
            for name, (samples, file) in files.items():
                scores.setdefault(name, []).append(accuracy_of(samples, file, rows))
            if augmented is not None:
                accuracy = accuracy_of(*files[_DEFAULT], rows, augmented)
                scores.setdefault(_AUGMENTED, []).append(accuracy)
        yield Cell(data.name, shots, {name: 100 * np.array(x) for name, x in scores.items()})


def accuracy_of(
    data: Dataset, file: Path, rows: np.ndarray, augmented: np.ndarray | None = None
) -> float:
    """Return the accuracy after a training on some samples and, if stated, augmentations."""
    with FeatureModel(file) as model:
        if augmented is None:
            model.add_samples(data.train.take(rows))
        else:
            for row in rows:
                features = [data.train.features[row][None], *augmented[row]]
                model.add_rows(features, str(data.train.labels[row]))
        model.fit()
        return model.evaluate(data.test.pairs()).accuracy


def _augmentations(data: Dataset, file: Path) -> np.ndarray:
    """Return the features of the augmentations of each image, float32 [N, augmentations, 1, F]."""
    manifest = open_model(file)
    engine = Engine(file, manifest)
    rows = []
    for image in data.inputs:
        sample = load(manifest.inputs, image)
        seed = int.from_bytes(sample.identity[:4], "little")
        augmentations = sample.augmentations(_AUGMENTATIONS, seed)
        rows.append([engine.run("infer", each)["features"] for each in augmentations])
    return np.array(rows)


def _row(cell: Cell, options: list[str]) -> list[str]:
    default = cell.scores[_DEFAULT]
    differences = [
        difference(cell.scores[name] - default) if name in cell.scores else "" for name in options
    ]
    return [cell.dataset, str(cell.shots), f"{default.mean():.1f}", *differences]


def difference(values: np.ndarray) -> str:
    """Format the mean of paired differences, ± its standard error."""
    return f"{values.mean():+.1f} ± {values.std(ddof=1) / np.sqrt(len(values)):.1f}"


if __name__ == "__main__":
    main(run)
