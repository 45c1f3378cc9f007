"""Prototypes are typical directions of each class."""

from __future__ import annotations

import numpy as np
import pytest

from sartor.runtime.confidence.prototypes import class_prototypes, unit_features


def draw(count: int, seed: int = 0) -> np.ndarray:
    return unit_features([np.random.default_rng(seed).normal(1, 1, (count, 6))])


def test_features_are_concatenated_and_scaled_to_length_1() -> None:
    rows = unit_features([np.array([[[3.0]], [[0.0]]]), np.array([[4.0, 0.0], [0.0, 0.0]])])
    assert rows.dtype == np.float32
    assert rows == pytest.approx(np.array([[0.6, 0.8, 0], [0, 0, 0]]))


def test_a_class_of_few_samples_has_longer_prototypes() -> None:
    rows, class_indices = draw(9), np.array([0] + 8 * [3])
    prototypes, indices = class_prototypes(rows, class_indices, 0.5)
    assert indices.tolist() == [0, 3, 3, 3, 3]
    lengths = np.linalg.norm(prototypes, axis=1)
    assert lengths == pytest.approx(np.sqrt([2] + 4 * [1.125]), rel=1e-5)
    assert prototypes[0] == pytest.approx(np.sqrt(2) * rows[0], rel=1e-5)


def test_prototypes_are_the_centers_of_clusters() -> None:
    rng = np.random.default_rng(0)
    centers = np.eye(4, 6)
    rows = unit_features([np.repeat(centers, 300, 0) + 0.05 * rng.normal(size=(1200, 6))])
    prototypes, _ = class_prototypes(rows, np.zeros(1200, int), 1.0)
    order = prototypes.argmax(1).argsort()
    assert prototypes[order] == pytest.approx(centers, abs=0.02)


def test_clusters_start_at_evenly_spaced_samples() -> None:
    """Samples beside each other may be photos of one burst."""
    rows = unit_features([np.repeat(np.eye(4, 6), 5, 0)])
    prototypes, _ = class_prototypes(rows, np.zeros(20, int), 1.0)
    assert prototypes == pytest.approx(np.eye(4, 6))
