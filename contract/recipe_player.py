"""The rules of docs/recipe.md by the implementation in plain NumPy: rule → function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import plain
import plain_images as images
from plain import Floats, Numbers, Rows
from plain_continue import continue_training
from plain_detector import detector
from plain_layers import fit_layers
from plain_model import Engine, Model
from plain_stages import Head, Options, rates, stages
from plain_training import (
    Training,
    expected_accuracy,
    fit,
    held_out_loss,
    imprint,
    search_rate,
)
from recipe_vectors import Player

from sartor.contract.manifest import Manifest

__all__ = ["player"]

Values: TypeAlias = Mapping[str, Any]
Open: TypeAlias = Callable[[str], tuple[Engine, Manifest]]
"""Opens a model by its file name."""


def player(open_model: Open) -> dict[str, Player]:
    """Return rule → function, which returns the outputs of a case.

    Args:
        open_model: opens a model of the vectors.
    """

    def with_model(rule: Callable[[Engine, Manifest, Rows, Values], Values]) -> Player:
        def play(x: Values) -> Values:
            engine, manifest = open_model(x["model"])
            return rule(engine, manifest, rows_of(x, manifest.task), x)

        return play

    return {
        "random_numbers": lambda x: {"numbers": _numbers(x["seed"], x["count"])},
        "permutations": _permutations,
        "center_box": lambda x: dict(
            zip(
                ("left", "top", "width", "height"),
                images.center_box(x["width"], x["height"], x["to_width"], x["to_height"]),
                strict=True,
            )
        ),
        "decode": lambda x: {
            "pixels": images.decode(_pixels(x["image"]), x["orientation"], x["channels"])
        },
        "center_pixels": _center_pixels,
        "normalize": lambda x: {
            "values": images.normalize(np.asarray(x["pixels"], float), x["mean"], x["std"])
        },
        "augmentations": _augmentations,
        "weights": _weights,
        "mixed_rows": lambda x: {"rows": rows_of(x).mixed(x["batch_size"], x["seed"])},
        "batches": _batches,
        "stages": _stages,
        "rates": lambda x: {"rates": rates(x["peak"], x["steps"])},
        "imprint": with_model(lambda e, m, rows, x: {"variables": imprint(e, m, rows)}),
        "start": with_model(_start),
        "first_stage": with_model(_first_stage),
        "search_rate": with_model(
            lambda e, m, rows, x: {"peak": search_rate(Training(Model(e, m), rows, x["seed"]))}
        ),
        "fit": with_model(_fit),
        "fit_layers": with_model(_fit_layers),
        "continue": with_model(_continue),
        "groups": _groups,
        "folds": _folds,
        "temperature": _temperature,
        "default_temperature": _default_temperature,
        "held_out_loss": _held_out_loss,
        "expected_accuracy": _expected_accuracy,
        "detector": _detector,
        "evict": _evict,
    }


def rows_of(x: Values, task: str | None = None) -> Rows:
    """Return the rows of the inputs `targets`, `samples` and, if there are any, `features`."""
    targets = np.asarray([[np.nan if t is None else t for t in row] for row in x["targets"]], float)
    features = np.asarray(x.get("features", np.zeros((len(targets), 1))), float)
    task = task or x["task"]
    samples = np.asarray(x.get("samples", range(len(targets))))
    return Rows(features, targets, samples, task == "classification", task == "regression")


def _numbers(seed: int, count: int) -> list[int]:
    numbers = Numbers(seed)
    return [numbers.next() for _ in range(count)]


def _permutations(x: Values) -> Values:
    numbers = Numbers(x["seed"])
    return {"permutations": [numbers.permutation(n) for n in x["counts"]]}


def _pixels(image: Values) -> images.Pixels:
    pixels: images.Pixels = np.asarray(image["data"], np.uint8).reshape(image["shape"])
    return pixels


def _center_pixels(x: Values) -> Values:
    image = _pixels(x["image"])
    left, top, w, h = images.center_box(image.shape[1], image.shape[0], x["width"], x["height"])
    crop = image[top : top + h, left : left + w]
    return {"pixels": images.resize(crop, x["height"], x["width"])}


def _augmentations(x: Values) -> Values:
    image, to = _pixels(x["image"]), (x["width"], x["height"])
    size = image.shape[1], image.shape[0]
    each = images.augment(size, to, bytes.fromhex(x["identity"]), x["count"])
    return {
        "crops": [[a.left, a.top, a.width, a.height] for a in each],
        "gains": [a.gain for a in each],
        "pixels": [a.pixels(image, x["height"], x["width"]) for a in each],
    }


def _weights(x: Values) -> Values:
    rows = rows_of(x)
    return {
        "fractions": rows.fractions,
        "weights": rows.weights,
        "effective_samples": rows.effective,
    }


def _batches(x: Values) -> Values:
    numbers, parts = Numbers(x["seed"]), -(-x["rows"] // x["batch_size"])
    permutations = [numbers.permutation(x["rows"]) for _ in range(x["epochs"])]
    return {"epochs": [np.array_split(order, parts) for order in permutations]}


def _stages(x: Values) -> Values:
    m = x["manifest"]
    head = Head(
        **m["optimizer"]["step"], **m["loss"], has_norm=m["head"]["feature_norm"] is not None,
        regression=m["task"] == "regression", mean_of_outputs=m["weights_per_output"],
        batch_size=m["batch_size"],
    )  # fmt: skip
    first = [(np.asarray(b["rows"], float), np.asarray(b["weights"])) for b in x["first_batches"]]
    result = stages(
        head, Options(**x["options"]), batches=first, rows=x["rows"],
        effective=x["effective_samples"], classes=x["classes"],
        target_rms=x.get("target_rms", 1.0), warm=x.get("warm", False),
    )  # fmt: skip
    return {"stages": [vars(stage) for stage in result]}


def _start(engine: Engine, manifest: Manifest, rows: Rows, x: Values) -> Values:
    training = Training(Model(engine, manifest), rows, x["seed"])
    peaks = [stage.peak for stage in training.stages]
    return {"variables": engine.variables(), "peaks": peaks}


def _first_stage(engine: Engine, manifest: Manifest, rows: Rows, x: Values) -> Values:
    training = Training(Model(engine, manifest), rows, x["seed"], Options(**x["options"]))
    training.first_stage()
    return {"variables": engine.variables()}


def _fit(engine: Engine, manifest: Manifest, rows: Rows, x: Values) -> Values:
    result = fit(engine, manifest, rows, x["seed"], Options(**x["options"]))
    names = x.get("compared", list(result.variables))
    outputs: dict[str, Any] = {
        "variables": {name: result.variables[name] for name in names},
        "expected_accuracy": result.expected_accuracy,
        "calibration_error": result.calibration_error,
        "detector": None,
    }
    if result.detector is not None:
        fitted = result.detector
        features, probabilities = np.asarray(x["features"], float), np.asarray(x["probes"], float)
        outputs["detector"] = {
            "entropy_weight": fitted.ratio,
            "threshold": fitted.threshold,
            "decisions": [
                fitted.contains(f, p)
                for f, p in zip(features[: len(probabilities)], probabilities, strict=True)
            ],
        }
    return {**outputs, "notes": {"last_stage": result.last, "losses": result.losses}}


def _fit_layers(engine: Engine, manifest: Manifest, rows: Rows, x: Values) -> Values:
    result = fit_layers(engine, manifest, rows, x["seed"], x["depth"], Options(**x["options"]))
    return {
        "depth": result.depth,
        "steps": result.steps,
        "expected_accuracy": result.expected_accuracy,
        "calibration_error": result.calibration_error,
        "variables": result.variables,
        "detector": result.detector
        and {"entropy_weight": result.detector.ratio, "threshold": result.detector.threshold},
        "notes": {"rate": result.rate},
    }


def _continue(engine: Engine, manifest: Manifest, rows: Rows, x: Values) -> Values:
    first = rows_of(x["first"], manifest.task)
    result = continue_training(engine, manifest, first, rows, x["seed"])
    scores = [
        result.detector.score(np.asarray(p["features"], float), np.asarray(p["output"], float))
        for p in x["probes"]
    ]
    return {
        "added": {"variables": result.added, "scores": scores},
        "variables": result.variables,
        "notes": {"peak": result.peak},
    }


def _groups(x: Values) -> Values:
    rows = rows_of({**x, "targets": _one_hot(x["classes"])}, "classification")
    numbers = np.zeros(len(rows), int)
    for number, group in enumerate(plain.groups(rows)):
        numbers[group] = number
    return {"groups": numbers}


def _folds(x: Values) -> Values:
    groups = np.asarray(x["groups"])
    targets = _one_hot(x["classes"])
    features = np.broadcast_to(np.zeros(1), (len(groups), x["features_per_row"]))
    rows = Rows(features, targets, np.arange(len(groups)), True)
    parts = [np.flatnonzero(groups == g) for g in range(groups.max() + 1)]
    folds = np.full(len(groups), -1)
    for number, mask in enumerate(plain.folds_of(rows, parts, x["seed"])):
        folds[mask] = number
    return {"folds": folds}


def _one_hot(classes: list[int]) -> Floats:
    return np.eye(max(classes) + 1)[classes]


def _temperature(x: Values) -> Values:
    rows = rows_of(x)
    z = plain.logits(np.asarray(x["outputs"], float), single=rows.single)
    f = rows.fractions[:, None]
    w = f if rows.single else f * ~np.isnan(rows.targets)
    targets = np.nan_to_num(rows.targets)
    return {"temperature": plain.temperature(z, targets, w, x["prior"], single=rows.single)}


def _default_temperature(x: Values) -> Values:
    deviation = x["temperature"] * plain.deviation(np.asarray(x["outputs"], float))
    return {"temperature": 0.4 * deviation or 1.0}


def _held_out_loss(x: Values) -> Values:
    rows = rows_of(x)
    held = np.ones(len(rows), bool)
    return {"loss": held_out_loss(rows, np.asarray(x["outputs"], float), held)}


def _masks(folds: list[int]) -> list[plain.Mask]:
    array = np.asarray(folds)
    return [array == fold for fold in np.unique(array[array >= 0])]


def _expected_accuracy(x: Values) -> Values:
    rows, masks = rows_of(x), _masks(x["folds"])
    outputs = np.asarray(x["outputs"], float)
    held = np.any(masks, axis=0)
    error = plain.calibration_error(outputs[held], rows.labels[held]) if rows.single else None
    return {
        "expected_accuracy": expected_accuracy(rows, masks, outputs),
        "calibration_error": error,
    }


def _detector(x: Values) -> Values:
    rows = rows_of({**x, "targets": _one_hot(x["classes"])}, "classification")
    outputs = np.asarray(x["outputs"] or np.zeros((len(rows), 1)), float)
    fitted = detector(rows, _masks(x["folds"]), outputs)
    if fitted is None:
        return {"detector": None}
    return {
        "detector": {
            "prototypes": fitted.prototypes,
            "entropy_weight": fitted.ratio,
            "threshold": fitted.threshold,
            "scores": [
                fitted.score(np.asarray(p["features"], float), np.asarray(p["output"], float))
                for p in x["probes"]
            ],
        }
    }


def _evict(x: Values) -> Values:
    ids, stores = list[int](), []
    features = np.asarray(x["features"], float)
    for position in range(len(features)):
        ids.append(position)
        stay = images.evict(
            [x["first_id"] + i for i in ids], [x["classes"][i] for i in ids], features[ids],
            x["max_samples"],
        )  # fmt: skip
        ids = [ids[i] for i in stay]
        stores.append([x["first_id"] + i for i in ids])
    return {"ids": stores}
