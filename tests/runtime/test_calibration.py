"""Temperature: confidence becomes what it says, and the answers stay."""

from __future__ import annotations

import numpy as np
import pytest

from sartor.errors import DataError
from sartor.runtime.confidence.temperature import (
    default_temperature,
    expected_calibration_error,
    fit_temperature,
    folds,
)


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))


def drawn(count: int, temperature: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits [N, 5], and targets as likely as the logits say at that temperature."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, (count, 5))
    chosen = (softmax(logits / temperature).cumsum(1) < rng.random((count, 1))).sum(1)
    return logits, np.eye(5)[np.minimum(chosen, 4)]


@pytest.mark.parametrize("temperature", [0.3, 1.0, 3.0])
def test_finds_the_temperature_that_made_the_answers(temperature: float) -> None:
    logits, targets = drawn(4000, temperature)
    found = fit_temperature(softmax(logits).astype(np.float32), targets)
    assert found == pytest.approx(temperature, rel=0.1)


def test_mends_a_model_that_is_too_sure_on_samples_it_has_not_seen() -> None:
    logits, targets = drawn(600, 4.0)
    temperature = fit_temperature(softmax(logits), targets)
    fresh, answers = drawn(3000, 4.0, seed=1)
    before = expected_calibration_error(softmax(fresh), answers)
    after = expected_calibration_error(softmax(fresh / temperature), answers)
    assert before > 0.2
    assert after < 0.04
    assert (softmax(fresh / temperature).argmax(1) == softmax(fresh).argmax(1)).all()


def test_few_samples_stay_near_what_is_expected_and_many_decide() -> None:
    logits, targets = drawn(4000, 4.0)
    probabilities = softmax(logits)
    found = [
        fit_temperature(probabilities[:count], targets[:count], expected=0.5)
        for count in (0, 5, 50, 4000)
    ]
    assert found[0] == pytest.approx(0.5, rel=1e-6)
    assert found == sorted(found)
    assert found[1] < 1.5
    assert found[3] == pytest.approx(4, rel=0.15)


def test_samples_that_are_all_right_and_certain_give_a_finite_temperature() -> None:
    certain = np.eye(3, dtype=np.float32).repeat(50, 0)
    assert 0 < fit_temperature(certain, certain) < 1
    assert fit_temperature(certain, np.roll(certain, 1, 1)) > 5
    assert 0 < default_temperature(certain) < 100


def test_slots_that_are_not_active_change_nothing() -> None:
    logits, targets = drawn(100, 2.0)
    probabilities = softmax(logits)
    gaps = np.zeros((100, 9))
    gaps[:, [0, 2, 3, 6, 8]], wanted = probabilities, gaps * 0
    wanted[:, [0, 2, 3, 6, 8]] = targets
    assert fit_temperature(gaps, wanted) == pytest.approx(fit_temperature(probabilities, targets))
    assert default_temperature(gaps) == pytest.approx(default_temperature(probabilities))


def test_a_weight_is_a_number_of_samples() -> None:
    logits, targets = drawn(40, 2.0)
    probabilities, weights = softmax(logits), np.arange(40) % 3
    repeated = fit_temperature(probabilities.repeat(weights, 0), targets.repeat(weights, 0))
    assert fit_temperature(probabilities, targets, weights) == pytest.approx(repeated)


def test_independent_outputs() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 4, (3000, 3))
    targets = (rng.random((3000, 3)) < 1 / (1 + np.exp(-logits / 2.5))).astype(float)
    found = fit_temperature(1 / (1 + np.exp(-logits)), targets, independent=True)
    assert found == pytest.approx(2.5, rel=0.1)
    unsaid = np.ones((3000, 3))
    unsaid[:, 0] = 0
    wrong = targets.copy()
    wrong[:, 0] = 1 - wrong[:, 0]  # of weight 0, so it does not count
    again = fit_temperature(1 / (1 + np.exp(-logits)), wrong, unsaid, independent=True)
    assert again == pytest.approx(2.5, rel=0.1)


def test_the_default_temperature_follows_the_size_of_the_logits() -> None:
    logits, _ = drawn(50, 1.0)
    small = default_temperature(softmax(logits))
    assert default_temperature(softmax(5 * logits)) == pytest.approx(5 * small)
    assert small == pytest.approx(0.3 * (logits - logits.mean(1, keepdims=True)).std())
    assert default_temperature(np.ones((4, 1))) == 1
    assert default_temperature(np.full((4, 3), 1 / 3)) == 1


def test_calibration_error_of_known_cases() -> None:
    targets = np.eye(2)[[0, 0, 0, 1] * 50]
    honest = np.tile([0.75, 0.25], (200, 1))
    assert expected_calibration_error(honest, targets, bins=1) == pytest.approx(0)
    boasting = np.tile([0.95, 0.05], (200, 1))
    assert expected_calibration_error(boasting, targets, bins=1) == pytest.approx(0.2)
    half = np.repeat([[0.9, 0.1], [0.6, 0.4]], 100, 0)
    answers = np.eye(2)[np.repeat([0, 1, 0, 1], [75, 25, 75, 25])]  # too sure, and not enough
    assert expected_calibration_error(half, answers, bins=2) == pytest.approx(0.15)
    with pytest.raises(DataError, match="no samples"):
        expected_calibration_error(honest[:0], targets[:0])


def test_folds_keep_groups_together_and_spread_classes() -> None:
    slots = np.repeat([0, 3, 4], [30, 12, 6])
    groups = np.arange(48) // 3  # three views of each
    parts = folds(slots, groups, 5, np.random.default_rng(0))
    assert all(len(set(parts[groups == group])) == 1 for group in groups)
    for slot, most in ((0, 2), (3, 1), (4, 1)):
        assert max(np.bincount(parts[slots == slot][::3])) == most
    assert set(parts) == set(range(5))
    assert (folds(slots, groups, 5, np.random.default_rng(0)) == parts).all()
    with pytest.raises(DataError, match="at least 2"):
        folds(slots, groups, 1, np.random.default_rng(0))
