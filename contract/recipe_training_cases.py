"""The inputs of the recipe's vectors that call a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from recipe_data import blobs, grid, probabilities, several_labels

__all__ = [
    "SEVERAL",
    "SOFTMAX",
    "TUNED",
    "TUNED_SGD",
    "continue_inputs",
    "fit_inputs",
    "layer_inputs",
    "training_inputs",
]

Inputs: TypeAlias = Sequence[tuple[str, dict[str, Any]]]

SOFTMAX, SEVERAL = "softmax.tflite", "several_labels.tflite"
TUNED, TUNED_SGD = "tuned_layers.tflite", "tuned_layers_sgd.tflite"
SGD = "../cases/two_inputs.tflite"  # without momentum
_FEATURES = 12  # of the models


def training_inputs() -> dict[str, Inputs]:
    """Return the inputs of the parts of a training."""
    model = {"model": SOFTMAX}
    few = blobs([4, 3, 2], _FEATURES, seed=3)
    many = blobs([20, 9, 4], _FEATURES, seed=4)
    several = {"model": SEVERAL, **several_labels(14, _FEATURES, seed=5)}
    rows = {"augmentations": {**model, **blobs([3, 2], _FEATURES, seed=6, augmentations=2)}}
    batches = {"model": SGD, **blobs([34, 28, 8], 11, seed=19)}  # 18 of them
    unused = {**several, "targets": [[*row[:2], None] for row in several["targets"]]}
    starts = {
        "fewer rows than the batch": {**model, **few},
        "more rows than the batch": {**model, **many},
        "several labels": several,
        "several labels, a class without samples": unused,
        "a regression": _regression(),
        **rows,
    }
    return {
        "imprint": [
            ("three classes", {**model, **few}),
            ("one class", {**model, **blobs([3], _FEATURES, seed=8)}),
            ("the cosine of features and weights", {"model": "../cases/cosine.tflite", **few}),
            ("augmentations", rows["augmentations"]),
        ],
        "start": [
            *((about, {**x, "seed": 1}) for about, x in starts.items()),
            ("batch 17 has the largest bound", {**batches, "seed": 34}),
            ("batch 16 has the largest bound of the first 16", {**batches, "seed": 55}),
        ],
        "first_stage": [
            (about, {**x, "seed": 1, "options": {"epochs": 3, **stated}})
            for about, x in starts.items()
            for stated in ({}, {"learning_rate": 0.1, "weight_decay": 0.05})
            if not stated or "more rows" in about
        ],
        "search_rate": [
            ("hidden layers", {"model": "../cases/graph_head.tflite", "seed": 0,
                               **blobs([9, 8, 7], _FEATURES, seed=9)}),
        ],
    }  # fmt: skip


def _regression() -> dict[str, Any]:
    rng = np.random.default_rng(7)
    features = np.round(rng.normal(size=(11, _FEATURES)) * 32) / 32
    values = features[:, :2] * 1.5 + [3.0, -4.0]
    return {
        "model": "../cases/squared_error.tflite",
        "samples": list(range(11)), "features": grid(features), "targets": grid(values),
    }  # fmt: skip


def _outliers() -> dict[str, Any]:
    samples = {"model": SGD, **blobs([34, 28, 8], 11, seed=19)}
    features = np.asarray(samples["features"])
    features[:2] *= 100
    return {**samples, "features": grid(features)}


def fit_inputs() -> Inputs:
    """Return the inputs of whole trainings."""

    def case(about: str, x: dict[str, Any], *, seed: int = 0, **options: Any) -> Any:
        classes = len(x["targets"][0])
        probes = probabilities(6, classes, seed=1) if classes > 1 else [[1]] * 6
        probes = probes[: len(x["targets"])]
        return about, {"model": SOFTMAX, **x, "seed": seed, "options": options, "probes": probes}

    bursts = blobs([4, 3, 1], _FEATURES, seed=12, frames=2)
    sgd = {"model": SGD, **blobs([5, 4, 3], 11, seed=16)}
    several = {"model": SEVERAL, **several_labels(24, _FEATURES, seed=15)}
    adam = {"model": "../cases/float_adam.tflite", **blobs([7, 5], _FEATURES, seed=20, noise=2)}
    return [
        case("three classes", blobs([8, 7, 6], _FEATURES, seed=11)),
        case("three classes, imbalanced", blobs([14, 7, 4], _FEATURES, seed=17, noise=2), seed=7),
        # with 0.03 in place of 0.02 times the loss, the first stage would be the last one
        case(
            "a gain that is hardly worth a stage", blobs([8, 7, 6], _FEATURES, seed=312, noise=2.5)
        ),
        case("bursts, and a class of one burst", bursts),
        case("augmentations", blobs([6, 5], _FEATURES, seed=13, augmentations=1, noise=3)),
        case("one sample of each class: no folds", blobs([1, 1, 1], _FEATURES, seed=14)),
        # its weights are rounding errors: the mean of the class is the center of all features
        case("one class", {**blobs([5], _FEATURES, seed=14), "compared": ["temperature"]}),
        case("several labels, missing targets", several),
        case("gradient descent without momentum", sgd, seed=3),
        # the first 16 batches of seed 57 do not contain the outliers
        case("outliers: the loss rises, and the rate is lowered", _outliers(), seed=57, epochs=6),
        case("a regression", _regression()),
        case("Adam; the file states rate and weight decay", adam),
        case("stated epochs", blobs([5, 4, 3], _FEATURES, seed=18), epochs=4),
        case("patience", blobs([9, 8, 7], _FEATURES, seed=21, noise=3), patience=3),
        case(
            "stated rate and weight decay",
            blobs([5, 4, 3], _FEATURES, seed=18),
            learning_rate=0.05,
            weight_decay=0.02,
            epochs=20,
        ),
    ]


def layer_inputs() -> Inputs:
    """Return the inputs of trainings of tuned layers."""
    few = blobs([6, 5, 5], 4, seed=61, noise=0.5)
    risen = blobs([9, 8, 7], 4, seed=74, noise=3)
    equal, better = blobs([9, 8, 7], 4, seed=87, noise=1.5), blobs([9, 8, 7], 4, seed=86, noise=2.5)

    def case(about: str, x: dict[str, Any], depth: str, seed: int = 0, **options: Any) -> Any:
        return about, {"model": TUNED, **x, "seed": seed, "depth": depth, "options": options}

    return [
        case("the head alone", few, "head"),
        case("layers on request", few, "layers", epochs=3),
        case("layers on request, with a stated rate", few, "layers", epochs=2, learning_rate=0.01),
        case("the first rate raises the loss", risen, "layers", epochs=3),
        case("gradient descent", {**few, "model": TUNED_SGD}, "layers", epochs=3),
        case("layers that gain", blobs([9, 8, 7], 4, seed=64, noise=1.5), "auto"),
        case("layers that lose", blobs([9, 8, 7], 4, seed=65, noise=1.5), "auto"),
        case("a higher loss and an equal accuracy: the head is kept", equal, "auto",
             epochs=12, learning_rate=0.03),
        case("a higher loss and a higher accuracy: the layers are kept", better, "auto",
             epochs=8, learning_rate=0.1),
        case("no folds", blobs([1, 1, 1], 4, seed=14), "auto"),
    ]  # fmt: skip


def continue_inputs() -> Inputs:
    """Return the inputs of warm starts."""
    first = blobs([8, 6, 5], _FEATURES, seed=51, noise=1.5)
    again = blobs([6, 9, 5, 4], _FEATURES, seed=52, noise=1.5)
    order = np.argsort([row.index(1) == 3 for row in again["targets"]], kind="stable")
    probes = [
        {"features": f, "output": p}
        for f, p in zip(again["features"], probabilities(3, 4, seed=53), strict=False)
    ]

    def case(about: str, classes: Sequence[int]) -> tuple[str, dict[str, Any]]:
        rows = [int(i) for i in order if again["targets"][i].index(1) in classes]
        samples = {
            "samples": list(range(len(rows))),
            "features": [again["features"][i] for i in rows],
            "targets": [again["targets"][i][: max(classes) + 1] for i in rows],
        }
        return about, {"model": SOFTMAX, "seed": 4, "first": first, **samples, "probes": probes}

    return [
        case("samples of all classes", (0, 1, 2)),
        case("an added class", (0, 1, 2, 3)),
        case("an added class, and two classes without samples", (1, 3)),
    ]
