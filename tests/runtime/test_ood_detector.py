"""The OOD detector accepts in-distribution inputs, and rejects most others."""

from __future__ import annotations

import numpy as np
import pytest
from ood_samples import (
    C,
    acceptance,
    class_centers,
    draw,
    fit_detector,
    five_folds,
    probabilities,
    scores,
)

from sartor.runtime.confidence.held_out import (
    held_out_parts,
    held_out_similarities,
    within_class_similarity,
)
from sartor.runtime.confidence.out_of_distribution import OODDetector
from sartor.runtime.confidence.prototypes import unit_features


@pytest.mark.parametrize("trained", [True, False])
@pytest.mark.parametrize(("per_class", "tolerance"), [(4, 0.07), (10, 0.02), (100, 0.02)])
def test_the_recall_is_95_percent(per_class: int, tolerance: float, trained: bool) -> None:
    in_distribution: list[float] = []
    unseen_classes: list[float] = []
    for seed in range(8):
        detector = fit_detector(per_class, trained=trained, seed=seed)
        for rates, centers, draw_seed in (
            (in_distribution, class_centers(), 100 + seed),
            (unseen_classes, class_centers(seed=9), 200 + seed),
        ):
            features, _ = draw(centers, 40, draw_seed)
            outputs = probabilities(features, class_centers())
            rates.append(acceptance(detector, features, outputs))
    assert np.mean(in_distribution) == pytest.approx(0.95, abs=tolerance)
    assert np.mean(unseen_classes) < 0.2


def test_a_higher_entropy_of_the_output_lowers_the_score() -> None:
    detector = fit_detector(10)
    features, _ = draw(class_centers(), 1, 2)
    certain, uniform = np.eye(1, C, dtype=np.float32), np.full((1, C), 1 / C, np.float32)
    difference = detector.score([features[:1]], certain) - detector.score([features[:1]], uniform)
    assert difference == pytest.approx(np.log(C) * detector.entropy_weight, rel=1e-5)
    assert difference > 0.05


def test_without_outputs_the_score_ignores_the_entropy() -> None:
    detector = fit_detector(10, trained=False)
    features, _ = draw(class_centers(), 1, 2)
    certain, uniform = np.eye(1, C, dtype=np.float32), np.full((1, C), 1 / C, np.float32)
    assert detector.score([features[:1]], certain) == detector.score([features[:1]], uniform)


def held_out_terms() -> tuple[np.ndarray, np.ndarray]:
    """Return the similarities and negative entropies of the held-out samples of ten per class."""
    features, class_indices = draw(class_centers(), 10, 1)
    rows = unit_features([features])
    parts = held_out_parts(rows, class_indices, five_folds(class_indices))
    within = within_class_similarity(rows, class_indices, parts)
    similarities, valid = held_out_similarities(rows, class_indices, parts, within)
    assert valid.all()
    p = probabilities(features, class_centers())[:, :5].astype(np.float64)
    return similarities, (p * np.log(p)).sum(1)


def test_the_weight_of_the_entropy_grows_with_the_number_of_held_out_samples() -> None:
    similarities, entropies = held_out_terms()
    expected = pytest.approx(1.3 * 50 / (50 + 80) * similarities.std(), rel=1e-5)
    assert fit_detector(10).entropy_weight * max(entropies.std(), 0.25) == expected


def test_the_entropies_of_well_separated_classes_count_little() -> None:
    """A detector that divides by their spread rejects whatever is a little less certain."""
    features, class_indices = draw(class_centers(), 10, 1)
    outputs = (1 - 1e-6) * np.eye(C)[class_indices] + 1e-6 * probabilities(
        features, class_centers()
    )
    detector = OODDetector.fit([features], class_indices, five_folds(class_indices), outputs)
    assert detector is not None
    untrained = OODDetector.fit([features], class_indices, five_folds(class_indices))
    assert untrained is not None
    assert detector.threshold == pytest.approx(untrained.threshold, abs=1e-3)
    assert detector.entropy_weight < 3 * 0.2


def test_5_percent_of_the_held_out_samples_are_below_the_threshold() -> None:
    detector = fit_detector(10)
    similarities, entropies = held_out_terms()
    margin = (1 - similarities.mean()) / 50
    held_out = np.sort(similarities + detector.entropy_weight * entropies)
    assert detector.threshold == pytest.approx(held_out[2] - margin, rel=1e-5)


def test_one_sample_per_class_is_enough_to_reject_distant_inputs() -> None:
    features, class_indices = draw(class_centers(), 1, 1)
    outputs = probabilities(features, class_centers())
    detector = OODDetector.fit([features], class_indices, five_folds(class_indices), outputs)
    assert detector is not None
    assert detector.entropy_weight == 0  # no outputs for held-out samples
    near, _ = draw(class_centers(), 100, 2)
    assert acceptance(detector, near, probabilities(near, class_centers())) > 0.9
    opposite = -class_centers().mean(0, keepdims=True).astype(np.float32)
    assert acceptance(detector, opposite, probabilities(opposite, class_centers())) == 0


def test_one_class_without_held_out_samples_gives_no_detector() -> None:
    features, class_indices = draw(class_centers(classes=1), 1, 1)
    assert OODDetector.fit([features], class_indices, np.zeros(1, int)) is None
    pair, same = draw(class_centers(classes=1), 2, 1)
    assert OODDetector.fit([pair], same, np.zeros(2, int)) is None
    assert OODDetector.fit([pair], same, np.array([-1, -1])) is None
    assert OODDetector.fit([pair], same, np.array([0, 1])) is not None


