"""Calibration, expected accuracy, and detection of out-of-distribution (OOD) inputs.

Near OOD inputs are samples of two classes that were left out, far ones photos of ImageNet.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sartor.contract.names import CENTER, SCALE, TEMPERATURE
from sartor.runtime.confidence.out_of_distribution import OODDetector
from sartor.runtime.confidence.temperature import expected_calibration_error

from .datasets import dataset
from .harness import Goal, Report, main, shared
from .metrics import auroc
from .ood_scores import SCORES, fit_scores, softmax
from .samples import FeatureModel, Samples, embed

_DATASETS = ("clothing, starter", "8x8 digits, starter", "spoken digits, DS-CNN")
_SHOTS = (1, 5, 20, 50)
_DRAWS, _TRAINED = 20, 8  # the other classes, of ten, are near OOD inputs
_TRAIN_SIZE = 100  # samples per class; the others are for testing
_OURS = "Sartor"
_NAMES = (*SCORES, _OURS)


@dataclass(frozen=True)
class Split:
    """Training samples, test samples and far OOD inputs of one data set.

    Attributes:
        name: for the table.
        file: converted file.
        train, test: samples of ten classes.
        far: features of photos of other things, or None.
    """

    name: str
    file: Path
    train: Samples
    test: Samples
    far: np.ndarray | None = None


@dataclass(frozen=True)
class Draw:
    """The measurements of one draw, in percent.

    Attributes:
        auroc: OOD inputs, `near` or `far` → area under the ROC curve of each of `_NAMES`.
        fpr: the same for the false positive rate: the OOD inputs accepted at a recall of 95 %.
        accepted: `test`, `near` or `far` → fraction accepted with the threshold of Sartor.
        ece: `before` and `after` temperature scaling, and by `chance` → ECE of the test samples.
        gap: expected accuracy minus accuracy on the test samples; NaN if it is unknown.
    """

    auroc: dict[str, list[float]]
    fpr: dict[str, list[float]]
    accepted: dict[str, float]
    ece: dict[str, float]
    gap: float


@dataclass(frozen=True)
class Cell:
    """All draws of a data set and a number of samples per class."""

    dataset: str
    shots: int
    draws: list[Draw]


class Head:
    """A linear head, trained by PersonalModel with its defaults."""

    def __init__(self, file: Path, features: np.ndarray, labels: np.ndarray) -> None:
        with FeatureModel(file) as model:
            model.add_samples(Samples(features, labels))
            self.expected_accuracy = model.fit().expected_accuracy
            variables, detector = model._state.begin_training()
            indices = [model.classes.index(str(label)) for label in np.unique(labels)]
        assert detector is not None
        self.detector: OODDetector = detector
        self._weights = variables["head/weights"][indices]
        self._bias = variables["head/bias"][indices]
        self._center, self._scale = variables[CENTER], variables[SCALE]
        self.temperature = float(variables[TEMPERATURE][0])

    def logits(self, features: np.ndarray) -> np.ndarray:
        """Return the logits [N, C] of features [N, F], at temperature 1."""
        normalized = (features - self._center) * self._scale
        return np.asarray(normalized @ self._weights.T + self._bias, np.float64)

    def score(self, features: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """Return the OOD score of each row."""
        pairs = zip(features, softmax(logits / self.temperature), strict=True)
        return np.array([self.detector.score([row[None]], p[None]) for row, p in pairs])


def run() -> Report:
    with tempfile.TemporaryDirectory() as folder:
        splits = _splits(Path(folder))
        cells = [
            Cell(split.name, shots, [_draw(split, shots, seed) for seed in range(_DRAWS)])
            for split in splits
            for shots in _SHOTS
        ]
    return _report(cells)


def _splits(folder: Path) -> Iterator[Split]:
    photos = sorted(shared("data", "imagenet_samples").glob("*.jpg"))
    for name in _DATASETS:
        data = dataset(name).normalized()
        file = data.convert(folder)
        far = None
        if name.startswith("clothing,"):
            far = embed(file, [(path, "") for path in photos]).features
        yield Split(name, file, *_split([data.train, data.test]), far)


def _split(parts: Sequence[Samples]) -> tuple[Samples, Samples]:
    """Split all samples at random into training and test samples."""
    features = np.concatenate([part.features for part in parts])
    labels = np.concatenate([part.labels for part in parts])
    order = np.random.default_rng(0).permutation(len(labels))
    per_class = [order[labels[order] == label] for label in np.unique(labels)]
    sizes = [min(_TRAIN_SIZE, len(rows) * 3 // 4) for rows in per_class]
    train = np.concatenate([rows[:size] for rows, size in zip(per_class, sizes, strict=True)])
    test = np.concatenate([rows[size:] for rows, size in zip(per_class, sizes, strict=True)])
    return Samples(features[train], labels[train]), Samples(features[test], labels[test])


def _draw(split: Split, shots: int, seed: int) -> Draw:
    """Train on eight classes, and measure test samples and OOD inputs."""
    rng = np.random.default_rng([seed, shots])
    names = rng.permutation(np.unique(split.train.labels))[:_TRAINED]
    pools = [np.flatnonzero(split.train.labels == name) for name in names]
    rows = [rng.choice(pool, min(shots, len(pool)), replace=False) for pool in pools]
    features = split.train.features[np.concatenate(rows)]
    labels = np.repeat(range(_TRAINED), [len(each) for each in rows])
    head = Head(split.file, features, labels)
    scores = {**fit_scores(features, labels), _OURS: head.score}
    is_trained = np.isin(split.test.labels, names)
    unseen = [each.features[~np.isin(each.labels, names)] for each in (split.train, split.test)]
    inputs = {"test": split.test.features[is_trained], "near": np.concatenate(unseen)}
    if split.far is not None:
        inputs["far"] = split.far
    logits = {name: head.logits(each) for name, each in inputs.items()}
    values = {
        name: [scores[key](each, logits[name]) for key in _NAMES] for name, each in inputs.items()
    }
    limits = [np.quantile(each, 0.05) for each in values["test"]]
    targets = (split.test.labels[is_trained][:, None] == names).astype(np.float64)
    accuracy = float((logits["test"].argmax(1) == targets.argmax(1)).mean())
    expected = np.nan if head.expected_accuracy is None else head.expected_accuracy
    ood = [name for name in inputs if name != "test"]
    threshold = head.detector.threshold
    return Draw(
        {name: _areas(values["test"], values[name]) for name in ood},
        {name: [_above(*each) for each in zip(values[name], limits, strict=True)] for name in ood},
        {name: _above(each[-1], threshold) for name, each in values.items()},
        _calibration_errors(logits["test"], targets, head.temperature, rng),
        100 * (expected - accuracy),
    )


def _areas(test: Sequence[np.ndarray], other: Sequence[np.ndarray]) -> list[float]:
    return [100 * auroc(*each) for each in zip(test, other, strict=True)]


def _above(scores: np.ndarray, limit: float) -> float:
    return 100 * float((scores >= limit).mean())


def _calibration_errors(
    logits: np.ndarray, targets: np.ndarray, temperature: float, rng: np.random.Generator
) -> dict[str, float]:
    """Return the ECE before and after temperature scaling, and that of a calibrated model.

    The latter is the ECE if the classes were drawn with the predicted probabilities.
    """
    after = softmax(logits / temperature)
    chance = []
    for _ in range(5):
        drawn = (after.cumsum(1) > rng.random((len(after), 1))).argmax(1)
        chance.append(expected_calibration_error(after, np.eye(after.shape[1])[drawn]))
    return {
        "before": 100 * expected_calibration_error(softmax(logits), targets),
        "after": 100 * expected_calibration_error(after, targets),
        "chance": 100 * float(np.mean(chance)),
    }


def _report(cells: Sequence[Cell]) -> Report:
    rows = [_row(cell, ood) for cell in cells for ood in cell.draws[0].auroc]
    return Report(
        "Out-of-distribution inputs and calibration",
        ["", "samples per class", "OOD inputs", *_NAMES, "accepted: test", "accepted: OOD",
         "ECE, T = 1", "ECE", "ECE by chance", "expected − real accuracy"],
        rows,
        goals=_goals(cells),
        notes=[
            f"Means and standard errors of {_DRAWS} draws of {_TRAINED} classes of ten. Near: "
            "samples of the other two; far: 500 photos of ImageNet.",
            "Detectors: AUROC / false positive rate, the OOD inputs accepted where 95 % of the "
            "test samples are, in percent. k-NN: cosine similarity to the nearest training sample "
            "(Sun et al., 2022). Mahalanobis: covariance with a shrinkage of 0.1. Softmax, "
            "energy, logits and Sartor use the head that PersonalModel trains.",
            "Accepted: with the threshold that Sartor fits; the goal is 95 % of the test samples. "
            "ECE: expected calibration error of the test samples in 15 bins of equal numbers, with "
            "temperature 1 and with that of Sartor. By chance: the ECE of a perfectly calibrated "
            "model with these confidences and as many test samples.",
        ],
        data=[{"dataset": cell.dataset, "shots": cell.shots, "draws": [vars(draw) for draw in
               cell.draws]} for cell in cells],
    )  # fmt: skip


def _row(cell: Cell, ood: str) -> list[str]:
    area = np.array([draw.auroc[ood] for draw in cell.draws])
    rates = np.mean([draw.fpr[ood] for draw in cell.draws], 0)
    spread = area.std(0, ddof=1) / np.sqrt(len(area))
    detectors = [
        f"{mean:.1f} ± {error:.1f} / {rate:.0f}"
        for mean, error, rate in zip(area.mean(0), spread, rates, strict=True)
    ]
    accepted = [_mean([draw.accepted[name] for draw in cell.draws]) for name in ("test", ood)]
    others = [""] * 4
    if ood == "near":
        columns = [
            [draw.ece[name] for draw in cell.draws] for name in ("before", "after", "chance")
        ]
        others = [_mean(each) for each in (*columns, [draw.gap for draw in cell.draws])]
    return [cell.dataset, str(cell.shots), ood, *detectors, *accepted, *others]


def _mean(values: Sequence[float]) -> str:
    if np.isnan(values).all():
        return ""
    return f"{np.mean(values):.1f} ± {np.std(values, ddof=1) / np.sqrt(len(values)):.1f}"


def _goals(cells: Sequence[Cell]) -> list[Goal]:
    several = [cell for cell in cells if cell.shots > 1]
    behind = {
        f"{cell.dataset}, {cell.shots}, {ood}": float(
            np.subtract(
                np.mean([draw.auroc[ood] for draw in cell.draws], 0).max(),
                np.mean([draw.auroc[ood][-1] for draw in cell.draws]),
            )
        )
        for cell in several
        for ood in cell.draws[0].auroc
    }
    worst = max(behind, key=lambda name: behind[name])
    recalls = [float(np.mean([draw.accepted["test"] for draw in cell.draws])) for cell in several]
    excess = [
        float(np.mean([draw.ece["after"] - draw.ece["chance"] for draw in cell.draws]))
        for cell in several
    ]
    gaps = [float(np.nanmean([draw.gap for draw in cell.draws])) for cell in several]
    return [
        Goal(
            "AUROC within a point of the best detector in each row, from 5 samples per class on",
            f"at most {behind[worst]:.1f} below ({worst})",
            behind[worst] <= 1,
        ),
        Goal(
            "92 to 98 % of the test samples accepted, with 5 or more samples per class",
            f"{min(recalls):.1f} % to {max(recalls):.1f} %",
            all(abs(each - 95) <= 3 for each in recalls),
        ),
        Goal(
            "ECE at most 2 points above chance, from 5 samples per class on",
            f"{min(excess):+.1f} to {max(excess):+.1f}",
            max(excess) <= 2,
        ),
        Goal(
            "expected accuracy within 5 points of the real one, from 5 samples per class on",
            f"{min(gaps):+.1f} to {max(gaps):+.1f}",
            max(map(abs, gaps)) <= 5,
        ),
    ]


if __name__ == "__main__":
    main(run)
