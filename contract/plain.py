"""The data of docs/recipe.md in plain NumPy, written from that page and docs/contract.md alone.

It shares no code with the runtime, so that a difference of the two reveals a fault of either or a
gap of the page. It is slow and simple on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]

FOLDS = 3


class Numbers:
    """The random numbers of a seed."""

    def __init__(self, seed: int) -> None:
        self.seed, self.k = seed, 0

    def next(self) -> int:
        """Return the next number."""
        self.k += 1
        z = (self.seed + self.k * 0x9E3779B9) % 2**32
        z = (z ^ (z >> 16)) * 0x85EBCA6B % 2**32
        z = (z ^ (z >> 13)) * 0xC2B2AE35 % 2**32
        return z ^ (z >> 16)

    def permutation(self, n: int) -> Integers:
        """Return the next permutation of n."""
        return np.argsort([self.next() for _ in range(n)], kind="stable").astype(np.int64)


@dataclass(frozen=True)
class Rows:
    """Rows of samples and their augmentations.

    Attributes:
        features: [N, F].
        targets: [N, K] for K classes; NaN where a target is missing.
        samples: [N], the number of the sample of each row.
        single: whether each row has one class.
        regression: whether the targets are numbers.
    """

    features: Floats
    targets: Floats
    samples: Integers
    single: bool
    regression: bool = False

    def __len__(self) -> int:
        return len(self.features)

    def where(self, mask: Mask | Integers) -> Rows:
        """Return some of the rows."""
        return Rows(
            self.features[mask],
            self.targets[mask],
            self.samples[mask],
            self.single,
            self.regression,
        )

    @property
    def labels(self) -> Integers:
        """The class of each row, [N]."""
        return np.asarray(np.nan_to_num(self.targets).argmax(axis=1))

    def of_class(self, c: int) -> Integers:
        """Return the rows with a target above 0; in a regression, those with a target."""
        targets = self.targets[:, c]
        return np.flatnonzero(~np.isnan(targets) if self.regression else np.nan_to_num(targets) > 0)

    @property
    def target_rms(self) -> float:
        """Root mean square of the present targets."""
        return float(np.sqrt(np.nanmean(self.targets**2))) or 1.0

    @property
    def first(self) -> Mask:
        """Whether each row is a sample, and not an augmentation."""
        return np.concatenate([[True], self.samples[1:] != self.samples[:-1]])

    @property
    def fractions(self) -> Floats:
        """The fraction of each row, [N]."""
        return np.asarray([1 / np.sum(self.samples == each) for each in self.samples])

    @property
    def weights(self) -> Floats:
        """Weights of the rows [N], or of their outputs [N, K]."""
        f, labels = self.fractions, self.labels
        if not self.single:
            return np.where(np.isnan(self.targets), 0, f[:, None])
        sums = np.asarray([f[labels == c].sum() for c in labels])
        weights = f * f.sum() / (len(np.unique(labels)) * sums)
        return np.asarray(weights.astype(np.float32), float)

    @property
    def smoothed(self) -> Rows:
        """The rows with the targets of training steps."""
        if not self.single:
            return self
        is_class = self.targets.any(axis=0)
        return replace(self, targets=0.7 * self.targets + 0.3 * is_class / is_class.sum())

    @property
    def effective(self) -> float:
        """The effective number of samples."""
        if not self.single:
            return float(self.first.sum())
        w = self.weights
        sums = np.asarray([w[self.samples == each].sum() for each in np.unique(self.samples)])
        return float(sums.sum() ** 2 / (sums**2).sum())

    def mixed(self, size: int, seed: int) -> Integers:
        """Return the numbers of at most `size` rows, of all classes."""
        order = Numbers(seed).permutation(len(self))
        counts: dict[int, int] = {}
        numbers = []
        for row in order:
            c = int(self.labels[row])
            counts[c] = counts.get(c, 0) + 1
            numbers.append(counts[c])
        return order[np.argsort(numbers, kind="stable")][:size]


def groups(rows: Rows) -> list[Integers]:
    """Return the groups of near-duplicates: the rows of each."""
    first = np.flatnonzero(rows.first)
    x = rows.features[first]
    x = (x - x.mean(axis=0)).astype(np.float32)
    labels = rows.labels[first]
    members = [np.flatnonzero(labels == c) for c in np.unique(labels)]
    spread = sum(len(m) * x[m].astype(float).var(axis=0).sum() for m in members)
    pairs = sum(len(m) - 1 for m in members)
    limit = 2 * spread / pairs / 4 if pairs else 0.0
    result: list[Integers] = []
    for m in members:
        representatives: list[tuple[int, list[int]]] = []
        for i in m:
            last = representatives[-256:]
            d = [float(((x[i] - x[r]).astype(float) ** 2).sum()) for r, _ in last]
            if d and min(d) <= limit:
                last[int(np.argmin(d))][1].append(int(i))
            else:
                representatives.append((int(i), [int(i)]))
        for _, group in representatives:
            mask = np.isin(rows.samples, rows.samples[first[group]])
            result.append(np.flatnonzero(mask))
    return sorted(result, key=lambda group: int(group[0]))


def folds(rows: Rows, seed: int) -> list[Mask]:
    """Return the rows that each fold holds out."""
    return folds_of(rows, groups(rows), seed)


def folds_of(rows: Rows, parts: list[Integers], seed: int) -> list[Mask]:
    """Return the rows that each fold holds out, for groups of rows."""
    order = [parts[i] for i in Numbers(seed).permutation(len(parts))]
    order.sort(key=lambda group: -len(group))
    fold = np.full(len(rows), -1)
    turn = 0
    for c in np.unique(rows.labels):
        of_class = [group for group in order if rows.labels[group[0]] == c]
        for group in of_class:
            fold[group] = turn % FOLDS if len(of_class) > 1 else -1
            turn += 1
    large = len(rows) > 400 or rows.features.size > 2**20
    masks = [fold == k for k in range(1 if large else FOLDS)]
    return [mask for mask in masks if mask.any()]


def logits(outputs: Floats, *, single: bool) -> Floats:
    """Return the logits of outputs [N, K]."""
    p = np.clip(outputs, 2.0**-126, 1 - 2.0**-24)
    return np.asarray(np.log(p) if single else np.log(p / (1 - p)))


def deviation(outputs: Floats) -> float:
    """Return the standard deviation of the centered logits of outputs [N, K]."""
    z = logits(outputs, single=True)
    return float((z - z.mean(axis=1, keepdims=True)).std())


def activation(z: Floats, *, single: bool) -> Floats:
    """Return the outputs for logits [N, K]."""
    if not single:
        return np.asarray(1 / (1 + np.exp(-z)))
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def cross_entropy(z: Floats, y: Floats, w: Floats, *, single: bool) -> float:
    """Return the weighted mean; w are [N, 1], or [N, K] for several labels."""
    if single:
        top = z.max(axis=1, keepdims=True)
        losses = np.log(np.exp(z - top).sum(axis=1, keepdims=True)) + top - (y * z).sum(1)[:, None]
    else:
        losses = np.log1p(np.exp(-np.abs(z))) + np.maximum(z, 0) - y * z
    return float((w * losses).sum() / w.sum())


def temperature(z: Floats, y: Floats, w: Floats, prior: float, *, single: bool) -> float:
    """Return the temperature that fits logits [N, K] to targets [N, K]."""

    def slope(u: float) -> float:
        errors = activation(u * z, single=single) - y
        return float((w * errors * z).sum()) + 16 * (prior - 1 / u)

    low, high = -6.0, 6.0
    for _ in range(32):
        middle = (low + high) / 2
        low, high = (low, middle) if slope(np.exp(middle) / prior) > 0 else (middle, high)
    return float(prior / np.exp((low + high) / 2))


def calibration_error(outputs: Floats, labels: Integers) -> float:
    """Return the expected calibration error of outputs [m, K]."""
    gaps = outputs.max(axis=1) - (outputs.argmax(axis=1) == labels)
    gaps = gaps[np.argsort(outputs.max(axis=1), kind="stable")]
    parts = np.array_split(gaps, max(1, min(15, len(gaps) // 5)))
    return float(sum(abs(part.sum()) for part in parts) / len(gaps))
