"""The inputs of the recipe's vectors: rule → (purpose, inputs) of each case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from recipe_data import blobs, grid, image, one_hot, several_labels
from recipe_training_cases import continue_inputs, fit_inputs, layer_inputs, training_inputs
from recipe_validation_cases import detector_inputs, validation_inputs

__all__ = ["Inputs", "inputs_of"]

Inputs: TypeAlias = Sequence[tuple[str, dict[str, Any]]]


def inputs_of() -> dict[str, Inputs]:
    """Return the inputs of all cases."""
    return {
        **_random_numbers(),
        **_images(),
        **_data_set(),
        **_schedule(),
        **training_inputs(),
        "fit": fit_inputs(),
        "fit_layers": layer_inputs(),
        "continue": continue_inputs(),
        **validation_inputs(),
        "detector": detector_inputs(),
        "evict": _full_stores(),
    }


def _random_numbers() -> dict[str, Inputs]:
    seeds = (0, 1, 42, 2**31, 2**32 - 1)
    return {
        "random_numbers": [
            *((f"seed {seed}", {"seed": seed, "count": 4}) for seed in seeds),
            ("a seed of more than 32 bits: the lowest count", {"seed": 2**32 + 7, "count": 4}),
        ],
        "permutations": [
            ("one after another of the same seed", {"seed": 3, "counts": [5, 1, 12, 12]}),
            ("an empty one", {"seed": 0, "counts": [0, 3]}),
        ],
    }


def _images() -> dict[str, Inputs]:
    sizes = [(60, 40, 10, 8), (40, 60, 10, 8), (7, 5, 1, 1), (5, 7, 2, 1), (1, 9, 3, 1),
             (101, 100, 100, 100), (3, 3, 7, 2)]  # fmt: skip
    box = [
        (f"{w} x {h} for {tw} x {th}", {"width": w, "height": h, "to_width": tw, "to_height": th})
        for w, h, tw, th in sizes
    ]
    color, clear = image(3, 2, 3, seed=1), image(3, 2, 4, seed=2)
    decode = [
        *(
            (f"EXIF orientation {o}", {"image": color, "orientation": o, "channels": 3})
            for o in range(1, 9)
        ),
        ("gray", {"image": color, "orientation": 1, "channels": 1}),
        ("transparent", {"image": clear, "orientation": 1, "channels": 3}),
        ("transparent, gray", {"image": clear, "orientation": 6, "channels": 1}),
    ]
    large, small = image(11, 14, 3, seed=3), image(4, 3, 1, seed=4)
    center = [
        ("reduce", {"image": large, "width": 5, "height": 4}),
        ("reduce one side, enlarge the other", {"image": large, "width": 3, "height": 13}),
        ("enlarge", {"image": small, "width": 7, "height": 7}),
        ("the same size", {"image": small, "width": 3, "height": 4}),
    ]
    statistics = {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}
    identities = ["00" * 32, "ffeeddccbbaa99887766554433221100" * 2]
    return {
        "center_box": box,
        "decode": decode,
        "center_pixels": center,
        "normalize": [
            ("a value for each channel", {"pixels": [[0, 1, 2], [255, 128, 7]], **statistics}),
            ("one value", {"pixels": [[0], [255]], "mean": [127.5], "std": [127.5]}),
        ],
        "augmentations": [
            (
                "two identities differ",
                {"image": large, "identity": each, "count": 2, "width": 4, "height": 3},
            )
            for each in identities
        ],
    }


def _data_set() -> dict[str, Inputs]:
    imbalanced = blobs([7, 3, 1], 1, seed=1)
    augmented = blobs([3, 2], 1, seed=2, augmentations=2)
    uneven = {"samples": [0, 0, 0, 1, 2, 2], "targets": one_hot([0, 0, 0, 1, 1, 1])}
    missing = several_labels(6, 1, seed=3)
    values = {"samples": [0, 1, 1], "targets": [[0.5, None], [-2, 3], [4, 0]]}
    classes = {"task": "classification"}
    weights = [
        ("balanced", {**classes, "samples": [0, 1, 2], "targets": one_hot([0, 1, 2])}),
        ("imbalanced", {**classes, **_labels(imbalanced)}),
        ("augmentations", {**classes, **_labels(augmented)}),
        ("augmentations of some samples", {**classes, **uneven}),
        ("a class without samples", {**classes, **{"samples": [0, 1, 2]},
                                     "targets": one_hot([0, 2, 2])}),
        ("several labels, missing targets", {"task": "multi_label", **_labels(missing)}),
        ("a regression with augmentations", {"task": "regression", **values}),
    ]  # fmt: skip
    mixed = [
        ("fewer rows than the batch", {**classes, **_labels(augmented), "batch_size": 32}),
        ("more rows than the batch", {**classes, **_labels(imbalanced), "batch_size": 5}),
        ("several labels", {"task": "multi_label", **_labels(missing), "batch_size": 4}),
    ]
    return {
        "weights": weights,
        "mixed_rows": [(about, {**x, "seed": seed}) for about, x in mixed for seed in (0, 9)],
    }


def _labels(samples: dict[str, Any]) -> dict[str, Any]:
    return {key: samples[key] for key in ("samples", "targets")}


def _schedule() -> dict[str, Inputs]:
    rng = np.random.default_rng(0)
    first = [
        {"rows": grid(rng.normal(size=(3, 4)) * scale), "weights": grid(rng.uniform(0.5, 2, 3))}
        for scale in (1, 1.5)
    ]
    data = {"first_batches": first, "rows": 100, "effective_samples": 87.5, "classes": 4}
    several = {"task": "multi_label", "curvature": 0.25}

    def case(about: str, **values: Any) -> tuple[str, dict[str, Any]]:
        options = values.pop("options", {})
        head = {key: values.pop(key) for key in _HEAD if key in values}
        return about, {"manifest": _manifest(**head), "options": options, **data, **values}

    stated = {"epochs": 7, "learning_rate": 0.5, "weight_decay": 0.01}
    single = {"task": "regression", "target_rms": 3.5}
    return {
        "batches": [
            ("parts of different sizes", {"seed": 5, "rows": 11, "batch_size": 4, "epochs": 2}),
            ("one part", {"seed": 5, "rows": 4, "batch_size": 8, "epochs": 3}),
            ("a large seed", {"seed": 2**32 + 1, "rows": 9, "batch_size": 8, "epochs": 1}),
        ],
        "stages": [
            case("momentum"),
            case("few samples", rows=12, effective_samples=12),
            case("many samples", rows=20000, effective_samples=15000),
            case("the largest number of steps", rows=32, effective_samples=15000),
            *(case(f"{each} classes", classes=each) for each in (16, 23, 40)),
            case("Nesterov momentum", nesterov=True, momentum=0.8),
            case("without momentum", momentum=0),
            case("adaptive", adaptive=True, momentum=0),
            case("adaptive, 40 classes", adaptive=True, momentum=0, classes=40),
            case("several labels", **several),
            case("many labels", **{**several, "classes": 40}),
            *(case(f"stated {key}", options={key: value}) for key, value in stated.items()),
            case("stated weight decay, 32 batches", rows=1000, options={"weight_decay": 0.001}),
            case("all stated", options=stated),
            case("all stated, several labels", options=stated, **several),
            case("many rows, stated weight decay", rows=9000, options={"weight_decay": 0.001}),
            case("a regression", **single),
            case("a regression, adaptive", adaptive=True, momentum=0, **single),
            case("no feature_norm", feature_norm=None),
            case("no feature_norm, adaptive", feature_norm=None, adaptive=True, momentum=0),
            case("a warm start", warm=True),
            case("a warm start, adaptive", warm=True, adaptive=True, momentum=0),
            case("a warm start, stated weight decay", warm=True, options={"weight_decay": 0.1}),
            case("weights of 0", first_batches=[{"rows": [[1, 2, 3, 4]], "weights": [0]}, *first]),
        ],
        "rates": [("six steps", {"peak": 3.5, "steps": 6}), ("one step", {"peak": 2, "steps": 1})],
    }


_HEAD = ("task", "momentum", "nesterov", "adaptive", "curvature", "feature_norm")


def _manifest(
    task: str = "classification",
    momentum: float = 0.9,
    nesterov: bool = False,
    adaptive: bool = False,
    curvature: float = 1 / 3,
    feature_norm: float | None = 2,
) -> dict[str, Any]:
    """Return the fields of `sartor.json` that decide on the stages."""
    step = {"adaptive": adaptive, "momentum": momentum, "nesterov": nesterov}
    return {
        "task": task,
        "batch_size": 32,
        "weights_per_output": task != "classification",
        "head": {"feature_norm": feature_norm},
        "loss": {"curvature": curvature},
        "optimizer": {"step": step},
    }


def _full_stores() -> Inputs:
    rng = np.random.default_rng(41)
    apart = rng.normal(size=(14, 3))
    classes = [int(c) for c in rng.integers(0, 3, 14)]
    bursts = np.repeat(rng.normal(size=(5, 3)), 3, axis=0) + 0.03 * rng.normal(size=(15, 3))
    return [
        (about, {"first_id": 1, "classes": labels, "features": grid(values), "max_samples": limit})
        for about, labels, values, limit in (
            ("different samples", classes, apart, 6),
            ("bursts", [i // 3 % 2 for i in range(15)], 4 * bursts, 7),
            ("one sample", [0, 1, 0], apart[:3], 1),
            ("the closest two at 0.515 of the median distance", [0] * 3, _line(0, 66, 100), 2),
            ("the closest two at 0.493 of the median distance", [0] * 3, _line(0, 67, 100), 2),
        )
    ]


def _line(*places: int) -> np.ndarray:
    """Return samples that differ in one feature; the last two are the closest."""
    return np.asarray(places)[:, np.newaxis] * [1, 0, 0] / 32
