"""Cross-validation trains without each fold, and measures on it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sartor.runtime.confidence.cross_validation import (
    CrossValidation,
    HeldOutOutputs,
    assign_validation_folds,
    cross_validate,
)
from sartor.runtime.confidence.expected_accuracy import expected_accuracy
from sartor.runtime.confidence.out_of_distribution import OODDetector
from sartor.runtime.confidence.temperature import (
    apply_temperature,
    default_temperature,
    expected_calibration_error,
    fit_temperature,
)
from sartor.runtime.data.dataset import Dataset, training_dataset
from sartor.runtime.store import SampleSet

CLASSES = ("hat", "shoes", "dress")


def manifest(task: str = "classification", capacity: int = 4) -> Any:
    independent = task != "classification"
    return SimpleNamespace(task=task, weights_per_output=independent, capacity=capacity)


def draw(samples: int, augmentations: int = 2, task: str = "classification") -> Dataset:
    """Draw a data set; the last class has three times as many samples as the others."""
    rng = np.random.default_rng(0)
    ids = np.repeat(np.arange(samples), augmentations)
    class_indices = np.minimum(ids % 5, 2)
    features = (3 * np.eye(len(CLASSES), 8)[class_indices] + rng.normal(size=(len(ids), 8))).astype(
        np.float32
    )
    targets = np.eye(len(CLASSES), dtype=np.float32)[class_indices]
    indices = {name: index for index, name in enumerate(CLASSES)}
    rows = SampleSet([features], ids, targets, CLASSES)
    return training_dataset(manifest(task), rows, indices)


def softmax_outputs(dataset: Dataset, seed: int = 1) -> np.ndarray:
    """Return outputs that are often wrong, [N, C], with the last class masked."""
    logits = np.random.default_rng(seed).normal(0, 3, dataset.targets.shape) + 4 * dataset.targets
    powers = np.exp(logits)
    powers[:, len(CLASSES) :] = 0
    return np.asarray(powers / powers.sum(1, keepdims=True), np.float32)


def hold_out(dataset: Dataset, outputs: np.ndarray, completed: int = 3) -> HeldOutOutputs:
    """Return outputs as held-out outputs of the first folds."""
    folds = assign_validation_folds(dataset, dataset.sample_ids, seed=0)
    folds[folds >= completed] = -1
    return HeldOutOutputs(folds, np.where(folds[:, np.newaxis] >= 0, outputs, 0))


def validate(
    dataset: Dataset, outputs: np.ndarray, task: str = "classification", completed: int = 3
) -> CrossValidation:
    assigned = assign_validation_folds(dataset, dataset.sample_ids, seed=0)
    fitted = softmax_outputs(dataset, seed=2)
    held_out = hold_out(dataset, outputs, completed)
    return cross_validate(manifest(task), dataset, assigned, held_out, fitted)


def test_each_sample_is_held_out_once_with_all_its_augmentations() -> None:
    dataset = draw(30)
    folds = assign_validation_folds(dataset, dataset.sample_ids, seed=0)
    assert np.unique(folds).tolist() == [0, 1, 2]
    for sample in np.unique(dataset.sample_ids):
        assert len(np.unique(folds[dataset.sample_ids == sample])) == 1


def test_above_400_rows_one_fold_is_held_out() -> None:
    dataset = draw(201)
    folds = assign_validation_folds(dataset, dataset.sample_ids, seed=0)
    assert np.bincount(folds + 1).tolist() == [268, 134]


def test_of_many_features_one_fold_is_held_out() -> None:
    """Each fold takes as many steps as the training, so that three would take most of the time."""
    dataset = draw(30, augmentations=1)
    wide = replace(dataset, features=[np.tile(dataset.features[0], 5000)])
    folds = assign_validation_folds(wide, wide.sample_ids, seed=0)
    assert np.bincount(folds + 1).tolist() == [20, 10]


def test_the_loss_is_that_of_held_out_rows_at_the_best_temperature() -> None:
    dataset = draw(30)
    outputs = softmax_outputs(dataset)
    loss = hold_out(dataset, outputs).loss(manifest(), dataset)
    assert loss == pytest.approx(
        hold_out(dataset, apply_temperature(outputs, 3.0)).loss(manifest(), dataset), rel=0.15
    )
    temperature = fit_temperature(outputs, dataset.targets, np.full(60, 0.5))
    best = apply_temperature(outputs, temperature)[np.arange(60), dataset.targets.argmax(1)]
    assert loss == pytest.approx(-np.log(best).mean(), rel=1e-4)
    assert loss < hold_out(dataset, softmax_outputs(dataset, seed=1)[::-1]).loss(
        manifest(), dataset
    )


def test_the_metrics_are_those_of_held_out_outputs() -> None:
    dataset = draw(30)
    outputs = softmax_outputs(dataset)
    result = validate(dataset, outputs)
    correct = outputs.argmax(1) == dataset.targets.argmax(1)
    expected = expected_accuracy(float(correct.mean()), 2 / 3)
    assert result.accuracy == pytest.approx(expected, abs=1e-3)
    calibrated = apply_temperature(outputs, result.temperature)
    error = expected_calibration_error(calibrated, dataset.targets)
    assert result.calibration_error == pytest.approx(error)
    assert result.ood_detector is not None
    assert result.ood_detector.entropy_weight > 0


def test_a_sample_counts_once_whatever_the_number_of_its_augmentations() -> None:
    dataset = draw(30)
    outputs, fitted = softmax_outputs(dataset), softmax_outputs(dataset, seed=2)
    result = validate(dataset, outputs)
    expected = fit_temperature(
        outputs, dataset.targets, np.full(60, 0.5), prior=default_temperature(fitted)
    )
    assert result.temperature == pytest.approx(expected)


def test_one_sample_per_class_gives_the_default_temperature() -> None:
    dataset = draw(3)
    result = validate(dataset, softmax_outputs(dataset))
    assert result.temperature == default_temperature(softmax_outputs(dataset, seed=2))
    assert (result.accuracy, result.calibration_error) == (None, None)
    assert result.ood_detector is not None


def test_several_labels_per_sample_have_no_ood_detector() -> None:
    dataset = draw(30, task="multi_label")
    rng = np.random.default_rng(3)
    outputs = rng.uniform(0.01, 0.99, dataset.targets.shape).astype(np.float32)
    result = validate(dataset, outputs, "multi_label")
    assert (result.ood_detector, result.calibration_error) == (None, None)
    present = dataset.weights > 0
    correct = ((outputs > 0.5) == (dataset.targets > 0.5))[present]
    expected = expected_accuracy(float(correct.mean()), 2 / 3)
    assert result.accuracy == pytest.approx(expected, abs=1e-3)


def test_only_completed_folds_count() -> None:
    dataset = draw(30)
    outputs = softmax_outputs(dataset)
    result = validate(dataset, outputs, completed=2)
    rows = hold_out(dataset, outputs, completed=2).rows
    correct = outputs.argmax(1) == dataset.targets.argmax(1)
    expected = expected_accuracy(float(correct[rows].mean()), 2 / 3)
    assert result.accuracy == pytest.approx(expected, abs=1e-3)
    prior = default_temperature(softmax_outputs(dataset, seed=2))
    weights = np.full(rows.sum(), 0.5)
    expected = fit_temperature(outputs[rows], dataset.targets[rows], weights, prior=prior)
    assert result.temperature == pytest.approx(expected)


def test_without_a_completed_fold_nothing_is_measured() -> None:
    """The temperature is the default one, and the OOD detector does not use outputs."""
    dataset = draw(30)
    result = validate(dataset, softmax_outputs(dataset), completed=0)
    assert (result.accuracy, result.calibration_error) == (None, None)
    assert result.temperature == default_temperature(softmax_outputs(dataset, seed=2))
    assert result.ood_detector is not None
    assert result.ood_detector.entropy_weight == 0
    assert result.can_hold_out
    assert not result.held_out_classes


def test_a_single_class_has_no_accuracy() -> None:
    dataset = draw(30)
    dataset = dataset.take(dataset.targets[:, 0] > 0)
    outputs = np.eye(1, 4, dtype=np.float32).repeat(len(dataset), 0)
    result = validate(dataset, outputs)
    assert (result.accuracy, result.calibration_error) == (None, None)
    assert result.ood_detector is not None


def test_groups_are_held_out_together() -> None:
    dataset = draw(30, augmentations=1)
    groups = dataset.sample_ids // 10
    folds = assign_validation_folds(dataset, groups, seed=0)
    assert [np.unique(folds[groups == group]).size for group in np.unique(groups)] == [1, 1, 1]
    assert np.unique(folds).tolist() == [0, 1, 2]


def test_a_class_of_one_group_is_not_measured() -> None:
    dataset = draw(30, augmentations=1)
    class_indices = dataset.targets.argmax(1)
    groups = np.where(class_indices == 1, 999, dataset.sample_ids)
    folds = assign_validation_folds(dataset, groups, seed=0)
    outputs = softmax_outputs(dataset)
    result = cross_validate(manifest(), dataset, folds, HeldOutOutputs(folds, outputs), outputs)
    assert result.held_out_classes == {0, 2}
    assert (folds[class_indices == 1] == -1).all()


def test_the_seed_decides_which_samples_are_held_out_together() -> None:
    dataset = draw(30)
    folds = [assign_validation_folds(dataset, dataset.sample_ids, seed) for seed in (0, 0, 1)]
    assert folds[0].tolist() == folds[1].tolist() != folds[2].tolist()


def test_the_ood_detector_is_fitted_to_calibrated_outputs() -> None:
    """A prediction has calibrated outputs."""
    dataset = draw(30)
    outputs = apply_temperature(softmax_outputs(dataset), 0.3)
    result = validate(dataset, outputs)
    calibrated = apply_temperature(outputs, result.temperature)
    folds = hold_out(dataset, outputs).folds
    class_indices = dataset.targets.argmax(1)
    expected = OODDetector.fit(dataset.features, class_indices, folds, calibrated)
    assert result.temperature > 1.5
    assert result.ood_detector is not None
    assert expected is not None
    assert result.ood_detector.entropy_weight == expected.entropy_weight
    assert result.ood_detector.threshold == expected.threshold


def test_the_expected_error_falls_with_the_cube_root_of_the_samples() -> None:
    assert expected_accuracy(0.6, 1.0) == pytest.approx(0.6)
    assert expected_accuracy(0.6, 1 / 8) == pytest.approx(0.8)
    assert expected_accuracy(1.0, 0.5) == 1
