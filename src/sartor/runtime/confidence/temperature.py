"""Probabilities that can be believed: temperature, fitted on samples that a head has not seen.

Everything starts from the probabilities that a file gives: their logarithms are its logits, but
for a constant in each row, which a softmax does not see.
"""

from __future__ import annotations

import math

import numpy as np

from ...errors import DataError

__all__ = [
    "apply_temperature",
    "default_temperature",
    "expected_calibration_error",
    "fit_temperature",
    "folds",
]

_USUAL = 0.3  # the best temperature of a softmax, as a part of the spread of the logits
_IMAGINED = 16  # samples that the expected temperature counts as: a standard deviation of a quarter
_WIDEST, _HALVINGS = 6.0, 32
_TINY, _EPSILON = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).eps) / 2


def folds(
    slots: np.ndarray, groups: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Split samples into parts to be held out in turn, each class spread over as many as it can.

    A class of a single group is in one part, and not in what a head of that part learns from:
    such rows say nothing about calibration (see `OODDetector.fit`).

    Args:
        slots: int [N]; the class of each sample.
        groups: int [N]; rows of the same number, as the views of one photo, stay together.
        count: of the parts, at least 2.
        rng: decides who goes where.

    Returns:
        int64 [N]: the part of each sample, 0…count − 1.
    """
    if count < 2:
        raise DataError(f"count must be at least 2, got {count}: one part holds nothing out")
    of_group = np.full(int(groups.max(initial=-1)) + 1, -1)
    dealt = 0
    for slot in np.unique(slots):
        members = np.unique(groups[slots == slot])
        members = rng.permutation(members[of_group[members] < 0])
        of_group[members] = (dealt + np.arange(len(members))) % count
        dealt += len(members)
    return np.asarray(of_group[groups], np.int64)


def default_temperature(probabilities: np.ndarray) -> float:
    """The temperature that is right on the average, where nothing could be held out.

    It is 0.3 times the spread of the logits: over clothes and spoken digits, heads of 1 to 100
    samples a class, trained and only imprinted, the best one is that within a factor of two.

    Args:
        probabilities: float [N, C], at temperature 1, of the samples that were learned; a slot
            that is not active has 0 everywhere.
    """
    logits = _logits(probabilities[:, probabilities.any(0)])
    if logits.shape[1] < 2:
        return 1.0
    spread = float((logits - logits.mean(1, keepdims=True)).std())
    return _USUAL * spread if spread > 0 else 1.0


def fit_temperature(
    probabilities: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray | None = None,
    *,
    expected: float = 1.0,
    independent: bool = False,
) -> float:
    """The temperature at which the targets are likeliest (Guo et al., 2017).

    Few samples say little, so 16 imagined ones say that it is the expected one: `1/T` has a Gamma
    distribution of shape 16 whose mode is `1/expected`. The sum of both is convex in `1/T`.

    Args:
        probabilities: float [N, C], at temperature 1, of samples that the head had not seen; a
            slot that is not active has 0 everywhere.
        targets: float [N, C].
        weights: float [N] or [N, C]; how many samples each counts as, one unless told.
        expected: what it is without samples: see `default_temperature`.
        independent: each output stands for itself (sigmoid); else they sum to 1 (softmax).

    Returns:
        A positive number.
    """
    if not len(probabilities):
        return expected
    active = probabilities.any(0) | (targets > 0).any(0)
    logits, wanted = _logits(probabilities[:, active], independent), targets[:, active]
    counts = np.ones(len(logits)) if weights is None else np.asarray(weights, np.float64)
    counts = counts[:, None] if counts.ndim == 1 else counts[:, active]
    squash = _sigmoid if independent else _softmax

    def slope(scale: float) -> float:
        likelihood = float((counts * (squash(logits * scale) - wanted) * logits).sum())
        return likelihood + _IMAGINED * (expected - 1 / scale)

    low, high = -_WIDEST, _WIDEST  # of log(scale · expected); the slope grows with it
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if slope(math.exp(middle) / expected) > 0 else (middle, high)
    return expected * math.exp(-(low + high) / 2)


def apply_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """The probabilities of a softmax at a temperature.

    Args:
        probabilities: float [N, C], at temperature 1; a slot that is not active has 0 everywhere,
            and keeps it.
        temperature: above 0.

    Returns:
        float32 [N, C]; rows of zeros stay so.
    """
    highest = np.maximum(probabilities.max(1, keepdims=True), np.finfo(np.float32).tiny)
    powers = (probabilities / highest) ** (1 / temperature)
    return np.asarray(powers / np.maximum(powers.sum(1, keepdims=True), 1e-30), np.float32)


def expected_calibration_error(
    probabilities: np.ndarray, targets: np.ndarray, *, bins: int = 15
) -> float:
    """How far confidence and accuracy lie apart, on the average over the samples.

    The samples are sorted by the probability of their likeliest class, and cut into bins of equal
    numbers (Nguyen and O'Connor, 2015): with few samples, bins of equal width are mostly empty.
    Chance alone makes it about `0.4 · √(bins/N)` where the accuracy is 0.8; compare it for the
    same N only.

    Args:
        probabilities: float [N, C], N above 0, of samples that were not learned.
        targets: float [N, C]; the class of a sample is its greatest.
        bins: the most there are; each has at least 5 samples where there are as many.

    Returns:
        0 (what is said with 80 % is right in 80 %) … 1.
    """
    count = len(probabilities)
    if not count:
        raise DataError("there are no samples to measure calibration on: give some")
    right = probabilities.argmax(1) == targets.argmax(1)
    gaps = (probabilities.max(1).astype(np.float64) - right)[probabilities.max(1).argsort()]
    parts = np.array_split(gaps, max(1, min(bins, count // 5)))
    return float(sum(abs(part.sum()) for part in parts)) / count


def _logits(probabilities: np.ndarray, independent: bool = False) -> np.ndarray:
    """What gave the probabilities, but for a constant in each row of a softmax: float64 [N, C]."""
    kept = np.clip(probabilities.astype(np.float64), _TINY, 1 - _EPSILON)
    return np.asarray(np.log(kept / (1 - kept)) if independent else np.log(kept))


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)))
