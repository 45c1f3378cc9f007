"""The rules of docs/recipe.md about held-out samples and the store, by the runtime."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from recipe_vectors import FOLDER

from sartor.contract.manifest import Manifest
from sartor.litert import read_personalizable
from sartor.runtime.confidence.cross_validation import (
    HeldOutOutputs,
    assign_validation_folds,
    cross_validate,
)
from sartor.runtime.confidence.groups import group_near_duplicates
from sartor.runtime.confidence.out_of_distribution import OODDetector
from sartor.runtime.confidence.temperature import (
    default_temperature,
    expected_calibration_error,
    fit_temperature,
)
from sartor.runtime.data.dataset import Dataset
from sartor.runtime.data.tasks import TASKS
from sartor.runtime.store import SampleStore

__all__ = [
    "array", "dataset_of", "detector", "evict", "expected_accuracy", "folds", "groups",
    "held_out_loss", "manifest_of", "temperature", "temperature_by_default",
]  # fmt: skip

Values: TypeAlias = Mapping[str, Any]


def array(x: Any) -> np.ndarray:
    return np.asarray(x, np.float32)


def manifest_of(name: str = "softmax.tflite") -> Manifest:
    return read_personalizable(FOLDER / name).manifest


def dataset_of(x: Values) -> Dataset:
    targets = np.asarray(x["targets"], np.float32)
    samples = np.asarray(x["samples"])
    _, of_row, counts = np.unique(samples, return_inverse=True, return_counts=True)
    fraction = 1 / counts[of_row]
    weights = TASKS[x["task"]].weights(targets, fraction)
    features = [array(x["features"] if "features" in x else np.zeros((len(targets), 1)))]
    return Dataset(features, np.nan_to_num(targets), weights, samples, fraction)


def groups(x: Values) -> Values:
    classes, samples = np.asarray(x["classes"]), np.asarray(x["samples"])
    return {"groups": group_near_duplicates([array(x["features"])], classes, samples)}


def folds(x: Values) -> Values:
    count = len(x["classes"])
    features = [np.broadcast_to(np.float32(0), (count, x["features_per_row"]))]
    targets = np.eye(max(x["classes"]) + 1, dtype=np.float32)[x["classes"]]
    ones = np.ones(count)
    dataset = Dataset(features, targets, ones, np.arange(count), ones)
    return {"folds": assign_validation_folds(dataset, np.asarray(x["groups"]), x["seed"])}


def temperature(x: Values) -> Values:
    dataset = dataset_of(x)
    independent = x["task"] == "multi_label"
    return {
        "temperature": fit_temperature(
            array(x["outputs"]),
            dataset.targets,
            dataset.weights if independent else dataset.sample_fraction,
            prior=x["prior"],
            independent=independent,
        )
    }


def temperature_by_default(x: Values) -> Values:
    return {"temperature": default_temperature(array(x["outputs"]), x["temperature"])}


def _task_manifest(task: str) -> Manifest:
    return replace(manifest_of(), task=task, weights_per_output=task != "classification")


def held_out_loss(x: Values) -> Values:
    held_out = HeldOutOutputs(np.zeros(len(x["targets"]), int), array(x["outputs"]))
    return {"loss": held_out.loss(_task_manifest(x["task"]), dataset_of(x))}


def expected_accuracy(x: Values) -> Values:
    dataset, outputs, of_row = dataset_of(x), array(x["outputs"]), np.asarray(x["folds"])
    held_out = HeldOutOutputs(of_row, outputs)
    result = cross_validate(_task_manifest(x["task"]), dataset, of_row, held_out, outputs)
    rows, is_single = of_row >= 0, x["task"] == "classification"
    return {
        "expected_accuracy": result.accuracy,
        "calibration_error": expected_calibration_error(outputs[rows], dataset.targets[rows])
        if is_single
        else None,
    }


def detector(x: Values) -> Values:
    outputs = None if x["outputs"] is None else array(x["outputs"])
    classes, of_row = np.asarray(x["classes"]), np.asarray(x["folds"])
    fitted = OODDetector.fit([array(x["features"])], classes, of_row, outputs)
    if fitted is None:
        return {"detector": None}
    return {
        "detector": {
            "prototypes": fitted.prototypes,
            "entropy_weight": fitted.entropy_weight,
            "threshold": fitted.threshold,
            "scores": [
                fitted.score([array(p["features"])[np.newaxis]], array(p["output"])[np.newaxis])
                for p in x["probes"]
            ],
        }
    }


def evict(x: Values) -> Values:
    manifest = manifest_of()
    features = np.pad(array(x["features"]), ((0, 0), (0, 9)))
    stores = []
    with SampleStore(None, manifest, max_samples=x["max_samples"]) as store:
        for row, c in zip(features, x["classes"], strict=True):
            store.add([[row[np.newaxis]]], {f"class {c}": 1.0})
            stores.append([sample.id for sample in store.samples()])
    return {"ids": stores}
