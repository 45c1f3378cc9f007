"""The metric within the classes is a regularized Mahalanobis metric."""

from __future__ import annotations

import numpy as np
import pytest

from sartor.contract.checkpoint import OOD_DIRECTIONS
from sartor.errors import CheckpointError
from sartor.runtime.confidence.held_out import held_out_parts, within_class_similarity
from sartor.runtime.confidence.prototypes import unit_features
from sartor.runtime.confidence.within_class_metric import WithinClassMetric

CLASSES = np.array([0, 0, 0, 0, 0, 2, 2, 2])


def draw(count: int, size: int = 6, seed: int = 0) -> np.ndarray:
    return unit_features([np.random.default_rng(seed).normal(1, 1, (count, size))])


def inverse(rows: np.ndarray, class_indices: np.ndarray) -> np.ndarray:
    """Return the inverse of I + RᵀR / λ, float64 [F, F]."""
    residuals = rows.astype(np.float64)
    for index in np.unique(class_indices):
        residuals[class_indices == index] -= residuals[class_indices == index].mean(0)
    ridge = 0.3 * (residuals**2).sum() / len(rows)
    return np.linalg.inv(np.eye(rows.shape[1]) + residuals.T @ residuals / ridge)


def test_products_are_those_of_the_inverse_of_the_regularized_covariance() -> None:
    rows, metric = draw(8), WithinClassMetric.fit(draw(8), CLASSES, 8)
    matrix, others = inverse(rows, CLASSES), draw(5, seed=1)
    prototypes = 1.5 * draw(3, seed=2)
    cosines = others @ matrix @ prototypes.T
    cosines /= np.sqrt((others @ matrix * others).sum(1))[:, np.newaxis]
    cosines /= np.sqrt((prototypes @ matrix * prototypes).sum(1))
    products = others @ metric.transform(prototypes).T / metric.norms(others)[:, np.newaxis]
    assert products == pytest.approx(1.5 * cosines, rel=1e-4)


def test_a_direction_in_which_the_samples_of_a_class_differ_counts_less() -> None:
    rng = np.random.default_rng(0)
    rows = np.repeat(np.eye(2, 5), 20, 0) + 0.02 * rng.normal(size=(40, 5))
    rows[:, 4] += rng.normal(size=40)
    metric = WithinClassMetric.fit(unit_features([rows]), np.repeat([0, 1], 20), 40)
    x = np.array([[1, 0, 0, 0, 0], [1, 0, 0, 0, 1], [1, 0, 0, 1, 0]], np.float32)
    _, differing, other = x @ metric.transform(x[:1]).T / metric.norms(x)[:, np.newaxis]
    assert differing > 0.95
    assert other < 0.75


def test_of_many_samples_64_give_a_direction() -> None:
    rows, class_indices = draw(200, 70), np.arange(200) % 3
    metric = WithinClassMetric.fit(rows, class_indices, 200)
    assert metric.directions.shape == (64, 70)
    assert WithinClassMetric.fit(rows, class_indices, 9).directions.shape == (9, 70)
    assert np.square(metric.directions).sum(1).max() < 1


def test_equal_samples_have_the_plain_metric() -> None:
    rows = np.repeat(draw(1), 4, 0)
    for metric in (
        WithinClassMetric.fit(rows, np.zeros(4, int), 4),
        WithinClassMetric.fit(draw(4), np.arange(4), 4),
    ):
        assert len(metric.directions) == 0
        assert metric.norms(rows) == pytest.approx(1)
        assert metric.transform(2 * rows) == pytest.approx(2 * rows)


def test_the_similarity_is_the_mean_cosine_of_pairs_that_are_held_out_together() -> None:
    rows, folds = draw(8), np.array([0, 0, 0, 1, 1, 0, 0, 1])
    parts = held_out_parts(rows, CLASSES, folds)
    pairs = ((0, [0, 1, 2]), (0, [5, 6]), (1, [3, 4]))
    total = 0.0
    for fold, members in pairs:
        matrix = inverse(rows[folds != fold], CLASSES[folds != fold])
        products = rows[members] @ matrix @ rows[members].T
        norms = np.sqrt(np.diag(products))
        cosines = products / norms / norms[:, np.newaxis]
        count = len(members)
        total += (count - 1) * cosines[~np.eye(count, dtype=bool)].mean()
    similarity = within_class_similarity(rows, CLASSES, parts)
    assert similarity == pytest.approx(total / 4, rel=1e-4)


def test_without_pairs_in_a_fold_the_similarity_is_that_of_all_samples() -> None:
    rows = draw(8)
    means = []
    for index, count in ((0, 5), (2, 3)):
        members = rows[index == CLASSES]
        means += [(members @ members.T)[~np.eye(count, dtype=bool)].mean()] * (count - 1)
    expected = pytest.approx(np.mean(means), rel=1e-5)
    assert within_class_similarity(rows, CLASSES, []) == expected
    folds = np.array([0, 1, 2, 3, 4, 0, 1, 2])
    assert within_class_similarity(rows, CLASSES, held_out_parts(rows, CLASSES, folds)) == expected


def test_the_similarity_is_between_5_percent_and_1() -> None:
    opposite = np.array([[1, 0], [-1, 0]], np.float32)
    assert within_class_similarity(opposite, np.array([0, 0]), []) == 0.05
    assert within_class_similarity(opposite, np.array([0, 1]), []) == 1


@pytest.mark.parametrize(
    ("directions", "message"),
    [
        (np.zeros((65, 6)), "[65, 6]"),
        (np.zeros((0, 6)), "[0, 6]"),
        (np.zeros((2, 5)), "expected ood/directions [D, 6]"),
        (np.zeros(6), "[6]"),
        (np.full((2, 6), 0.5), "rows longer than 1"),
    ],
)
def test_damaged_directions_are_refused(directions: np.ndarray, message: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        WithinClassMetric.from_arrays({OOD_DIRECTIONS: directions.astype(np.float32)}, 6)
    assert message in str(caught.value)
    assert "the checkpoint is damaged" in str(caught.value)


def test_directions_survive_a_checkpoint() -> None:
    metric = WithinClassMetric.fit(draw(8), CLASSES, 8)
    loaded = WithinClassMetric.from_arrays({OOD_DIRECTIONS: metric.directions}, 6)
    np.testing.assert_array_equal(loaded.directions, metric.directions)
    assert len(WithinClassMetric.from_arrays({}, 6).directions) == 0
