"""Out-of-distribution (OOD) detection: the answer "none of these".

There are no examples of OOD inputs. So the detector is fitted to the scores of training samples
that were held out. The score combines the Mahalanobis cosine similarity to the class prototypes
with the negative entropy of the output. A prediction needs a few prototypes and directions, and no
stored samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ...contract.checkpoint import (
    OOD_CLASS_INDICES,
    OOD_DIRECTIONS,
    OOD_PROTOTYPES,
    OOD_STATISTICS,
)
from ...errors import CheckpointError
from .held_out import held_out_parts, held_out_similarities, within_class_similarity
from .prototypes import class_prototypes, unit_features
from .within_class_metric import WithinClassMetric

__all__ = ["OODDetector"]

_ENTROPY_FRACTION, _ENTROPY_SAMPLES = 1.3, 80  # the more samples, the better is the output
_MIN_ENTROPY_STD = 0.25  # nats; in the benchmarks: 0.3 to 0.5
_LARGEST_PROTOTYPE = 5.0  # their length is at most √(1 / 0.05), see class_prototypes
_TENSORS = (OOD_PROTOTYPES, OOD_CLASS_INDICES, OOD_STATISTICS)
_STATISTICS = 2  # entropy_weight and similarity


@dataclass(frozen=True)
class OODDetector:
    """A detector of out-of-distribution inputs.

    The score is `s + r · h`. `s` is the largest cosine similarity of a prototype and the features
    in a metric, times the length of the prototype. `h = Σ p · ln p` is the negative entropy of the
    output.

    Attributes:
        prototypes: float32 [R, F]; see `class_prototypes`.
        class_indices: int64 [R]; class index of each prototype.
        entropy_weight: r, at least 0.
        similarity: ρ, the mean cosine similarity of two held-out samples of a class.
        threshold: an input with a score below it is out-of-distribution.
        metric: metric of the similarities.
    """

    prototypes: np.ndarray
    class_indices: np.ndarray
    entropy_weight: float
    similarity: float
    threshold: float
    metric: WithinClassMetric

    @classmethod
    def fit(
        cls,
        features: Sequence[np.ndarray],
        class_indices: np.ndarray,
        folds: np.ndarray,
        outputs: np.ndarray | None = None,
    ) -> OODDetector | None:
        """Fit a detector to training samples.

        `r` is `1.3 n / (n + 80)` times the standard deviation of `s`, divided by that of `h`, or
        by 0.25 if that is lower, on the n held-out samples. The threshold is the score that 5 % of
        them are below (a whole number of samples, rounded down), minus `(1 − mean of s) / n`: few
        samples lack the lowest scores.

        If no sample is held out, each sample is compared with the other classes, in the plain
        metric. Then `r` is 0, and nothing is subtracted.

        Args:
            features: float32 [N, …] for each features tensor.
            class_indices: int [N]; class index of each sample.
            folds: int [N]; fold of each sample, below 0 if it is never held out. See
                `assign_folds`.
            outputs: float [N, C]; the output for each sample from a model that was trained
                without its fold, at the temperature of the model. None for a model without
                training: then `r` is 0. Default: None.

        Returns:
            The detector; None if there is one class and no sample is held out.
        """
        rows = unit_features(features)
        parts = held_out_parts(rows, class_indices, folds)
        within = within_class_similarity(rows, class_indices, parts)
        scores, valid = held_out_similarities(rows, class_indices, parts, within)
        weight, margin, metric = 0.0, 0.0, WithinClassMetric.plain(rows.shape[1])
        if valid.any():
            most = int((~parts[0].held_out).sum())  # as in the parts, so that scores are comparable
            metric = WithinClassMetric.fit(rows, class_indices, most)
            scores = scores[valid]
            margin = (1 - float(scores.mean())) / len(scores)
            if outputs is not None:
                entropies = _negative_entropy(outputs[valid])
                weight = _entropy_weight(scores, entropies)
                scores = scores + weight * entropies
        elif len(np.unique(class_indices)) > 1:
            scores = _similarities_between_classes(rows, class_indices)
        else:
            return None
        threshold = float(np.sort(scores)[len(scores) // 20]) - margin  # 5 % are below
        prototypes, indices = class_prototypes(rows, class_indices, within)
        return cls(prototypes, indices, weight, within, threshold, metric)

    def score(self, features: Sequence[np.ndarray], output: np.ndarray) -> float:
        """Return the score of one input: the lower, the less it is like the training samples.

        Args:
            features: float32 [1, …] for each features tensor, as `infer` returns them.
            output: float32 [1, C], as `infer` returns it.
        """
        rows = unit_features(features)
        similarity = float((rows @ self._transformed.T).max() / self.metric.norms(rows)[0])
        return similarity + self.entropy_weight * float(_negative_entropy(output)[0])

    def is_in_distribution(self, features: Sequence[np.ndarray], output: np.ndarray) -> bool:
        """Return whether the score of one input reaches the threshold; see `score`.

        If it does not, the answer is "none of these".
        """
        return self.score(features, output) >= self.threshold

    def with_features(
        self, features: Sequence[np.ndarray], class_indices: np.ndarray
    ) -> OODDetector:
        """Return a detector with prototypes and metric of other features of the training samples.

        Args:
            features: float32 [N, …] for each features tensor.
            class_indices: int [N]; class index of each sample.
        """
        rows = unit_features(features)
        prototypes, indices = class_prototypes(rows, class_indices, self.similarity)
        metric = WithinClassMetric.plain(rows.shape[1])
        if len(self.metric.directions):
            metric = WithinClassMetric.fit(rows, class_indices, len(self.metric.directions))
        return replace(self, prototypes=prototypes, class_indices=indices, metric=metric)

    def with_class(self, class_index: int, mean: Sequence[np.ndarray], count: int) -> OODDetector:
        """Return a detector with the prototype of a class added or replaced.

        Args:
            class_index: index of the class.
            mean: float32 [1, …] for each features tensor, the mean of the samples of the class.
            count: number of samples of the class.
        """
        length = np.float32(np.sqrt(1 + (1 / self.similarity - 1) / count))  # see class_prototypes
        prototypes, indices = length * unit_features(mean), np.full(1, class_index, np.int64)
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
        directions = self.metric.directions
        return {
            OOD_PROTOTYPES: self.prototypes,
            OOD_CLASS_INDICES: self.class_indices.astype(np.float32),
            OOD_STATISTICS: np.array([self.entropy_weight, self.similarity], np.float32),
            **({OOD_DIRECTIONS: directions} if len(directions) else {}),
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
            or statistics.shape != (_STATISTICS,)
        ):
            shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in arrays.items())
            raise CheckpointError(
                f"expected {OOD_PROTOTYPES} [R, {size}], {OOD_CLASS_INDICES} [R] and "
                f"{OOD_STATISTICS} [{_STATISTICS}], got {shapes or 'none of them'}: the checkpoint "
                "is damaged"
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
        metric = WithinClassMetric.from_arrays(arrays, size)
        weight, similarity = statistics.astype(float).tolist()
        return cls(prototypes, indices.astype(np.int64), weight, similarity, threshold, metric)

    @cached_property
    def _transformed(self) -> np.ndarray:
        return self.metric.transform(self.prototypes)


def _negative_entropy(outputs: np.ndarray) -> np.ndarray:
    """Return `Σ p · ln p` of each row, [N]: 0 for a certain class, −ln C for a uniform output."""
    p = outputs.astype(np.float64)
    return np.asarray((p * np.log(np.maximum(p, 1e-30))).sum(1))


def _similarities_between_classes(rows: np.ndarray, class_indices: np.ndarray) -> np.ndarray:
    """Return the cosine similarity of each row to the nearest row of another class, [N]."""
    cosines = rows @ rows.T
    cosines[class_indices[:, None] == class_indices] = -1
    return np.asarray(cosines.max(1))


def _entropy_weight(similarities: np.ndarray, entropies: np.ndarray) -> float:
    """Return r.

    If classes are so well separated that all held-out outputs are nearly certain, their tiny
    entropies must not decide.
    """
    count = len(similarities)
    fraction = _ENTROPY_FRACTION * count / (count + _ENTROPY_SAMPLES)
    return fraction * float(similarities.std()) / max(float(entropies.std()), _MIN_ENTROPY_STD)
