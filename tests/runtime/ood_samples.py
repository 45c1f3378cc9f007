"""Features of samples around class centers, and detectors of them."""

from __future__ import annotations

import numpy as np

from sartor.runtime.confidence.folds import assign_folds
from sartor.runtime.confidence.out_of_distribution import OODDetector

F, C = 24, 6


def class_centers(seed: int = 0, classes: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(classes, F))


def draw(centers: np.ndarray, per_class: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw the features of samples around class centers, and their class indices."""
    class_indices = np.repeat(np.arange(len(centers)), per_class)
    noise = np.random.default_rng(seed).normal(size=(len(class_indices), F))
    return (centers[class_indices] + 0.6 * noise).astype(np.float32), class_indices


def probabilities(features: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """Return the output of a softmax head, [N, C]; the last class index is masked."""
    logits = features @ centers.T / 4
    powers = np.exp(logits - logits.max(1, keepdims=True))
    rows = np.zeros((len(features), C), np.float32)
    rows[:, : len(centers)] = powers / powers.sum(1, keepdims=True)
    return rows


def five_folds(class_indices: np.ndarray) -> np.ndarray:
    return assign_folds(class_indices, np.arange(len(class_indices)), folds=5)


def scores(detector: OODDetector, features: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    pairs = zip(features, outputs, strict=True)
    return np.array([detector.score([row[None]], output[None]) for row, output in pairs])


def acceptance(detector: OODDetector, features: np.ndarray, outputs: np.ndarray) -> float:
    return float((scores(detector, features, outputs) >= detector.threshold).mean())


def fit_detector(per_class: int, *, trained: bool = True, seed: int = 1) -> OODDetector:
    features, class_indices = draw(class_centers(), per_class, seed)
    outputs = probabilities(features, class_centers()) if trained else None
    detector = OODDetector.fit([features], class_indices, five_folds(class_indices), outputs)
    assert detector is not None
    return detector
