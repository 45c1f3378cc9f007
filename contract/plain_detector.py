"""The detector of docs/recipe.md in plain NumPy, written from that page alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from plain import Floats, Integers, Mask, Rows

__all__ = ["Detector", "detector"]


def unit(x: Floats) -> Floats:
    """Return rows scaled to length 1."""
    return np.asarray(x / np.maximum(np.sqrt((x**2).sum(axis=-1, keepdims=True)), 1e-30))


def similarity(parts: list[tuple[Floats, Integers, Floats]]) -> float | None:
    """Return ρ of parts, each of rows, labels and V, or None if no class has two rows of a part."""
    sums, pairs = 0.0, 0
    for x, labels, v in parts:
        for c in np.unique(labels):
            rows = x[labels == c] / norms(x[labels == c], v)[:, None]
            sums += len(rows) * float(norms(rows.mean(axis=0)[None], v)[0]) ** 2 - 1
            pairs += len(rows) - 1
    return min(max(sums / pairs, 0.05), 1.0) if pairs else None


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


def directions(x: Floats, labels: Integers, most: int = 64) -> Floats:
    """Return V [D, F], the directions of the metric of rows of length 1."""
    n, f = x.shape
    d = min(64, n, most)
    if not d:
        return np.zeros((0, f))
    chosen = [j * n // d for j in range(d)]
    r = np.stack([x[i] - x[labels == labels[i]].mean(axis=0) for i in chosen])
    t = float(np.trace(r @ r.T)) / d
    if t < 1e-6:
        return np.zeros((0, f))
    return np.asarray(np.linalg.inv(np.linalg.cholesky(r @ r.T + 0.3 * t * np.eye(d))) @ r)


def similarities(x: Floats, prototypes: Floats, v: Floats) -> Floats:
    """Return the largest `s` of a prototype, for each row."""
    products = x @ prototypes.T - (x @ v.T) @ (prototypes @ v.T).T
    cosines = products / norms(x, v)[:, None] / norms(prototypes, v)
    return np.asarray((cosines * np.sqrt((prototypes**2).sum(axis=1))).max(axis=1))


def norms(x: Floats, v: Floats) -> Floats:
    """Return `√⟨x, x⟩` of each row."""
    return np.asarray(np.sqrt(np.maximum((x**2).sum(axis=1) - ((x @ v.T) ** 2).sum(axis=1), 1e-6)))


@dataclass(frozen=True)
class Detector:
    """A detector of inputs that belong to no class."""

    prototypes: Floats
    labels: Integers
    rho: float
    ratio: float
    threshold: float
    directions: Floats

    def with_class(self, c: int, mean: Floats, n: int) -> Detector:
        """Return a detector with a class of n rows added."""
        prototype = unit(mean[np.newaxis]) * np.sqrt(1 + (1 / self.rho - 1) / n)
        return replace(
            self,
            prototypes=np.concatenate([self.prototypes, prototype]),
            labels=np.append(self.labels, c),
        )

    def with_features(self, rows: Rows) -> Detector:
        """Return a detector with prototypes and metric of other features of all rows."""
        unit_rows = unit(rows.features)
        x, labels = prototypes(unit_rows, rows.labels, self.rho)
        v = directions(unit_rows, rows.labels, len(self.directions))
        return replace(self, prototypes=x, labels=labels, directions=v)

    def score(self, features: Floats, output: Floats) -> float:
        """Return the score of an input."""
        similarity = similarities(unit(features)[np.newaxis], self.prototypes, self.directions)
        return float(similarity[0] + self.ratio * negative_entropy(output))

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
    plain = np.zeros((0, x.shape[1]))
    metrics = [directions(x[~m], labels[~m]) for m in masks]
    rho = similarity([(x[m], labels[m], v) for m, v in zip(masks, metrics, strict=True)])
    rho = rho or similarity([(x, labels, plain)]) or 1.0
    if not masks:
        if len(np.unique(labels)) < 2:
            return None
        others = np.where(labels[:, None] != labels, x @ x.T, -1)
        return Detector(*prototypes(x, labels, rho), rho, 0.0, place(others.max(axis=1)), plain)
    s = np.concatenate(
        [
            similarities(x[m], prototypes(x[~m], labels[~m], rho)[0], v)
            for m, v in zip(masks, metrics, strict=True)
        ]
    )
    entropies = np.concatenate([negative_entropy(outputs[m]) for m in masks])
    fraction = 1.3 * len(s) / (len(s) + 80)
    ratio = fraction * float(s.std()) / max(float(entropies.std()), 0.25)
    threshold = place(s + ratio * entropies) - (1 - float(s.mean())) / len(s)
    v = directions(x, labels, int((~masks[0]).sum()))
    return Detector(*prototypes(x, labels, rho), rho, ratio, threshold, v)
