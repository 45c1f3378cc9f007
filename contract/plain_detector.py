"""The detector of docs/recipe.md in plain NumPy, written from that page alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from plain import Floats, Integers, Mask, Rows

__all__ = ["Detector", "detector"]


def unit(x: Floats) -> Floats:
    """Return rows scaled to length 1."""
    return np.asarray(x / np.maximum(np.sqrt((x**2).sum(axis=-1, keepdims=True)), 1e-30))


def similarity(x: Floats, labels: Integers) -> float:
    """Return ρ, the mean cosine similarity of two rows of the same class."""
    by_class = [x[labels == c] for c in np.unique(labels)]
    pairs = sum(len(rows) - 1 for rows in by_class)
    sums = sum(len(rows) * float((rows.mean(axis=0) ** 2).sum()) - 1 for rows in by_class)
    return min(max(sums / pairs, 0.05), 1.0) if pairs else 1.0


def prototypes(x: Floats, labels: Integers, rho: float) -> tuple[Floats, Integers]:
    """Return the prototypes [R, F] of rows of length 1, and the class of each."""
    result, classes = [], list[int]()
    for c in np.unique(labels):
        rows = x[labels == c]
        n = len(rows)
        k = min(4, n)
        centers = rows[[j * n // k for j in range(k)]]
        for _ in range(3):
            nearest = (rows @ centers.T).argmax(axis=1)
            sums = np.stack([rows[nearest == j].sum(axis=0) for j in range(k)])
            centers = np.where(sums.any(axis=1, keepdims=True), unit(sums), centers)
        result.append(centers * np.sqrt(1 + (1 / rho - 1) / n))
        classes += [int(c)] * k
    return np.concatenate(result), np.asarray(classes)


@dataclass(frozen=True)
class Detector:
    """A detector of inputs that belong to no class."""

    prototypes: Floats
    labels: Integers
    rho: float
    ratio: float
    threshold: float

    def with_class(self, c: int, mean: Floats, n: int) -> Detector:
        """Return a detector with a class of n rows added."""
        prototype = unit(mean[np.newaxis]) * np.sqrt(1 + (1 / self.rho - 1) / n)
        return replace(
            self,
            prototypes=np.concatenate([self.prototypes, prototype]),
            labels=np.append(self.labels, c),
        )

    def with_features(self, rows: Rows) -> Detector:
        """Return a detector with prototypes of other features of all rows."""
        x, labels = prototypes(unit(rows.features), rows.labels, self.rho)
        return replace(self, prototypes=x, labels=labels)

    def score(self, features: Floats, output: Floats) -> float:
        """Return the score of an input."""
        similarity = (self.prototypes @ unit(features)).max()
        return float(similarity + self.ratio * negative_entropy(output))

    def contains(self, features: Floats, output: Floats) -> bool:
        """Return whether an input belongs to one of the classes."""
        return self.score(features, output) >= self.threshold


def negative_entropy(p: Floats) -> Floats:
    """Return `Σ p ln p` of outputs [..., K]."""
    return np.asarray((p * np.log(np.maximum(p, 1e-30))).sum(axis=-1))


def place(scores: Floats) -> float:
    """Return the score that 5 % of the scores are below."""
    return float(np.sort(scores)[len(scores) // 20])


def detector(rows: Rows, masks: list[Mask], outputs: Floats) -> Detector | None:
    """Return the detector of "none of these".

    Args:
        rows: all rows.
        masks: the rows that each fold holds out.
        outputs: [N, K], the held-out outputs at the temperature of the model.
    """
    x, labels = unit(rows.features), rows.labels
    rho = similarity(x, labels)
    if not masks:
        if len(np.unique(labels)) < 2:
            return None
        others = np.where(labels[:, None] != labels, x @ x.T, -1)
        return Detector(*prototypes(x, labels, rho), rho, 0.0, place(others.max(axis=1)))
    s = np.concatenate(
        [(x[m] @ prototypes(x[~m], labels[~m], rho)[0].T).max(axis=1) for m in masks]
    )
    entropies = np.concatenate([negative_entropy(outputs[m]) for m in masks])
    ratio = 0.5 * float(s.std()) / max(float(entropies.std()), 0.25)
    threshold = place(s + ratio * entropies) - (1 - float(s.mean())) / len(s)
    return Detector(*prototypes(x, labels, rho), rho, ratio, threshold)
