"""The state of a model: weights, class names, and the out-of-distribution detector."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from .._arguments import check_integer
from ..contract.names import OUTPUT
from ..errors import DataError
from ..litert import Engine, head_engine, read_personalizable
from .class_names import ClassNames
from .classes import ClassWeights
from .confidence.imprinted import calibrate
from .confidence.out_of_distribution import OODDetector
from .data.head_rows import head_rows
from .new_classes import NewClasses
from .results.records import History
from .saved.adapt import adapt
from .saved.checkpoint import Checkpoint

__all__ = ["ModelState", "Variables"]

Variables = Mapping[str, np.ndarray]

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
        samples_seen: number of samples added so far, including earlier sessions.
        history: history of the training that gave the weights, or None.
    """

    def __init__(self, path: Path, threads: int | None = None) -> None:
        if threads is not None:
            check_integer(threads, "threads", 1, _MAX_THREADS)
        threads = threads or min(2, os.cpu_count() or 1)
        file = read_personalizable(path)
        self.manifest = manifest = file.manifest
        self._engine = Engine(path, manifest, threads=threads, content=file.content)
        self._head, self._head_manifest = head_engine(self._engine, manifest), manifest.of_head()
        self.samples_seen = 0
        self.history: History | None = None
        self._app: dict[str, np.ndarray] = {}
        self._weights = ClassWeights(self._head, self._head_manifest)
        self._classes = ClassNames(manifest.classes, manifest.class_keys)
        self._new = NewClasses(self._head_manifest.features)
        self._before: Variables = {}  # the present training
        self._detector: OODDetector | None = None
        self._new.include(self._untrained())

    @property
    def engine(self) -> Engine:
        """The engine that predicts, with the weights that follow from all samples."""
        with self._engine.lock:
            self._imprint_changed()
        return self._engine

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
        """Names of the classes that no training has changed."""
        return tuple(self._new.means)

    def features(self, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Return the features of one sample: float32 [1, …] for each features tensor."""
        outputs = self._engine.run("infer", inputs)
        return [outputs[spec.name] for spec in self.manifest.features]

    def predict(self, inputs: Mapping[str, np.ndarray]) -> tuple[dict[str, float], bool | None]:
        """Return class name → output, and whether the sample is in-distribution, or None.

        Raises:
            DataError: If an output is not finite.
        """
        with self._engine.lock:
            self._imprint_changed()
            outputs = self._head.run("infer", inputs)
            class_indices, detector = self.class_indices, self._detector
        output = outputs[OUTPUT]
        if not np.isfinite(output).all():
            raise DataError(
                "the output has values that are not finite: the model cannot process this input. "
                "Use another input, or check the model with `sartor verify`"
            )
        in_distribution = None
        if detector is not None:
            features = [outputs[spec.name] for spec in self._head_manifest.features]
            in_distribution = detector.is_in_distribution(features, output)
        return {name: float(output[0, i]) for name, i in class_indices.items()}, in_distribution

    def is_new(self, label: str) -> bool:
        """Return whether no training has changed the weights of a class."""
        return label in self._new or label not in self.class_indices

    def needs_samples(self, label: str) -> bool:
        """Return whether the weights of a class do not follow from any samples yet."""
        return self.is_new(label) and not self._new.has_samples(label)

    def untrained(self) -> list[str]:
        """Return the names of the classes whose weights are zero, after imprinting."""
        with self._engine.lock:
            self._imprint_changed()
            return self._untrained()

    def add_sample(self, label: str, features: Sequence[np.ndarray] | None) -> None:
        """Imprint a class from one more sample, unless it is trained; a new class gets an index.

        Args:
            label: name of the class.
            features: float32 [n, …] for each features tensor; None if it does not show the class.

        Raises:
            DataError: If no class index is free.
        """
        with self._engine.lock:
            self._add_class(label)
            if features is not None and label in self._new.means:
                self._new.add_samples(label, head_rows(self._head, features))

    def imprint(self, classes: Mapping[str, Sequence[np.ndarray]]) -> None:
        """Imprint the classes that are not trained from all their samples; see `add_sample`.

        Args:
            classes: class name → features of its samples; n may be 0.
        """
        with self._engine.lock:
            for label, features in classes.items():
                self._add_class(label)
                rows = head_rows(self._head, features) if label in self._new else []
                if rows and len(rows[0]):
                    self._new.set_samples(label, rows)

    def remove(self, label: str) -> None:
        """Clear a class, so that its index is free."""
        with self._engine.lock:
            self._clear(self._classes.remove(label), label)

    def rename(self, old: str, new: str) -> None:
        """Rename a class."""
        with self._engine.lock:
            self._classes.rename(old, new)
            self._new.rename({old: new})

    def follow(self, stored: Mapping[str, str | None]) -> None:
        """Rename and remove the classes that were renamed and removed in a store.

        Args:
            stored: class key → name, or None for a removed class.
        """
        with self._engine.lock:
            before, self._classes = self._classes, self._classes.following(stored)
            renamed = {}
            for index, (old, new) in enumerate(zip(before.names, self._classes.names, strict=True)):
                if old is not None and new is None:
                    self._clear(index, old)
                elif old is not None and new is not None:
                    renamed[old] = new
            self._new.rename(renamed)

    def begin_training(self) -> tuple[dict[str, np.ndarray], OODDetector | None]:
        """Return the variables and the detector; classes that are added after this call are new."""
        with self._engine.lock:
            self._before = variables = self.engine.variables()
            self._new.begin_training()
            return variables, self._detector

    def publish(self, variables: Variables, detector: OODDetector | None) -> None:
        """Replace all weights at once, and imprint the new classes again beside them."""
        with self._engine.lock:
            self._engine.restore(variables)
            self._detector = detector
            self._new.end_training(has_failed=variables is self._before)
            self._new.include(self._untrained())

    def forget_samples(self, remaining: Mapping[str, Sequence[np.ndarray]]) -> None:
        """Remove all that was computed from single samples.

        Args:
            remaining: name of a new class → features [n, …] of its remaining samples.
        """
        with self._engine.lock:
            self._detector = None
            for label, features in remaining.items():
                self._new.set_samples(label, head_rows(self._head, features))

    def keep_loaded_weights(self) -> None:
        """Treat the imprinted classes whose samples are not here as trained."""
        with self._engine.lock:
            elsewhere = [x for x in self._new.means if not self._new.has_samples(x)]
            self._new.exclude({*elsewhere} - {*self._untrained()})

    def checkpoint(self) -> Checkpoint:
        """Return the present state as a checkpoint."""
        with self._engine.lock:
            variables, detector = self.engine.variables(), self._detector
            return Checkpoint(
                classes=tuple(self._classes.names),
                class_keys=self._classes.complete_keys(),
                fingerprints=self.manifest.fingerprints,
                variables=variables,
                imprinted=tuple(filter(self._new.has_samples, self._new.means)),
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
        with self._engine.lock:
            adapted = adapt(checkpoint, self.manifest, self._engine.initial_variables(), name)
            detector = self._detector_of(checkpoint)
            self._engine.restore(adapted.variables)
            self._classes = ClassNames(adapted.classes, adapted.class_keys)
            self._new = NewClasses(self._head_manifest.features)
            self._new.include(self.class_indices.keys() & {*checkpoint.imprinted})
            self._new.include(self._untrained())
            self._detector = detector
            self.samples_seen = checkpoint.samples_seen
            self.history = None
            self._app = dict(checkpoint.app)
        return adapted.notes

    def close(self) -> None:
        """Release the memory."""
        self._engine.close()

    def _add_class(self, label: str) -> None:
        """Give a class index to a class that has none."""
        if label in self.class_indices:
            return
        if not self.free_classes:
            raise DataError(f"the model has no free class for {label!r}")
        self._classes.add(label)
        self._new.add_class(label)

    def _untrained(self) -> list[str]:
        """Return the names of the classes whose weights are zero."""
        zero = self._weights.are_zero()
        return [label for label, index in self.class_indices.items() if zero[index]]

    def _imprint_changed(self) -> None:
        """Imprint the classes that have got samples since the last call."""
        if not self._new.changed:
            return
        indices = self.class_indices
        for index, label in sorted((indices[label], label) for label in self._new.changed):
            mean = self._new.means[label]
            self._weights.imprint(index, mean.row())
            if self._detector is not None and mean.count:
                self._detector = self._detector.with_class(index, mean.row(), mean.count)
        self._new.changed.clear()
        if self.manifest.task == "classification" and indices.keys() == self._new.means.keys():
            rows = [self._new.means[label].row() for label in indices]
            calibrate(self._head, self._head_manifest, rows)

    def _clear(self, index: int, label: str) -> None:
        """Clear the weights of a class that was removed."""
        self._weights.clear(index)
        self._new.exclude([label])
        if self._detector is not None:
            self._detector = self._detector.without_class(index)

    def _detector_of(self, checkpoint: Checkpoint) -> OODDetector | None:
        if checkpoint.ood_threshold is None:
            return None
        size = sum(math.prod(spec.shape) for spec in self._head_manifest.features)
        return OODDetector.from_arrays(
            checkpoint.ood, checkpoint.ood_threshold, size, len(checkpoint.classes)
        )
