"""Temperature scaling calibrates probabilities, and keeps the order of the classes."""

from __future__ import annotations

import numpy as np
import pytest

from sartor.errors import DataError
from sartor.runtime.confidence.temperature import (
    apply_temperature,
    default_temperature,
    expected_calibration_error,
    fit_temperature,
)


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))


def draw(count: int, temperature: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw logits [N, 5], and targets with the probabilities of these at a temperature."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, (count, 5))
    chosen = (softmax(logits / temperature).cumsum(1) < rng.random((count, 1))).sum(1)
    return logits, np.eye(5)[np.minimum(chosen, 4)]


@pytest.mark.parametrize("temperature", [0.3, 1.0, 3.0])
def test_the_true_temperature_is_found(temperature: float) -> None:
    logits, targets = draw(4000, temperature)
    fitted = fit_temperature(softmax(logits).astype(np.float32), targets)
    assert fitted == pytest.approx(temperature, rel=0.1)


def test_an_overconfident_model_is_calibrated_on_new_samples() -> None:
    logits, targets = draw(600, 4.0)
    temperature = fit_temperature(softmax(logits), targets)
    test_logits, test_targets = draw(3000, 4.0, seed=1)
    before, after = softmax(test_logits), apply_temperature(softmax(test_logits), temperature)
    assert expected_calibration_error(before, test_targets) > 0.2
    assert expected_calibration_error(after, test_targets) < 0.04
    assert (after.argmax(1) == before.argmax(1)).all()


def test_applying_a_temperature_divides_the_logits() -> None:
    logits, _ = draw(20, 1.0)
    masked = np.pad(softmax(logits), ((0, 0), (0, 2)))
    scaled = apply_temperature(masked, 2.5)
    assert scaled[:, :5] == pytest.approx(softmax(logits / 2.5), abs=1e-6)
    assert not scaled[:, 5:].any()
    assert not apply_temperature(np.zeros((1, 3)), 2.5).any()


def test_few_samples_stay_near_the_prior_and_many_decide() -> None:
    logits, targets = draw(4000, 4.0)
    probabilities = softmax(logits)
    fitted = [
        fit_temperature(probabilities[:count], targets[:count], prior=0.5)
        for count in (0, 5, 50, 4000)
    ]
    assert fitted[0] == pytest.approx(0.5, rel=1e-6)
    assert fitted == sorted(fitted)
    assert fitted[1] < 1.5
    assert fitted[3] == pytest.approx(4, rel=0.15)


def test_the_prior_counts_as_16_samples() -> None:
    """At the minimum, the derivative of the negative log posterior is 0."""
    logits, targets = draw(30, 2.0)
    prior = 0.7
    inverse = 1 / fit_temperature(softmax(logits), targets, prior=prior)
    log_probabilities = np.log(softmax(logits))
    slope = ((softmax(log_probabilities * inverse) - targets) * log_probabilities).sum()
    assert slope == pytest.approx(16 * (1 / inverse - prior), rel=1e-4)


def test_certain_outputs_give_a_finite_temperature() -> None:
    certain = np.eye(3, dtype=np.float32).repeat(50, 0)
    assert 0 < fit_temperature(certain, certain) < 1
    assert fit_temperature(certain, np.roll(certain, 1, 1)) > 5
    assert 0 < default_temperature(certain) < 100


def test_masked_classes_have_no_effect() -> None:
    logits, targets = draw(100, 2.0)
    probabilities, active = softmax(logits), [0, 2, 3, 6, 8]
    masked_outputs, masked_targets = np.zeros((2, 100, 9))
    masked_outputs[:, active], masked_targets[:, active] = probabilities, targets
    expected = pytest.approx(fit_temperature(probabilities, targets))
    assert fit_temperature(masked_outputs, masked_targets) == expected
    assert default_temperature(masked_outputs) == pytest.approx(default_temperature(probabilities))
    high = fit_temperature(probabilities[:1], targets[:1], prior=40.0)
    masked = fit_temperature(masked_outputs[:1], masked_targets[:1], prior=40.0)
    assert masked == pytest.approx(high)


def test_a_weight_is_a_number_of_samples() -> None:
    logits, targets = draw(40, 2.0)
    probabilities, weights = softmax(logits), np.arange(40) % 3
    repeated = fit_temperature(probabilities.repeat(weights, 0), targets.repeat(weights, 0))
    assert fit_temperature(probabilities, targets, weights) == pytest.approx(repeated)
    assert fit_temperature(probabilities, targets) != pytest.approx(repeated)


def test_independent_outputs_share_a_temperature() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 4, (3000, 3))
    targets = (rng.random((3000, 3)) < 1 / (1 + np.exp(-logits / 2.5))).astype(float)
    probabilities = 1 / (1 + np.exp(-logits))
    fitted = fit_temperature(probabilities, targets, independent=True)
    assert fitted == pytest.approx(2.5, rel=0.1)
    slope = ((1 / (1 + np.exp(-logits / fitted)) - targets) * logits).sum()
    assert slope == pytest.approx(16 * (fitted - 1), rel=1e-3, abs=1e-3)  # the minimum
    weights, wrong = np.ones((3000, 3)), targets.copy()
    weights[:, 0] = 0
    wrong[:, 0] = 1 - wrong[:, 0]  # has no effect at weight 0
    fitted = fit_temperature(probabilities, wrong, weights, independent=True)
    assert fitted == pytest.approx(2.5, rel=0.1)


def test_the_default_temperature_is_proportional_to_the_spread_of_the_logits() -> None:
    logits, _ = draw(50, 1.0)
    default = default_temperature(softmax(logits))
    assert default_temperature(softmax(5 * logits)) == pytest.approx(5 * default)
    assert default == pytest.approx(0.4 * (logits - logits.mean(1, keepdims=True)).std())
    assert default_temperature(np.ones((4, 1))) == 1
    assert default_temperature(np.full((4, 3), 1 / 3)) == 1


def test_the_calibration_error_of_simple_cases() -> None:
    targets = np.eye(2)[[0, 0, 0, 1] * 50]
    calibrated = np.tile([0.75, 0.25], (200, 1))
    assert expected_calibration_error(calibrated, targets, bins=1) == pytest.approx(0)
    overconfident = np.tile([0.95, 0.05], (200, 1))
    assert expected_calibration_error(overconfident, targets, bins=1) == pytest.approx(0.2)
    mixed = np.repeat([[0.9, 0.1], [0.6, 0.4]], 100, 0)  # overconfident, and underconfident
    targets = np.eye(2)[np.repeat([0, 1, 0, 1], [75, 25, 75, 25])]
    assert expected_calibration_error(mixed, targets, bins=2) == pytest.approx(0.15)
    order = np.random.default_rng(0).permutation(200)
    assert expected_calibration_error(mixed[order], targets[order], bins=2) == pytest.approx(0.15)
    assert expected_calibration_error(mixed, targets, bins=1) == pytest.approx(0)


def test_bins_have_at_least_five_samples() -> None:
    """With two bins of one sample, the error would be 0.5."""
    probabilities, targets = np.array([[0.5, 0.4], [0.51, 0.4]]), np.eye(2)
    assert expected_calibration_error(probabilities, targets) == pytest.approx(0.005)


def test_the_calibration_error_needs_samples() -> None:
    with pytest.raises(DataError, match="no samples"):
        expected_calibration_error(np.zeros((0, 2)), np.zeros((0, 2)))