def test_a_class_with_one_sample_does_not_change_the_threshold() -> None:
    features, class_indices = draw(class_centers(), 20, 1)
    outputs = probabilities(features, class_centers())
    rows = np.r_[0:81]  # the last class has one sample
    folds = five_folds(class_indices[rows])
    detector = OODDetector.fit([features[rows]], class_indices[rows], folds, outputs[rows])
    four = np.r_[0:80]
    expected = OODDetector.fit([features[four]], class_indices[four], folds[four], outputs[four])
    assert detector is not None
    assert expected is not None
    assert detector.threshold == pytest.approx(expected.threshold, rel=0.1)
    assert 4 in detector.class_indices


@pytest.mark.parametrize("trained", [True, False])
def test_a_class_added_with_one_sample_is_accepted(trained: bool) -> None:
    """Most inputs of the class are accepted, although other classes have thirty samples."""
    before, after = [], []
    for seed in range(12):
        features, class_indices = draw(class_centers(), 30, seed)
        outputs = probabilities(features, class_centers()) if trained else None
        old, first = class_indices < 4, np.flatnonzero(class_indices == 4)[:1]
        detector = OODDetector.fit(
            [features[old]],
            class_indices[old],
            five_folds(class_indices)[old],
            None if outputs is None else outputs[old],
        )
        assert detector is not None
        inputs, input_classes = draw(class_centers(), 30, 100 + seed)
        inputs = inputs[input_classes == 4]
        input_outputs = probabilities(inputs, class_centers())
        before.append(acceptance(detector, inputs, input_outputs))
        detector = detector.with_class(4, [features[first]], 1)
        after.append(acceptance(detector, inputs, input_outputs))
        again = detector.with_class(4, [features[first]], 1)
        assert len(again.prototypes) == len(detector.prototypes)
    assert np.mean(before) < 0.3
    assert np.mean(after) > 0.6


def test_scores_depend_neither_on_the_order_of_classes_nor_on_the_length_of_features() -> None:
    features, class_indices = draw(class_centers(), 8, 1)
    outputs, folds = probabilities(features, class_centers()), five_folds(class_indices)
    order = np.array([5, 2, 0, 3, 1, 4])  # new index of each class, with a gap at 4
    permuted = np.empty_like(outputs)
    permuted[:, order] = outputs
    one = OODDetector.fit([features], class_indices, folds, outputs)
    other = OODDetector.fit([100 * features], order[class_indices], folds, permuted)
    assert one is not None
    assert other is not None
    inputs, _ = draw(class_centers(), 10, 3)
    outputs = probabilities(inputs, class_centers())
    permuted = np.empty_like(outputs)
    permuted[:, order] = outputs
    expected = pytest.approx(scores(one, inputs, outputs), abs=1e-4)
    assert scores(other, 100 * inputs, permuted) == expected
    assert other.threshold == pytest.approx(one.threshold, abs=1e-4)


def test_several_features_tensors_are_concatenated() -> None:
    features, class_indices = draw(class_centers(), 8, 1)
    tensors = [features[:, :4].reshape(-1, 2, 2), features[:, 4:]]
    one = OODDetector.fit([features], class_indices, five_folds(class_indices))
    several = OODDetector.fit(tensors, class_indices, five_folds(class_indices))
    assert one is not None
    assert several is not None
    output = probabilities(features, class_centers())[:1]
    expected = one.score([features[:1]], output)
    assert several.score([each[:1] for each in tensors], output) == expected


def test_one_class_of_two_samples_accepts_inputs_less_similar_than_these() -> None:
    """Held out in turn, both have the same similarity: its standard deviation is 0."""
    inputs, _ = draw(class_centers(classes=1), 100, 99)
    outputs = np.ones((100, 1), np.float32)
    accepted = []
    for seed in range(12):
        features, class_indices = draw(class_centers(classes=1), 2, seed)
        detector = OODDetector.fit([features], class_indices, np.array([0, 1]), outputs[:2])
        assert detector is not None
        accepted.append(acceptance(detector, inputs, outputs))
        assert acceptance(detector, -inputs, outputs) == 0
        mean = 1 / np.sqrt(detector.similarity) * detector.similarity
        assert detector.threshold == pytest.approx(mean - (1 - mean) / 2, rel=1e-5)
    assert np.mean(accepted) > 0.65


def test_without_held_out_samples_the_classes_are_compared() -> None:
    features, class_indices = draw(class_centers(), 2, 1)
    detector = OODDetector.fit([features], class_indices, np.full(10, -1))
    assert detector is not None
    rows = features / np.linalg.norm(features, axis=1, keepdims=True)
    similarities = np.where(class_indices[:, None] == class_indices, -1, rows @ rows.T)
    assert detector.threshold == pytest.approx(similarities.max(1).min(), rel=1e-5)


def test_a_held_out_sample_counts_only_if_other_folds_have_its_class() -> None:
    features, class_indices = draw(class_centers(), 20, 1)
    rows = np.r_[0:81]  # the last class has one sample
    folds = five_folds(class_indices[rows])
    detectors = []
    for fold in (-1, 0):
        folds[80] = fold
        detectors.append(OODDetector.fit([features[rows]], class_indices[rows], folds))
    never, held_out = detectors
    assert never is not None
    assert held_out is not None
    assert held_out.threshold == pytest.approx(never.threshold, rel=1e-2)


def test_features_of_zeros_have_a_finite_score() -> None:
    features, class_indices = draw(class_centers(), 6, 1)
    features[3] = 0
    detector = OODDetector.fit([features], class_indices, five_folds(class_indices))
    assert detector is not None
    output = probabilities(features, class_centers())[3:4]
    assert np.isfinite(detector.score([features[3:4]], output))
