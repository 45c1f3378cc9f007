"""Out-of-distribution (OOD) detection: the answer "none of these".

There are no examples of OOD inputs. So the detector is fitted to the scores of training samples
that were held out. The score combines the cosine similarity to the class prototypes with the
negative entropy of the output. A prediction needs a few prototypes, and no stored samples.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from ...contract.checkpoint import OOD_CLASS_INDICES, OOD_PROTOTYPES, OOD_STATISTICS
from ...errors import CheckpointError, DataError
from .prototypes import class_prototypes, unit_features, within_class_similarity

__all__ = ["OODDetector", "ScoreStatistics"]

_ENTROPY_WEIGHT = 0.5  # of the entropy term; the similarity term has weight 1
_PRIOR_STD, _PRIOR_SAMPLES = 0.25, 4
_MIN_STD = 1e-6
_LARGEST_PROTOTYPE = 5.0  # their length is at most √(1 / 0.05), see class_prototypes
_TENSORS = (OOD_PROTOTYPES, OOD_CLASS_INDICES, OOD_STATISTICS)


class ScoreStatistics(NamedTuple):
    """Statistics of held-out training samples, which standardize the two terms of the score.

    Attributes:
        similarity_mean: m₀, mean similarity to the nearest prototype.
        similarity_factor: 1/d₀; d₀ is the standard deviation of that similarity.
        entropy_mean: m₁, mean negative entropy of the output.
        entropy_factor: ½/d₁; d₁ is the standard deviation of the negative entropy. 0 if there is
            no entropy term.
    """

    similarity_mean: float
    similarity_factor: float
    entropy_mean: float = 0.0
    entropy_factor: float = 0.0


@dataclass(frozen=True)
class OODDetector:
    """A detector of out-of-distribution inputs.

    The score is `(s − m₀)/d₀ + ½ · (h − m₁)/d₁`. `s` is the largest product of a prototype with
    the features, scaled to length 1. `h = Σ p · ln p` is the negative entropy of the output. The
    means `m` and the standard deviations `d` are those of held-out training samples.

    Attributes:
        prototypes: float32 [R, F]; see `class_prototypes`.
        class_indices: int64 [R]; class index of each prototype.
        similarity: mean cosine similarity within a class; see `within_class_similarity`.
        statistics: means and standard deviations of the score.
        threshold: an input with a score below it is out-of-distribution.
    """

    prototypes: np.ndarray
    class_indices: np.ndarray
    similarity: float
    statistics: ScoreStatistics
    threshold: float

    @classmethod
    def fit(
        cls,
        features: Sequence[np.ndarray],
        class_indices: np.ndarray,
        folds: np.ndarray,
        outputs: np.ndarray | None = None,
        *,
        recall: float = 0.95,
    ) -> OODDetector | None:
        """Fit a detector to training samples.

        Args:
            features: float32 [N, …] for each features tensor.
            class_indices: int [N]; class index of each sample.
            folds: int [N]; fold of each sample, below 0 if it is never held out. See
                `assign_folds`.
            outputs: float [N, C]; the output for each sample from a model that was trained
                without its fold, at the temperature of the model. None for a model without
                training: then the score has no entropy term. Default: None.
            recall: fraction of in-distribution inputs to accept, between 0 and 1. Default: 0.95.

        Returns:
            The detector; None if there is one class and no sample is held out.

        Raises:
            DataError: If `recall` is not between 0 and 1.
        """
        if not 0 < recall < 1:
            raise DataError(f"recall must be between 0 and 1, got {recall}")
        rows = unit_features(features)
        within = within_class_similarity(rows, class_indices)
        similarities, valid = _held_out_similarities(rows, class_indices, folds, within)
        if not valid.any():  # no class has two samples: compare the classes with each other
            similarities = _similarities_between_classes(rows, class_indices)
            valid = np.full(len(rows), len(np.unique(class_indices)) > 1)
            outputs = None
        if not valid.any():
            return None
        entropies = None if outputs is None else _negative_entropy(outputs[valid])
        statistics = _score_statistics(similarities[valid], entropies)
        scores = _scores(statistics, similarities[valid], entropies)
        prototypes, indices = class_prototypes(
            rows, class_indices, np.bincount(class_indices), within
        )
        return cls(prototypes, indices, within, statistics, _threshold(scores, recall))

    def score(self, features: Sequence[np.ndarray], output: np.ndarray) -> float:
        """Return the score of one input: about 0 if it is in-distribution, lower if it is not.

        Args:
            features: float32 [1, …] for each features tensor, as `infer` returns them.
            output: float32 [1, C], as `infer` returns it.
        """
        similarity = (self.prototypes @ unit_features(features)[0]).max(keepdims=True)
        scores = _scores(self.statistics, similarity.astype(np.float64), _negative_entropy(output))
        return float(scores[0])

    def is_in_distribution(self, features: Sequence[np.ndarray], output: np.ndarray) -> bool:
        """Return whether the score of one input reaches the threshold; see `score`.

        If it does not, the answer is "none of these".
        """
        return self.score(features, output) >= self.threshold

    def with_class(self, class_index: int, features: Sequence[np.ndarray]) -> OODDetector:
        """Return a detector with the prototypes of a class added or replaced.

        Args:
            class_index: index of the class.
            features: float32 [n, …] for each features tensor, the samples of the class.
        """
        rows = unit_features(features)
        indices = np.full(len(rows), class_index)
        prototypes, indices = class_prototypes(rows, indices, np.bincount(indices), self.similarity)
        others = self.class_indices != class_index
        return replace(
            self,
            prototypes=np.concatenate([self.prototypes[others], prototypes]),
            class_indices=np.concatenate([self.class_indices[others], indices]),
        )

    def without_class(self, class_index: int) -> OODDetector | None:
        """Return a detector without the prototypes of a class; None if no class is left."""
        others = self.class_indices != class_index
        if not others.any():
            return None
        return replace(
            self, prototypes=self.prototypes[others], class_indices=self.class_indices[others]
        )

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the float32 tensors of a checkpoint; the threshold is in its header."""
        return {
            OOD_PROTOTYPES: self.prototypes,
            OOD_CLASS_INDICES: self.class_indices.astype(np.float32),
            OOD_STATISTICS: np.array([*self.statistics, self.similarity], np.float32),
        }

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, np.ndarray], threshold: float, size: int, count: int
    ) -> OODDetector:
        """Create a detector from the tensors of a checkpoint.

        Args:
            arrays: name → tensor; see `to_arrays`.
            threshold: threshold of the score.
            size: F, the number of values of all features tensors of the model.
            count: C, the number of class indices of the checkpoint.

        Raises:
            CheckpointError: If a tensor is missing, has another shape, or a wrong class index.
        """
        prototypes, indices, statistics = (arrays.get(name, np.empty(0)) for name in _TENSORS)
        if (
            not len(indices)
            or prototypes.shape != (*indices.shape, size)
            or statistics.shape != (len(ScoreStatistics._fields) + 1,)
        ):
            shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in arrays.items())
            raise CheckpointError(
                f"expected {OOD_PROTOTYPES} [R, {size}], {OOD_CLASS_INDICES} [R] and "
                f"{OOD_STATISTICS} [5], got {shapes or 'none of them'}: the checkpoint is damaged"
            )
        if (indices != np.floor(indices)).any() or not 0 <= indices.min() <= indices.max() < count:
            raise CheckpointError(
                f"{OOD_CLASS_INDICES} has other values than the indices of {count} classes: the "
                "checkpoint is damaged"
            )
        if np.abs(prototypes).max() > _LARGEST_PROTOTYPE:
            raise CheckpointError(
                f"{OOD_PROTOTYPES} has values above {_LARGEST_PROTOTYPE:g}: the checkpoint is "
                "damaged"
            )
        *four, similarity = statistics.astype(float).tolist()
        return cls(
            prototypes, indices.astype(np.int64), similarity, ScoreStatistics(*four), threshold
        )


