"""Measure the loss of quantization: feature errors, and the accuracy of a classifier."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..litert import create_interpreter
from ..runtime import PersonalModel

__all__ = [
    "FewShotAccuracy",
    "QuantizationReport",
    "compare_features",
    "compute_features",
]

_DRAWS = 5
_MAX_SHOTS = 10


@dataclass(frozen=True)
class FewShotAccuracy:
    """Accuracy of a softmax classifier trained on a few samples per class.

    Each draw trains two classifiers on the same samples: one on the features of the float base and
    one on those of the quantized base.

    Attributes:
        shots: number of training samples per class.
        tested: number of test samples.
        before: accuracy of each draw with the float base, 0…1.
        after: accuracy of each draw with the quantized base, 0…1.
    """

    shots: int
    tested: int
    before: tuple[float, ...]
    after: tuple[float, ...]

    @property
    def loss(self) -> float:
        """The mean of `before` minus the mean of `after`."""
        return float(np.mean(self.before) - np.mean(self.after))


@dataclass(frozen=True)
class QuantizationReport:
    """Size and loss of a quantized base.

    Attributes:
        mode: one of `sartor.quantization.MODES`.
        bytes_before, bytes_after: size of the base up to its features, as a `.tflite` file.
        calibrated: number of samples used for calibration.
        samples: number of samples used to measure the loss. If it is 0, the attributes below are
            None.
        relative_error: ‖after − before‖ / ‖before‖ of the features, mean over the samples.
        cosine: cosine similarity of the features before and after, mean over the samples.
        few_shot: accuracy before and after; None if the samples have no classes.
    """

    mode: str
    bytes_before: int
    bytes_after: int
    calibrated: int = 0
    samples: int = 0
    relative_error: float | None = None
    cosine: float | None = None
    few_shot: FewShotAccuracy | None = None


def compute_features(
    content: bytes, inputs: Iterable[Mapping[str, np.ndarray]], names: Sequence[str]
) -> list[np.ndarray]:
    """Run the signature `infer` of a file, or its first signature, on each sample.

    Args:
        content: a `.tflite` file.
        inputs: name → array, for each sample.
        names: names of the outputs to return.

    Returns:
        One array [N, F] for each name, with flattened rows.
    """
    interpreter = create_interpreter(content, threads=min(2, os.cpu_count() or 1))
    keys = list(interpreter.get_signature_list())
    runner = interpreter.get_signature_runner("infer" if "infer" in keys else keys[0])
    rows = []
    for sample in inputs:
        outputs = runner(**sample)
        rows.append([outputs[name].ravel() for name in names])
    return [np.stack(column) for column in zip(*rows, strict=True)]


def compare_features(
    before: Sequence[np.ndarray],
    after: Sequence[np.ndarray],
    labels: Sequence[str] | None,
    create_classifier: Callable[[Sequence[str]], bytes],
) -> tuple[float, float, FewShotAccuracy | None]:
    """Compare the features of the same samples.

    Args:
        before: [N, F] of each features tensor, from the float base.
        after: [N, F] of each features tensor, from the quantized base.
        labels: class of each sample, or None.
        create_classifier: function from class names to a personalizable file whose inputs are the
            features.

    Returns:
        The relative error, the cosine similarity and the few-shot accuracy. The last is None
        without labels or if a class has fewer than two samples.
    """
    x = np.concatenate(before, axis=1).astype(np.float64)
    y = np.concatenate(after, axis=1).astype(np.float64)
    x_norm, y_norm = np.linalg.norm(x, axis=1), np.linalg.norm(y, axis=1)
    tiny = np.finfo(np.float64).tiny
    error = np.linalg.norm(y - x, axis=1) / np.maximum(x_norm, tiny)
    cosine = (x * y).sum(1) / np.maximum(x_norm * y_norm, tiny)
    few_shot = _few_shot_accuracy(before, after, labels, create_classifier) if labels else None
    return float(error.mean()), float(cosine.mean()), few_shot


def _few_shot_accuracy(
    before: Sequence[np.ndarray],
    after: Sequence[np.ndarray],
    labels: Sequence[str],
    create_classifier: Callable[[Sequence[str]], bytes],
) -> FewShotAccuracy | None:
    usable = np.intersect1d(_distinct(before), _distinct(after))
    names, classes = np.unique([labels[index] for index in usable], return_inverse=True)
    shots = min(_MAX_SHOTS, int(np.bincount(classes).min()) // 2)
    if len(names) < 2 or shots < 1:
        return None
    accuracy_before, accuracy_after, test = [], [], usable
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "classifier.tflite"
        path.write_bytes(create_classifier(names.tolist()))
        for seed in range(_DRAWS):
            train, test = (usable[indices] for indices in _split(classes, shots, seed))
            accuracy_before.append(_accuracy(path, before, labels, train, test))
            accuracy_after.append(_accuracy(path, after, labels, train, test))
    return FewShotAccuracy(shots, len(test), tuple(accuracy_before), tuple(accuracy_after))


def _distinct(features: Sequence[np.ndarray]) -> np.ndarray:
    """Return the indices of samples with distinct features; a model refuses duplicates."""
    rows = np.concatenate(features, axis=1)
    indices: np.ndarray = np.unique(rows, axis=0, return_index=True)[1]
    return indices


def _split(classes: np.ndarray, shots: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw `shots` training samples of each class; the others are for the test."""
    order = np.random.default_rng(seed).permutation(len(classes))
    train = np.concatenate(
        [order[classes[order] == index][:shots] for index in range(classes.max() + 1)]
    )
    return train, np.setdiff1d(order, train)


def _accuracy(
    path: Path,
    features: Sequence[np.ndarray],
    labels: Sequence[str],
    train: np.ndarray,
    test: np.ndarray,
) -> float:
    """Train a classifier on the features of some samples and return its accuracy on others."""
    with PersonalModel(path, threads=1) as model:
        inputs = model.manifest.inputs

        def sample(index: int) -> dict[str, np.ndarray]:
            return {
                spec.name: column[index].reshape(spec.shape)
                for spec, column in zip(inputs, features, strict=True)
            }

        for index in train:
            model.add_sample(sample(index), labels[index])
        model.fit()
        return model.evaluate((sample(index), labels[index]) for index in test).accuracy
