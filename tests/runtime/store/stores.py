"""Stores, manifests and samples for the tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from sartor.contract.manifest import (
    FeatureSpec,
    Fingerprints,
    HeadSpec,
    LossSpec,
    Manifest,
    OptimizerSpec,
)
from sartor.contract.specs import StepSpec
from sartor.runtime.store import SampleStore

SIZE = 24
HALF = FeatureSpec("features", (SIZE,))
INT8 = FeatureSpec("features", (SIZE,), "int8", 0.05, -3)


def manifest(*specs: FeatureSpec, task: str = "classification", base: str = "the base") -> Manifest:
    """Return a manifest with the fields that a store reads."""
    return Manifest(
        inputs=(),
        features=specs or (HALF,),
        batch_size=8,
        classes=(None,) * 4,
        task=task,
        weights_per_output=task != "classification",
        head=HeadSpec("any", {}),
        loss=LossSpec("any", {}, curvature=1.0),
        optimizer=OptimizerSpec("any", {}, StepSpec(adaptive=False)),
        learning_rate=None,
        weight_decay=None,
        variables=(),
        fingerprints=Fingerprints(base, "head", "optimizer"),
    )


def feature_row(seed: int, *specs: FeatureSpec) -> list[np.ndarray]:
    """Return one row of features, with values that each encoding stores exactly."""
    rng = np.random.default_rng(seed)
    return [_exact(spec, rng.integers(-100, 100, (1, *spec.shape))) for spec in specs or (HALF,)]


def _exact(spec: FeatureSpec, integers: np.ndarray) -> np.ndarray:
    exact: np.ndarray = (integers - (spec.zero_point or 0)).astype(np.float32)
    exact *= np.float32(spec.scale or 1 / 64)
    return exact


def create_store(path: Path | None, count: int = 12, **options: Any) -> SampleStore:
    """Return a store with samples of three classes; some are held out or augmented."""
    store = SampleStore(path, manifest(), **options)
    with store.transaction():
        for number in range(count):
            add(store, number)
    return store


def add(store: SampleStore, number: int) -> int:
    """Add a sample whose attributes depend on its number."""
    return store.add(
        [feature_row(100 * number + each) for each in range(1 + number % 3)],
        {("hat", "shoes", "dress")[number % 3]: 1.0},
        source=secret(number, "source"),
        held_out=number % 5 == 4,
        thumbnail=secret(number, "thumbnail"),
        photo=secret(number, "photo") * 20,
    )


def secret(number: int, name: str) -> bytes:
    """Return 32 bytes that occur nowhere else."""
    return np.random.default_rng([number, *name.encode()]).bytes(32)


def content(store: SampleStore) -> object:
    """Return the whole content of a store, for comparison."""
    rows = store.select()
    return (
        store.samples(),
        store.counts(),
        rows.classes,
        rows.samples.tobytes(),
        rows.targets.tobytes(),
        [array.tobytes() for array in rows.features],
        [store.thumbnails(label, 100) for label in rows.classes],
        list(store.photos()),
    )


def files(path: Path) -> Iterator[bytes]:
    """Yield the content of each file of a store."""
    for each in sorted(path.parent.glob(path.name + "*")):
        yield each.read_bytes()
