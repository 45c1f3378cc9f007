"""What quantization loses: features of the same samples before and after, and what they teach."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..litert import create_interpreter
from ..runtime import PersonalModel

__all__ = ["FewShot", "QuantizationReport", "compare", "features_of"]

_DRAWS = 5
_MOST_SHOTS = 10

Inputs = Iterable[Mapping[str, np.ndarray]]


@dataclass(frozen=True)
class FewShot:
    """Accuracy of a softmax classifier on few samples a class, with both features, the same draws.

    Attributes:
        shots: samples of each class that it learned from.
        tested: how many others it was judged on.
        before: the accuracy of each draw with the float base's features, 0…1.
        after: the same with those of the quantized one.
    """

    shots: int
    tested: int
    before: tuple[float, ...]
    after: tuple[float, ...]

    @property
    def lost(self) -> float:
        """The mean of before − after."""
        return float(np.mean(self.before) - np.mean(self.after))


@dataclass(frozen=True)
class QuantizationReport:
    """What a base's quantization saves, and what it loses.

    Attributes:
        mode: `dynamic`, `float16` or `full-integer`.
        bytes_before, bytes_after: of the base up to its features, as a file of its own.
        calibrated: how many samples the ranges were measured on.
        samples: how many the loss was measured on; 0 where there were none, and then:
        relative_error: ‖after − before‖ / ‖before‖ of the features, the mean over the samples; or
            None.
        cosine: between the features before and after, the mean over the samples; or None.
        few_shot: accuracy before and after; None where the samples have no classes.
    """

    mode: str
    bytes_before: int
    bytes_after: int
    calibrated: int = 0
    samples: int = 0
    relative_error: float | None = None
    cosine: float | None = None
    few_shot: FewShot | None = None


def features_of(content: bytes, inputs: Inputs, names: Sequence[str]) -> list[np.ndarray]:
    """Run a file's `infer`, or its first signature.

    Args:
        content: the file.
        inputs: name → array, for each sample.
        names: of the outputs.

    Returns:
        [N, F] for each of the names: the rows of the samples, flattened.
    """
    interpreter = create_interpreter(content, threads=min(2, os.cpu_count() or 1))
    keys = list(interpreter.get_signature_list())
    runner = interpreter.get_signature_runner("infer" if "infer" in keys else keys[0])
    rows = []
    for each in inputs:
        outputs = runner(**each)
        rows.append([outputs[name].ravel() for name in names])
    return [np.stack(column) for column in zip(*rows, strict=True)]


def compare(
    before: Sequence[np.ndarray],
    after: Sequence[np.ndarray],
    labels: Sequence[str] | None,
    learner: Callable[[Sequence[str]], bytes],
) -> tuple[float, float, FewShot | None]:
    """Compare the features of the same samples.

    Args:
        before: [N, F] of each features tensor, by the float base.
        after: by the quantized one.
        labels: the class of each sample, where that is known.
        learner: makes a personalizable file for these class names whose inputs are the features.

    Returns:
        The relative error, the cosine, and the few-shot accuracy; None without labels, or with
        a class that has fewer than two.
    """
    x = np.concatenate(before, axis=1).astype(np.float64)
    y = np.concatenate(after, axis=1).astype(np.float64)
    lengths, others = np.linalg.norm(x, axis=1), np.linalg.norm(y, axis=1)
    tiny = np.finfo(np.float64).tiny
    error = np.linalg.norm(y - x, axis=1) / np.maximum(lengths, tiny)
    cosine = (x * y).sum(1) / np.maximum(lengths * others, tiny)
    few = _few_shot(before, after, labels, learner) if labels else None
    return float(error.mean()), float(cosine.mean()), few


def _few_shot(
    before: Sequence[np.ndarray],
    after: Sequence[np.ndarray],
    labels: Sequence[str],
    learner: Callable[[Sequence[str]], bytes],
) -> FewShot | None:
    usable = np.intersect1d(_distinct(before), _distinct(after))
    names, classes = np.unique([labels[index] for index in usable], return_inverse=True)
    shots = min(_MOST_SHOTS, int(np.bincount(classes).min()) // 2)
    if len(names) < 2 or shots < 1:
        return None
    old, new, held = [], [], usable
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "learner.tflite"
        path.write_bytes(learner(names.tolist()))
        for seed in range(_DRAWS):
            taught, held = (usable[chosen] for chosen in _draw(classes, shots, seed))
            old.append(_accuracy(path, before, labels, taught, held))
            new.append(_accuracy(path, after, labels, taught, held))
    return FewShot(shots, len(held), tuple(old), tuple(new))


def _distinct(features: Sequence[np.ndarray]) -> np.ndarray:
    """The first of each group of samples that have the same features: a model takes no other."""
    rows = np.concatenate(features, axis=1)
    first: np.ndarray = np.unique(rows, axis=0, return_index=True)[1]
    return first


def _draw(classes: np.ndarray, shots: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The places of `shots` samples of each class, and those of all others."""
    order = np.random.default_rng(seed).permutation(len(classes))
    taught = [order[classes[order] == each][:shots] for each in range(classes.max() + 1)]
    chosen = np.concatenate(taught)
    return chosen, np.setdiff1d(order, chosen)


def _accuracy(
    path: Path,
    features: Sequence[np.ndarray],
    labels: Sequence[str],
    taught: np.ndarray,
    held: np.ndarray,
) -> float:
    """What a model learns of some samples' features, judged on others."""
    with PersonalModel(path, threads=1) as model:
        inputs = model.manifest.inputs

        def sample(index: int) -> dict[str, np.ndarray]:
            return {
                spec.name: column[index].reshape(spec.shape)
                for spec, column in zip(inputs, features, strict=True)
            }

        for index in taught:
            model.add_sample(sample(index), labels[index])
        model.fit()
        return model.evaluate((sample(index), labels[index]) for index in held).accuracy
