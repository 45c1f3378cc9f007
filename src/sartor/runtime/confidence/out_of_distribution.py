"""Whether an input is like anything that was taught: the answer "none of these".

There are no examples of what is unknown. So the score is made of what known samples show while
they are held out: how near a sample's features lie to a few typical ones of its class, and how
sure the head is. Predicting needs a few rows of numbers and none of the samples.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from ...contract.checkpoint import OOD_CLASS_INDICES, OOD_PROTOTYPES, OOD_STATISTICS
from ...errors import CheckpointError, DataError
from .prototypes import directions, typical, within_class_similarity

__all__ = ["OODDetector"]

_SURENESS = 0.5  # how much the output counts, beside the features
_USUAL, _IMAGINED = 0.25, 4  # a usual deviation, and how many samples it counts as
_NAMES = (OOD_PROTOTYPES, OOD_CLASS_INDICES, OOD_STATISTICS)


@dataclass(frozen=True)
class OODDetector:
    """How familiar an input is.

    The score is `(s − m₀)/d₀ + ½ · (h − m₁)/d₁`: `s` is the greatest product of a prototype and
    the features, brought to length 1; `h = Σ p · log p` is minus the entropy of the output; the
    means `m` and standard deviations `d` are those of known samples that were held out.

    Attributes:
        prototypes: float32 [R, F]; see `sartor.runtime.confidence.prototypes.typical`.
        slots: int64 [R]; the class of each.
        like: mean cosine similarity within a class; see `within_class_similarity`.
        scale: m₀, 1/d₀, m₁, ½/d₁.
        threshold: an input whose score is below it is "none of these".
    """

    prototypes: np.ndarray
    slots: np.ndarray
    like: float
    scale: tuple[float, ...]
    threshold: float

    @classmethod
    def fit(
        cls,
        features: Sequence[np.ndarray],
        slots: np.ndarray,
        parts: np.ndarray,
        outputs: np.ndarray | None = None,
        *,
        recall: float = 0.95,
    ) -> OODDetector | None:
        """Learn what known samples look like.

        Args:
            features: float32 [N, …], one for each features tensor.
            slots: int [N]; the class of each sample.
            parts: int [N]; see `folds`. Below 0: never held out.
            outputs: float [N, C]; what heads that had not seen the sample's part say of it, at the
                temperature in use. None while nothing has been trained: features decide alone.
            recall: the part of known inputs that is to be accepted.

        Returns:
            None where there is nothing to compare: one class, with nothing held out.

        Raises:
            DataError: `recall` is not between 0 and 1.
        """
        if not 0 < recall < 1:
            raise DataError(f"recall must be between 0 and 1, got {recall}")
        rows = directions(features)
        like = within_class_similarity(rows, slots)
        nearness, own = _held_out(rows, slots, parts, like)
        if not own.any():  # no class has two samples: like is what classes are to each other
            nearness, own = _between(rows, slots), np.full(len(rows), len(np.unique(slots)) > 1)
            outputs = None
        if not own.any():
            return None
        nearness = nearness[own]
        scale = [*_standard(nearness, _USUAL * (1 - float(nearness.mean()))), 0.0, 0.0]
        scores = (nearness - scale[0]) * scale[1]
        sureness = np.zeros(1) if outputs is None else _sureness(outputs[own])
        if np.ptp(sureness) > 0:  # a single class is always certain
            mean, inverse = _standard(sureness, _USUAL)
            scale[2:] = mean, _SURENESS * inverse
            scores += (sureness - scale[2]) * scale[3]
        prototypes, of = typical(rows, slots, np.bincount(slots), like)
        return cls(prototypes, of, like, tuple(scale), _threshold(scores, recall))

    def score(self, features: Sequence[np.ndarray], output: np.ndarray) -> float:
        """How familiar one input is: about 0 for known ones, and lower for others.

        Args:
            features: float32 [1, …] each, as `infer` gives them.
            output: float32 [1, C], likewise.
        """
        nearness = float((self.prototypes @ directions(features)[0]).max())
        mean, inverse, sure_mean, sure_inverse = self.scale
        sureness = float(_sureness(output)[0])
        return (nearness - mean) * inverse + (sureness - sure_mean) * sure_inverse

    def including(self, slot: int, features: Sequence[np.ndarray]) -> OODDetector:
        """The same with a class made, or made again, of samples: float32 [n, …] each."""
        rows = directions(features)
        of = np.full(len(rows), slot)
        prototypes, of = typical(rows, of, np.bincount(of), self.like)
        kept = self.slots != slot
        return replace(
            self,
            prototypes=np.concatenate([self.prototypes[kept], prototypes]),
            slots=np.concatenate([self.slots[kept], of]),
        )

    def without(self, slot: int) -> OODDetector | None:
        """The same after a class is gone; None when none is left."""
        kept = self.slots != slot
        if not kept.any():
            return None
        return replace(self, prototypes=self.prototypes[kept], slots=self.slots[kept])

    def to_arrays(self) -> dict[str, np.ndarray]:
        """What a checkpoint keeps of it, float32, besides the threshold."""
        return {
            OOD_PROTOTYPES: self.prototypes,
            OOD_CLASS_INDICES: self.slots.astype(np.float32),
            OOD_STATISTICS: np.array([*self.scale, self.like], np.float32),
        }

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, np.ndarray], threshold: float, size: int
    ) -> OODDetector:
        """Back from a checkpoint, for a model whose features are `size` numbers in all.

        Raises:
            CheckpointError: a tensor is missing, or has another shape.
        """
        prototypes, slots, scale = (arrays.get(n, np.empty(0)) for n in _NAMES)
        if not len(slots) or prototypes.shape != (*slots.shape, size) or scale.shape != (5,):
            got = ", ".join(f"{name} {list(array.shape)}" for name, array in arrays.items())
            raise CheckpointError(
                f"expected {OOD_PROTOTYPES} [R, {size}], {OOD_CLASS_INDICES} [R] and {OOD_STATISTICS} [5], got "
                f"{got or 'nothing'}: the checkpoint is damaged"
            )
        *four, like = scale.astype(float).tolist()
        return cls(prototypes, slots.astype(np.int64), like, tuple(four), threshold)


def _sureness(output: np.ndarray) -> np.ndarray:
    """`Σ p · log p` of each row: 0 when one class is certain, −log C when all are as likely."""
    p = output.astype(np.float64)
    return np.asarray((p * np.log(np.maximum(p, 1e-30))).sum(1))


def _held_out(
    rows: np.ndarray, slots: np.ndarray, parts: np.ndarray, like: float
) -> tuple[np.ndarray, np.ndarray]:
    """Each row's nearness to prototypes of other parts, and whether its class is there: [N]."""
    nearness, own, counts = np.zeros(len(rows)), np.zeros(len(rows), bool), np.bincount(slots)
    for part in np.unique(parts[parts >= 0]):
        out = parts == part
        if out.all():
            continue
        prototypes, of = typical(rows[~out], slots[~out], counts, like)
        nearness[out] = (rows[out] @ prototypes.T).max(1)
        own[out] = np.isin(slots[out], of)
    return nearness, own


def _between(rows: np.ndarray, slots: np.ndarray) -> np.ndarray:
    """Each row's nearness to the nearest row of another class: [N]."""
    cosines = rows @ rows.T
    cosines[slots[:, None] == slots] = -1
    return np.asarray(cosines.max(1))


def _standard(values: np.ndarray, usual: float) -> tuple[float, float]:
    """Mean, and one over the standard deviation."""
    return float(values.mean()), 1 / max(_deviation(values, usual), 1e-6)


def _deviation(values: np.ndarray, usual: float) -> float:
    """The standard deviation, as if four more values had the usual one."""
    squares = len(values) * float(values.var()) + _IMAGINED * usual**2
    return math.sqrt(squares / (len(values) + _IMAGINED))


def _threshold(scores: np.ndarray, recall: float) -> float:
    """What that part of known inputs exceeds, if scores are normally distributed around 0.

    For few samples a quantile of the scores themselves is twice as uncertain.
    """
    return -NormalDist().inv_cdf(recall) * _deviation(scores, 1.0)
