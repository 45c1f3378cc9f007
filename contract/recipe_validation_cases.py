"""The inputs of the recipe's vectors about held-out samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from recipe_data import blobs, one_hot, probabilities, several_labels

__all__ = ["detector_inputs", "validation_inputs"]

Inputs: TypeAlias = Sequence[tuple[str, dict[str, Any]]]


def validation_inputs() -> dict[str, Inputs]:
    """Return the inputs of a cross-validation."""
    bursts = blobs([4, 3, 1], 5, seed=21, frames=3)
    apart = blobs([6, 5], 5, seed=22)
    augmented = blobs([3, 3], 5, seed=23, augmentations=2)
    rng = np.random.default_rng(24)
    words = [n for n in range(2**11) if n.bit_count() % 2 == 0][:258]  # each two differ twice
    words += [words[i] for i in (0, 1, 2, 5, 200)]
    crowd = {
        "features": [[n >> bit & 1 for bit in range(11)] for n in words],
        "targets": [[1]] * len(words),
        "samples": list(range(len(words))),
    }
    groups = {
        "bursts": bursts, "no near-duplicates": apart, "augmentations": augmented,
        "more than 256 representatives": crowd, "one sample": blobs([1], 5, seed=1),
    }  # fmt: skip
    classes = [int(c) for c in rng.integers(0, 3, 14)] + [3, 3]
    numbers = [int(g) for g in np.unique(np.arange(16) // 2 * 4 + np.asarray(classes),
                                         return_inverse=True)[1]]  # fmt: skip
    base = {"classes": classes, "groups": numbers, "features_per_row": 5}
    many = {"classes": [i % 3 for i in range(401)], "groups": list(range(401))}
    outputs = probabilities(16, 4, seed=25)
    task = {"task": "classification", "samples": [i // 2 for i in range(16)],
            "targets": one_hot(classes), "outputs": outputs}  # fmt: skip
    several = several_labels(12, 1, seed=26)
    independent = {
        "task": "multi_label", "samples": several["samples"], "targets": several["targets"],
        "outputs": probabilities(12, 3, seed=27),
    }  # fmt: skip
    certain = {**task, "outputs": [[1, 0, 0, 0]] * 8 + [[0, 1e-20, 1, 0]] * 8}
    priors = [(f"prior {prior}", {**task, "prior": prior}) for prior in (1, 0.2)]
    held = {**task, "folds": [0, 0, 1, 1, 2, 2, -1, -1, 0, 0, 1, 1, 2, 2, 0, 0]}
    return {
        "groups": [
            (about, {"features": x["features"], "samples": x["samples"],
                     "classes": [row.index(1) for row in x["targets"]]})
            for about, x in groups.items()
        ],
        "folds": [
            ("groups of several rows", {**base, "seed": 0}),
            ("another seed", {**base, "seed": 11}),
            ("a class of one group", {"classes": [0, 0, 1, 0, 0, 1], "groups": [0, 1, 2, 3, 4, 2],
                                      "features_per_row": 5, "seed": 0}),
            ("more than 400 rows", {**many, "features_per_row": 5, "seed": 0}),
            ("more than 2²⁰ features", {**base, "features_per_row": 65537, "seed": 0}),
        ],
        "temperature": [
            *priors,
            ("certain outputs", {**certain, "prior": 1}),
            ("several labels", {**independent, "prior": 0.7}),
        ],
        "default_temperature": [
            ("four classes", {"outputs": outputs, "temperature": 1}),
            ("uniform outputs", {"outputs": [[0.25] * 4] * 3, "temperature": 1}),
            ("imprinted classes", {"outputs": probabilities(2, 2, seed=29), "temperature": 0.25}),
            ("one imprinted class", {"outputs": [[1]], "temperature": 0.5}),
        ],
        "held_out_loss": [("a classification", task), ("several labels", independent),
                          ("certain outputs", certain)],
        "expected_accuracy": [
            ("a classification", held),
            ("several labels", {**independent, "folds": [0, 1, 2] * 4}),
            ("one fold", {**task, "folds": [0, -1] * 8}),
            *((f"{rows} held-out rows", _crowd(rows)) for rows in (74, 85)),
        ],
    }  # fmt: skip


def _crowd(rows: int) -> dict[str, Any]:
    """Return held-out outputs of many rows: the expected calibration error has 14 or 15 parts."""
    outputs, numbers = probabilities(rows, 3, seed=rows), np.random.default_rng(30).random(rows)
    labels = [min(2, int((np.cumsum(p) < n).sum())) for p, n in zip(outputs, numbers, strict=True)]
    return {
        "task": "classification", "samples": list(range(rows)), "targets": one_hot(labels, 3),
        "outputs": outputs, "folds": [i % 3 for i in range(rows)],
    }  # fmt: skip


def detector_inputs() -> Inputs:
    """Return the inputs of out-of-distribution detectors."""
    apart = blobs([7, 5, 3], 6, seed=31)
    classes = [row.index(1) for row in apart["targets"]]
    folds = [i % 3 for i in range(15)]
    outputs = probabilities(15, 3, seed=32)
    probes = [
        {"features": f, "output": p}
        for f, p in zip([*apart["features"][:2], [1, -2, 1, 0, 1, -1]], outputs, strict=False)
    ]
    base = {"features": apart["features"], "samples": list(range(15)), "classes": classes}
    large = blobs([20, 14], 6, seed=33, noise=2)
    many = {"features": large["features"], "samples": list(range(34)),
            "classes": [row.index(1) for row in large["targets"]]}  # fmt: skip
    most = blobs([38, 34], 6, seed=35)
    wide = {"features": most["features"], "samples": list(range(72)),
            "classes": [row.index(1) for row in most["targets"]],
            "folds": [i % 3 for i in range(72)], "outputs": probabilities(72, 2, seed=36),
            "probes": probes}  # fmt: skip
    return [
        ("three classes", {**base, "folds": folds, "outputs": outputs, "probes": probes}),
        ("some rows in no fold", {**base, "folds": [-1, *folds[1:9], *[-1] * 6],
                                  "outputs": outputs, "probes": probes}),
        ("certain outputs: their entropy counts little", {
            **base, "folds": folds, "outputs": one_hot(classes), "probes": probes}),
        *((f"{held} held-out rows: {below} below the threshold", {
            **many, "folds": [i % 3 if i < held else -1 for i in range(34)],
            "outputs": probabilities(34, 2, seed=34), "probes": probes})
          for held, below in ((19, "none"), (20, "one"), (34, "one"))),
        ("more than 64 rows: 64 directions", wide),
        ("nothing is held out", {**base, "folds": [-1] * 15, "outputs": None, "probes": probes}),
        ("one class, nothing held out", {
            "features": apart["features"][:3], "samples": [0, 1, 2], "classes": [0, 0, 0],
            "folds": [-1] * 3, "outputs": None, "probes": []}),
    ]  # fmt: skip