def _negative_entropy(outputs: np.ndarray) -> np.ndarray:
    """Return `Σ p · ln p` of each row, [N]: 0 for a certain class, −ln C for a uniform output."""
    p = outputs.astype(np.float64)
    return np.asarray((p * np.log(np.maximum(p, 1e-30))).sum(1))


def _held_out_similarities(
    rows: np.ndarray, class_indices: np.ndarray, folds: np.ndarray, within: float
) -> tuple[np.ndarray, np.ndarray]:
    """Compare each row with the prototypes of the other folds.

    Returns:
        The largest similarity of each row, [N], and whether it is valid, bool [N]: the row is
        held out, and the other folds have samples of its class.
    """
    similarities, valid = np.zeros(len(rows)), np.zeros(len(rows), bool)
    counts = np.bincount(class_indices)
    for fold in np.unique(folds[folds >= 0]):
        held_out = folds == fold
        if held_out.all():
            continue
        prototypes, indices = class_prototypes(
            rows[~held_out], class_indices[~held_out], counts, within
        )
        similarities[held_out] = (rows[held_out] @ prototypes.T).max(1)
        valid[held_out] = np.isin(class_indices[held_out], indices)
    return similarities, valid


def _similarities_between_classes(rows: np.ndarray, class_indices: np.ndarray) -> np.ndarray:
    """Return the cosine similarity of each row to the nearest row of another class, [N]."""
    cosines = rows @ rows.T
    cosines[class_indices[:, None] == class_indices] = -1
    return np.asarray(cosines.max(1))


def _score_statistics(similarities: np.ndarray, entropies: np.ndarray | None) -> ScoreStatistics:
    """Fit the statistics; without the entropy term if all entropies are equal (one class)."""
    prior = _PRIOR_STD * (1 - float(similarities.mean()))
    similarity = float(similarities.mean()), 1 / max(_std(similarities, prior), _MIN_STD)
    if entropies is None or np.ptp(entropies) == 0:
        return ScoreStatistics(*similarity)
    inverse = 1 / max(_std(entropies, _PRIOR_STD), _MIN_STD)
    return ScoreStatistics(*similarity, float(entropies.mean()), _ENTROPY_WEIGHT * inverse)


def _scores(
    statistics: ScoreStatistics, similarities: np.ndarray, entropies: np.ndarray | None
) -> np.ndarray:
    """Return the scores, [N], from the similarities and the negative entropies, [N] each."""
    scores = (similarities - statistics.similarity_mean) * statistics.similarity_factor
    if entropies is None:
        return np.asarray(scores)
    entropy_term = (entropies - statistics.entropy_mean) * statistics.entropy_factor
    return np.asarray(scores + entropy_term)


def _std(values: np.ndarray, prior: float) -> float:
    """Return the standard deviation, with a prior that counts as four samples.

    It is `√((n · s² + 4 · prior²) / (n + 4))`.
    """
    squares = len(values) * float(values.var()) + _PRIOR_SAMPLES * prior**2
    return math.sqrt(squares / (len(values) + _PRIOR_SAMPLES))


def _threshold(scores: np.ndarray, recall: float) -> float:
    """Return the score that a fraction `recall` of in-distribution inputs exceeds.

    The scores are assumed to be normally distributed with mean 0: for few samples, an empirical
    quantile would be twice as uncertain.
    """
    return -NormalDist().inv_cdf(recall) * _std(scores, 1.0)
