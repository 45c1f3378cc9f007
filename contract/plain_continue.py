"""Warm starts and added classes of docs/recipe.md in plain NumPy, written from that page alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from plain import Floats, Rows
from plain_detector import Detector
from plain_model import Engine, Model
from plain_training import Training, fit

from sartor.contract.manifest import Manifest

__all__ = ["Continued", "continue_training"]


@dataclass(frozen=True)
class Continued:
    """A model that was trained, got other samples, and was trained by a warm start.

    Attributes:
        added: variables after the samples were added.
        detector: detector after the samples were added.
        variables: variables after the warm start.
        peak: largest learning rate of the warm start.
    """

    added: dict[str, np.ndarray]
    detector: Detector
    variables: dict[str, np.ndarray]
    peak: float


def continue_training(
    engine: Engine, manifest: Manifest, first: Rows, rows: Rows, seed: int
) -> Continued:
    """Train on `first`; then replace all samples by `rows`, and train by a warm start.

    Args:
        engine: the model.
        manifest: its manifest, of a classification.
        first: rows of the first classes.
        rows: rows of some of these classes, and of classes that are added after them.
        seed: seed of both trainings.
    """
    detector = fit(engine, manifest, first, seed).detector
    assert detector is not None
    model = Model(engine, manifest)
    trained = range(first.targets.shape[1])
    for c in range(len(trained), rows.targets.shape[1]):
        x = rows.features[rows.of_class(c)]
        model.set_class(c, x.mean(axis=0, keepdims=True), active=True)
        detector = detector.with_class(c, x.mean(axis=0), len(x))
    added = engine.variables()
    absent = [c for c in trained if not len(rows.of_class(c))]
    training = Training(model, _with_prototypes(rows, detector, absent), seed, warm=True)
    training.stage(0)
    return Continued(added, detector, engine.variables(), training.stages[0].peak)


def _with_prototypes(rows: Rows, detector: Detector, absent: list[int]) -> Rows:
    """Return rows and, as samples, the prototypes of the classes that have none."""
    mask = np.isin(detector.labels, absent)
    vectors, labels = detector.prototypes[mask], detector.labels[mask]
    length = np.sqrt((rows.features**2).sum(axis=1)).mean()
    features: Floats = vectors * length / np.sqrt((vectors**2).sum(axis=1, keepdims=True))
    targets = np.eye(rows.targets.shape[1])[labels]
    samples = rows.samples.max() + 1 + np.arange(len(labels))
    return Rows(
        np.concatenate([rows.features, features]),
        np.concatenate([rows.targets, targets]),
        np.concatenate([rows.samples, samples]),
        rows.single,
    )
