"""The state of a model: weights, class names, and the out-of-distribution detector."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from .._arguments import check_integer
from ..contract.names import FEATURES, OUTPUT, TEMPERATURE
from ..contract.signatures import numbered
from ..errors import DataError
from ..litert import Engine, read_personalizable
from .class_names import ClassNames
from .classes import ClassWeights
from .confidence.out_of_distribution import OODDetector
from .confidence.temperature import default_temperature
from .data.batches import Batch, evaluate_batches
from .data.dataset import unlabelled_dataset
from .results.records import History
from .saved.adapt import adapt
from .saved.checkpoint import Checkpoint

__all__ = ["ModelState"]

_MAX_THREADS = 1024


class ModelState:
    """The weights, the class names and the out-of-distribution detector of a model.

    A checkpoint holds this state. Every method may be called from any thread, and sees the state
    before or after another one, never a part of a change.

    Args:
        path: path of the model file.
        threads: number of threads of one call. Default: 2, or 1 on a single core.

    Attributes:
        manifest: manifest of the file.
        engine: engine that predicts.
        samples_seen: number of samples added so far, including earlier sessions.
        history: history of the training that gave the weights, or None.
    """

    def __init__(self, path: Path, threads: int | None = None) -> None:
        if threads is not None:
            check_integer(threads, "threads", 1, _MAX_THREADS)
        threads = threads or min(2, os.cpu_count() or 1)
        file = read_personalizable(path)
        self.manifest = manifest = file.manifest
        self.engine = Engine(path, manifest, threads=threads, content=file.content)
        self.samples_seen = 0
        self.history: History | None = None
        self._app: dict[str, np.ndarray] = {}
        self._weights = ClassWeights(self.engine, manifest)
        self._classes = ClassNames(manifest.classes, manifest.class_keys)
        # Imprinted class → True if samples showed it. False: there were none, so the weights are
        # provisional, and the first sample imprints the class again.
        self._imprinted: dict[str, bool] = {}
        self._new_classes: dict[str, Sequence[np.ndarray]] = {}  # since the last training
        self._detector: OODDetector | None = None
        self._is_trained = not all(self.is_untrained(name) for name in self.class_indices)

    @property
    def class_indices(self) -> dict[str, int]:
        """Class name → class index, in the order of the indices."""
        return self._classes.indices

    @property
    def class_keys(self) -> dict[str, str]:
        """Class name → key, of the classes that have a key."""
        return self._classes.keys_by_name()

    @property
    def free_classes(self) -> int:
        """Number of free class indices."""
        return self._classes.free

    @property
    def new_classes(self) -> tuple[str, ...]:
        """Names of the imprinted classes that were in no training."""
        return tuple(self._new_classes)

    def features(self, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Return the features of one sample: float32 [1, …] for each features tensor."""
        return self._features_of(self.engine.run("infer", inputs))

    def predict(self, inputs: Mapping[str, np.ndarray]) -> tuple[dict[str, float], bool | None]:
        """Return class name → output, and whether the sample is in-distribution, or None."""
        with self.engine.lock:
            outputs = self.engine.run("infer", inputs)
            class_indices, detector = self.class_indices, self._detector
        output = outputs[OUTPUT]
        in_distribution = None
        if detector is not None:
            in_distribution = detector.is_in_distribution(self._features_of(outputs), output)
        return {name: float(output[0, i]) for name, i in class_indices.items()}, in_distribution

    def is_imprinted(self, label: str) -> bool:
        """Return whether a class has weights from samples: imprinted, or trained before."""
        return self._imprinted.get(label, False)

    def is_untrained(self, label: str) -> bool:
        """Return whether all weights of a class are zero."""
        return self._weights.is_untrained(self.class_indices[label])

    def imprint(self, classes: Mapping[str, Sequence[np.ndarray]]) -> None:
        """Imprint classes that have no weights from samples yet.

        Args:
            classes: class name → features of its samples, float32 [n, …] for each features
                tensor. n may be 0.

        Raises:
            DataError: If there are more classes than free class indices.
        """
        with self.engine.lock:
            changes = [self._imprint(label, features) for label, features in classes.items()]
            if any(changes):
                self._set_default_temperature()

    def remove(self, label: str) -> None:
        """Clear a class, so that its index is free."""
        with self.engine.lock:
            self._clear(self._classes.remove(label), label)

    def rename(self, old: str, new: str) -> None:
        """Rename a class."""
        with self.engine.lock:
            self._classes.rename(old, new)
            self._follow_names({old: new})

    def follow(self, stored: Mapping[str, str | None]) -> None:
        """Rename and remove the classes that were renamed and removed in a store.

        Args:
            stored: class key → name, or None for a removed class.
        """
        with self.engine.lock:
            before, self._classes = self._classes, self._classes.following(stored)
            renamed = {}
            for index, (old, new) in enumerate(zip(before.names, self._classes.names, strict=True)):
                if old is not None and new is None:
                    self._clear(index, old)
                elif old is not None and new is not None:
                    renamed[old] = new
            self._follow_names(renamed)

    def begin_training(self) -> tuple[dict[str, np.ndarray], OODDetector | None]:
        """Return the variables and the detector; classes imprinted after this call are new."""
        with self.engine.lock:
            self._new_classes = {}
            return self.engine.variables(), self._detector

    def publish(self, variables: Mapping[str, np.ndarray], detector: OODDetector | None) -> None:
        """Replace all weights at once, and imprint the new classes again beside them."""
        with self.engine.lock:
            self.engine.restore(variables)
            self._is_trained = True
            for label, features in self._new_classes.items():
                index = self.class_indices[label]
                self._weights.imprint(index, features)
                if detector is not None and len(features[0]):
                    detector = detector.with_class(index, features)
            self._detector = detector

    def forget_samples(self, remaining: Mapping[str, Sequence[np.ndarray]]) -> None:
        """Remove all that was computed from single samples.

        Args:
            remaining: name of a new class → features [n, …] of its remaining samples.
        """
        with self.engine.lock:
            self._detector = None
            for label, features in remaining.items():
                self._new_classes[label] = self._first_batch(features)
                self._weights.imprint(self.class_indices[label], features)

    def checkpoint(self) -> Checkpoint:
        """Return the present state as a checkpoint."""
        with self.engine.lock:
            detector = self._detector
            return Checkpoint(
                classes=tuple(self._classes.names),
                class_keys=self._classes.complete_keys(),
                fingerprints=self.manifest.fingerprints,
                variables=self.engine.variables(),
                samples_seen=self.samples_seen,
                ood_threshold=None if detector is None else detector.threshold,
                ood={} if detector is None else detector.to_arrays(),
                app=self._app,
            )

    def load(self, checkpoint: Checkpoint, name: str) -> tuple[str, ...]:
        """Replace the state by a checkpoint.

        Args:
            checkpoint: checkpoint to load.
            name: name of the checkpoint in messages.

        Returns:
            Messages about parts that do not fit the model and were not loaded.

        Raises:
            CheckpointError: If it belongs to another model; nothing is changed.
        """
        with self.engine.lock:
            adapted = adapt(checkpoint, self.manifest, self.engine.initial_variables(), name)
            detector = self._detector_of(checkpoint)
            self.engine.restore(adapted.variables)
            self._classes = ClassNames(adapted.classes, adapted.class_keys)
            self._imprinted = {}
            self._new_classes = {}
            self._detector = detector
            self._is_trained = True
            self.samples_seen = checkpoint.samples_seen
            self.history = None
            self._app = dict(checkpoint.app)
        return adapted.notes

    def close(self) -> None:
        """Release the memory."""
        self.engine.close()

    def _imprint(self, label: str, features: Sequence[np.ndarray]) -> bool:
        """Imprint a class, and return whether that changed its weights."""
        if self.is_imprinted(label):
            return False
        has_index = label in self._classes.names
        if not has_index and not self.free_classes:
            raise DataError(f"the model has no free class for {label!r}")
        index = self._classes.names.index(label if has_index else None)
        is_new = not has_index or label in self._imprinted or self._weights.is_untrained(index)
        if is_new:
            self._weights.imprint(index, features)
            if not has_index:
                self._classes.add(label)
            self._new_classes[label] = self._first_batch(features)
            if self._detector is not None and len(features[0]):
                self._detector = self._detector.with_class(index, features)
        self._imprinted[label] = len(features[0]) > 0
        return is_new

    def _clear(self, index: int, label: str) -> None:
        """Clear the weights of a class that was removed."""
        self._weights.clear(index)
        self._imprinted.pop(label, None)
        self._new_classes.pop(label, None)
        if self._detector is not None:
            self._detector = self._detector.without_class(index)

    def _follow_names(self, renamed: Mapping[str, str]) -> None:
        """Rename the classes in what is known of them.

        Args:
            renamed: old name → new name.
        """
        self._imprinted = {renamed.get(name, name): x for name, x in self._imprinted.items()}
        self._new_classes = {renamed.get(name, name): x for name, x in self._new_classes.items()}

    def _first_batch(self, features: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [rows[: self.manifest.batch_size] for rows in features]

    def _features_of(self, outputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        return [outputs[numbered(FEATURES, i)] for i in range(len(self.manifest.features))]

    def _detector_of(self, checkpoint: Checkpoint) -> OODDetector | None:
        if checkpoint.ood_threshold is None:
            return None
        size = sum(math.prod(spec.shape) for spec in self.manifest.features)
        return OODDetector.from_arrays(
            checkpoint.ood, checkpoint.ood_threshold, size, len(checkpoint.classes)
        )

    def _set_default_temperature(self) -> None:
        """Set a temperature that is about right for classes that were only imprinted."""
        if self._is_trained or self.manifest.task != "classification":
            return
        features = [np.concatenate(each) for each in zip(*self._new_classes.values(), strict=True)]
        if not len(features[0]):  # all samples are held out
            return
        variables = self.engine.variables()
        self.engine.restore({**variables, TEMPERATURE: np.ones(1, np.float32)})
        _, outputs = evaluate_batches(
            self.engine, Batch(self.manifest), unlabelled_dataset(self.manifest, features)
        )
        temperature = np.full(1, default_temperature(outputs), np.float32)
        self.engine.restore({**variables, TEMPERATURE: temperature})
