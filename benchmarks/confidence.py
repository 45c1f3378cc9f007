"""Calibration, and detection of out-of-distribution (OOD) inputs.

The OOD inputs are of two types: samples of unseen classes of the same data set, and, for photos,
photos of ImageNet.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import sartor
from sartor.contract.names import CENTER, SCALE
from sartor.runtime.confidence.folds import assign_folds
from sartor.runtime.confidence.out_of_distribution import OODDetector
from sartor.runtime.confidence.temperature import (
    apply_temperature,
    default_temperature,
    expected_calibration_error,
    fit_temperature,
)
from sartor.runtime.saved.checkpoint import read_checkpoint

from .harness import MOBILENET, Goal, Report, main, shared
from .metrics import auroc, fraction_above
from .samples import FeatureModel, Samples, clothing_photos, convert_base, embed
from .spoken_digits import KEYWORDS, spoken

_SHOTS = (1, 5, 20, 100)
_TRAINED = (5, 8)  # number of training classes, of ten
_DRAWS, _FOLDS, _RECALL = 5, 3, 0.95
_TRAIN_SIZE = 105  # recordings per digit; the others are for testing
_SCORES = ("max softmax", "nearest mean", "Sartor")


@dataclass(frozen=True)
class Split:
    """Training samples, test samples and OOD inputs of one data set.

    Attributes:
        name: for the table.
        file: converted file.
        train, test: samples of ten classes.
        imagenet: features of photos of other classes, or None.
    """

    name: str
    file: Path
    train: Samples
    test: Samples
    imagenet: np.ndarray | None = None


@dataclass(frozen=True)
class Draw:
    """The measurements of one draw, 0…1; lists have one value for each of `_SCORES`.

    Attributes:
        auroc: area under the ROC curve, test samples against unseen classes.
        fpr: false positive rate: the fraction of unseen classes accepted at a recall of 95 %.
        fpr_imagenet: the same for photos of ImageNet.
        recall, accepted, accepted_imagenet: accepted fraction of test samples, unseen classes and
            photos of ImageNet, with the threshold that Sartor fits.
        ece, calibrated_ece: expected calibration error before and after temperature scaling.
    """

    auroc: list[float]
    fpr: list[float]
    fpr_imagenet: list[float]
    recall: float
    accepted: float
    accepted_imagenet: float
    ece: float
    calibrated_ece: float


@dataclass(frozen=True)
class Cell:
    """One row of the table."""

    dataset: str
    shots: int
    draws: list[Draw]

    def mean(self, pick: Callable[[Draw], float]) -> float:
        """Return the mean of one measurement over the draws."""
        return float(np.mean([pick(draw) for draw in self.draws]))


class Head:
    """A linear head, trained by PersonalModel with its defaults."""

    def __init__(self, file: Path, features: np.ndarray, labels: np.ndarray) -> None:
        with tempfile.TemporaryDirectory() as folder, FeatureModel(file) as model:
            for row, label in zip(features, labels, strict=True):
                model.add_sample(row[None], str(label))
            model.fit()
            checkpoint = read_checkpoint(model.save(Path(folder, "head.safetensors")))
        indices = [checkpoint.classes.index(str(label)) for label in np.unique(labels)]
        self._weights = checkpoint.variables["head/weights"][indices]
        self._bias = checkpoint.variables["head/bias"][indices]
        self._center, self._scale = checkpoint.variables[CENTER], checkpoint.variables[SCALE]

    def probabilities(self, features: np.ndarray, temperature: float = 1.0) -> np.ndarray:
        """Return the probabilities [N, C] of features [N, F]."""
        normalized = (features - self._center) * self._scale
        logits = (normalized @ self._weights.T + self._bias) / temperature
        powers = np.exp(logits - logits.max(1, keepdims=True))
        return np.asarray(powers / powers.sum(1, keepdims=True))


def run() -> Report:
    with tempfile.TemporaryDirectory() as folder:
        splits = _splits(Path(folder))
        cells = [_cell(split, shots) for split in splits for shots in _SHOTS]
    return _report(cells)


def _report(cells: Sequence[Cell]) -> Report:
    return Report(
        "Out-of-distribution inputs and calibration",
        ["", "samples per class",
         *(f"AUROC: {name}" for name in _SCORES),
         *(f"FPR95: {name}" for name in _SCORES),
         *(f"FPR95 ImageNet: {name}" for name in _SCORES),
         "accepted: test", "accepted: unseen", "accepted: ImageNet", "ECE before", "ECE after"],
        [_row(cell) for cell in cells],
        goals=_goals(cells),
        notes=[
            f"Means over {_DRAWS} draws for each of {' and '.join(map(str, _TRAINED))} training "
            "classes of ten; the other classes are unseen. ImageNet: 500 photos.",
            "AUROC and FPR95 compare test samples with unseen classes; FPR95 is the fraction of "
            "OOD inputs that are accepted where 95 % of the test samples are. Accepted: with the "
            "threshold that Sartor fits to the training samples. With one sample per class "
            "nothing can be held out: the threshold comes from the similarity between classes, "
            "and the temperature is the default.",
            "Nearest mean: largest cosine similarity to the mean of a class. Max softmax and "
            "Sartor use the head that PersonalModel trains. ECE: expected calibration error of "
            "the test samples in 15 bins of equal numbers, before and after temperature scaling.",
        ],
        data=[{"dataset": cell.dataset, "shots": cell.shots, "draws": [vars(draw) for draw in
               cell.draws]} for cell in cells],
    )  # fmt: skip


def _splits(folder: Path) -> Iterator[Split]:
    photos = sorted(shared("data", "imagenet_samples").glob("*.jpg"))
    for name, base in (
        ("MobileNetV2", shared("models", MOBILENET)),
        ("starter", "starter"),
    ):
        file = sartor.convert(base, classes=10).save(folder / f"{name}.tflite")
        train, test = (embed(file, clothing_photos(split)) for split in ("train", "validation"))
        imagenet = embed(file, [(path, "") for path in photos]).features
        yield Split(f"clothing, {name}", file, train, test, imagenet)
    file = convert_base(KEYWORDS, folder, classes=10)
    yield Split("spoken digits", file, *_split_digits(spoken(file)))


def _split_digits(parts: Sequence[Samples]) -> tuple[Samples, Samples]:
    """Split all recordings at random into training and test samples, the same number per digit."""
    features = np.concatenate([part.features for part in parts])
    labels = np.concatenate([part.labels for part in parts])
    order = np.random.default_rng(0).permutation(len(labels))
    per_digit = [order[labels[order] == label] for label in np.unique(labels)]
    train = np.concatenate([rows[:_TRAIN_SIZE] for rows in per_digit])
    test = np.concatenate([rows[_TRAIN_SIZE:] for rows in per_digit])
    return Samples(features[train], labels[train]), Samples(features[test], labels[test])


def _cell(split: Split, shots: int) -> Cell:
    draws = [_draw(split, shots, classes, seed) for classes in _TRAINED for seed in range(_DRAWS)]
    return Cell(split.name, shots, draws)


def _draw(split: Split, shots: int, classes: int, seed: int) -> Draw:
    """Train on some classes, and measure test samples and OOD inputs."""
    rng = np.random.default_rng([seed, shots, classes])
    names = rng.permutation(np.unique(split.train.labels))[:classes]
    rows = [
        rng.choice(np.flatnonzero(split.train.labels == n), shots, replace=False) for n in names
    ]
    features, labels = (
        split.train.features[np.concatenate(rows)],
        np.repeat(range(classes), shots),
    )
    head = Head(split.file, features, labels)
    parts = assign_folds(
        labels, np.arange(len(labels)), folds=_FOLDS, seed=int(rng.integers(1 << 31))
    )
    held_out = _held_out(split.file, features, labels, parts) if shots > 1 else None
    temperature = default_temperature(head.probabilities(features))
    if held_out is not None:
        temperature = fit_temperature(held_out, np.eye(classes)[labels], prior=temperature)
        held_out = apply_temperature(held_out, temperature)
    model = OODDetector.fit([features], labels, parts, held_out, recall=_RECALL)
    assert model is not None
    means = _unit(np.stack([_unit(features[labels == label]).mean(0) for label in range(classes)]))

    def scores(inputs: np.ndarray) -> list[np.ndarray]:
        output = head.probabilities(inputs, temperature)
        pairs = zip(inputs, output, strict=True)
        ours = np.array([model.score([row[None]], probs[None]) for row, probs in pairs])
        return [
            head.probabilities(inputs).max(1),
            (_unit(inputs) @ means.T).max(1),
            ours,
        ]

    is_trained = np.isin(split.test.labels, names)
    unseen = [each.features[~np.isin(each.labels, names)] for each in (split.train, split.test)]
    test, targets = (
        split.test.features[is_trained],
        _one_hot(split.test.labels[is_trained], names),
    )
    in_distribution, unseen_scores = scores(test), scores(np.concatenate(unseen))
    imagenet = [np.full(1, np.nan)] * 3 if split.imagenet is None else scores(split.imagenet)
    limits = [float(np.quantile(each, 1 - _RECALL)) for each in in_distribution]
    return Draw(
        auroc=[auroc(*each) for each in zip(in_distribution, unseen_scores, strict=True)],
        fpr=fraction_above(unseen_scores, limits),
        fpr_imagenet=fraction_above(imagenet, limits),
        recall=fraction_above(in_distribution[2:], [model.threshold])[0],
        accepted=fraction_above(unseen_scores[2:], [model.threshold])[0],
        accepted_imagenet=fraction_above(imagenet[2:], [model.threshold])[0],
        ece=expected_calibration_error(head.probabilities(test), targets),
        calibrated_ece=expected_calibration_error(head.probabilities(test, temperature), targets),
    )


def _held_out(
    file: Path, features: np.ndarray, labels: np.ndarray, parts: np.ndarray
) -> np.ndarray:
    """Return the outputs [N, C] on held-out samples, by cross-validation."""
    rows = np.zeros((len(labels), int(labels.max()) + 1))
    for part in np.unique(parts):
        out = parts == part
        rows[out] = Head(file, features[~out], labels[~out]).probabilities(features[out])
    return rows


def _unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def _one_hot(labels: np.ndarray, names: np.ndarray) -> np.ndarray:
    return np.asarray(labels[:, None] == names, np.float64)


def _row(cell: Cell) -> list[str]:
    columns: list[Callable[[Draw], float]] = [
        *(lambda draw, i=i: draw.auroc[i] for i in range(3)),
        *(lambda draw, i=i: draw.fpr[i] for i in range(3)),
        *(lambda draw, i=i: draw.fpr_imagenet[i] for i in range(3)),
        lambda draw: draw.recall, lambda draw: draw.accepted, lambda draw: draw.accepted_imagenet,
        lambda draw: draw.ece, lambda draw: draw.calibrated_ece,
    ]  # fmt: skip
    means = [100 * cell.mean(column) for column in columns]
    return [
        cell.dataset,
        str(cell.shots),
        *("" if np.isnan(mean) else f"{mean:.1f} %" for mean in means),
    ]


def _goals(cells: Sequence[Cell]) -> list[Goal]:
    draws = [draw for cell in cells for draw in cell.draws]
    auroc = 100 * np.array([draw.auroc for draw in draws])
    goals = []
    for index, (name, least) in enumerate(zip(_SCORES[:2], (5, 2), strict=True)):
        gain = auroc[:, 2] - auroc[:, index]
        value = f"{gain.mean():+.1f} ± {gain.std(ddof=1) / np.sqrt(len(gain)):.1f}"
        text = f"AUROC on unseen classes: at least {least} points above {name}"
        goals.append(Goal(text, value, bool(gain.mean() >= least)))
    recalls = [100 * cell.mean(lambda draw: draw.recall) for cell in cells if cell.shots > 1]
    text = "recall of the test samples is 92 to 98 %, with at least 5 samples per class"
    value = f"{min(recalls):.1f} % to {max(recalls):.1f} %"
    goals.append(Goal(text, value, all(abs(each - 95) <= 3 for each in recalls)))
    before, after = (
        100 * np.array([cell.mean(pick) for cell in cells])
        for pick in (lambda draw: draw.ece, lambda draw: draw.calibrated_ece)
    )
    text = "temperature scaling lowers the expected calibration error, averaged over the rows"
    value = f"{before.mean():.1f} % to {after.mean():.1f} %, rows {(after - before).max():+.1f}"
    value += f" to {(after - before).min():+.1f} points"
    goals.append(Goal(text, value, bool(after.mean() < before.mean())))
    return goals


if __name__ == "__main__":
    main(run)
