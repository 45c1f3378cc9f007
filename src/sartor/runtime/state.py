"""What a model knows: weights in one engine, the names of its classes, and what is unknown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ..contract.manifest import Manifest
from ..contract.names import FEATURES, OUTPUT, TEMPERATURE
from ..contract.signatures import numbered
from ..errors import DataError
from ..litert import Engine
from .classes import ClassMaker
from .confidence.out_of_distribution import Familiarity
from .confidence.temperature import default_temperature
from .data.batches import Batch
from .data.dataset import unlabelled
from .data.measure import measure
from .saved.adapt import adapt
from .saved.checkpoint import Checkpoint

__all__ = ["Knowledge"]


class Knowledge:
    """All that a checkpoint holds, at work.

    Every method may be called from any thread; each sees what one `publish` has set, never a part
    of it.

    Attributes:
        engine: that predicts.

    Args:
        path: of the file.
        manifest: what it says of itself.
        threads: that one call may use.
    """

    def __init__(self, path: Path, manifest: Manifest, threads: int) -> None:
        self.engine = Engine(path, manifest, threads=threads)
        self._manifest = manifest
        self._maker = ClassMaker(self.engine, manifest)
        self._slots: list[str | None] = list(manifest.classes)
        self._made: dict[str, bool] = {}  # class → of samples, and not of nothing
        self._fresh: dict[str, Sequence[np.ndarray]] = {}
        self._familiarity: Familiarity | None = None
        self._is_trained = not all(self.is_blank(name) for name in self.slots)

    @property
    def slots(self) -> dict[str, int]:
        """Class name → its slot, in the order of the slots."""
        return {name: slot for slot, name in enumerate(self._slots) if name is not None}

    @property
    def room(self) -> int:
        """How many more classes there can be."""
        return self._slots.count(None)

    def features(self, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """The features [1, …] of one sample."""
        return self._features_in(self.engine.run("infer", inputs))

    def answer(self, inputs: Mapping[str, np.ndarray]) -> tuple[dict[str, float], bool | None]:
        """Class name → output of one sample, and whether it is like what was taught, if told."""
        with self.engine.lock:
            outputs = self.engine.run("infer", inputs)
            slots, familiarity = self.slots, self._familiarity
        output = outputs[OUTPUT]
        known = None
        if familiarity is not None:
            score = familiarity.score(self._features_in(outputs), output)
            known = score >= familiarity.threshold
        return {name: float(output[0, slot]) for name, slot in slots.items()}, known

    def has_made(self, label: str) -> bool:
        """Whether a class was made of samples, or was found to be taught already."""
        return self._made.get(label, False)

    def make(self, classes: Mapping[str, Sequence[np.ndarray]]) -> None:
        """Make classes of their first samples, but those that have been taught already.

        Args:
            classes: name → features, float32 [n, …] each.

        Raises:
            DataError: there is no room for one.
        """
        with self.engine.lock:
            made = [self._make(label, features) for label, features in classes.items()]
            if any(made):
                self._guess_temperature()

    def _make(self, label: str, features: Sequence[np.ndarray]) -> bool:
        """Make one class; whether anything has changed."""
        if self.has_made(label):
            return False
        known = label in self._slots
        if not known and not self.room:
            raise DataError(f"there is no room for {label!r}")
        slot = self._slots.index(label if known else None)
        is_new = not known or label in self._made or self._maker.is_blank(slot)
        if is_new:
            self._maker.imprint(slot, features)
            self._slots[slot] = label
            self._fresh[label] = [rows[: self._manifest.batch] for rows in features]
            if self._familiarity is not None and len(features[0]):
                self._familiarity = self._familiarity.including(slot, features)
        self._made[label] = len(features[0]) > 0
        return is_new

    def remove(self, label: str) -> None:
        """Leave no trace of a class: its slot is free."""
        with self.engine.lock:
            slot = self._slots.index(label)
            self._maker.wipe(slot)
            self._slots[slot] = None
            self._made.pop(label, None)
            self._fresh.pop(label, None)
            if self._familiarity is not None:
                self._familiarity = self._familiarity.without(slot)

    def rename(self, old: str, new: str) -> None:
        """Give a class another name."""
        with self.engine.lock:
            self._slots[self._slots.index(old)] = new
            if old in self._made:
                self._made[new] = self._made.pop(old)
            if old in self._fresh:
                self._fresh[new] = self._fresh.pop(old)

    def is_blank(self, label: str) -> bool:
        """Whether nothing has been learned of a class."""
        return self._maker.is_blank(self.slots[label])

    def begin(self) -> tuple[dict[str, np.ndarray], Familiarity | None]:
        """What a training starts from: every variable, and what tells the unknown."""
        with self.engine.lock:
            self._fresh = {}
            return self.engine.variables(), self._familiarity

    def publish(self, state: Mapping[str, np.ndarray], familiarity: Familiarity | None) -> None:
        """Set all weights at once.

        Classes that were made since `begin` are not in them, and are made again beside them.
        """
        with self.engine.lock:
            self.engine.restore(state)
            self._is_trained = True
            for label, features in self._fresh.items():
                slot = self.slots[label]
                self._maker.imprint(slot, features)
                if familiarity is not None and len(features[0]):
                    familiarity = familiarity.including(slot, features)
            self._familiarity = familiarity

    @property
    def fresh(self) -> tuple[str, ...]:
        """The classes that no training has seen: their weights are directions of their samples."""
        return tuple(self._fresh)

    def forget_samples(self, left: Mapping[str, Sequence[np.ndarray]]) -> None:
        """Keep nothing that is made of single samples.

        Args:
            left: fresh class → features [n, …] of the samples that it still has.
        """
        with self.engine.lock:
            self._familiarity = None
            for label, features in left.items():
                self._fresh[label] = [rows[: self._manifest.batch] for rows in features]
                self._maker.imprint(self.slots[label], features)

    def checkpoint(self, samples_seen: int, app: Mapping[str, np.ndarray]) -> Checkpoint:
        """All of it as it is now."""
        with self.engine.lock:
            known = self._familiarity
            return Checkpoint(
                classes=tuple(self._slots),
                fingerprints=self._manifest.fingerprints,
                state=self.engine.variables(),
                samples_seen=samples_seen,
                threshold=None if known is None else known.threshold,
                unknown={} if known is None else known.to_arrays(),
                app=app,
            )

    def take(self, checkpoint: Checkpoint, name: str) -> tuple[str, ...]:
        """Know what a checkpoint knows, and nothing else.

        Args:
            checkpoint: as it was read.
            name: what to call it in a message.

        Returns:
            What could not be taken over, in words.

        Raises:
            CheckpointError: it belongs to another model; nothing is changed.
        """
        with self.engine.lock:
            familiarity = self._familiarity_of(checkpoint)
            adapted = adapt(checkpoint, self._manifest, self.engine.initial_variables(), name)
            self.engine.restore(adapted.state)
            self._slots = list(adapted.classes)
            self._made = {}
            self._fresh = {}
            self._familiarity = familiarity
            self._is_trained = True
        return adapted.notes

    def _features_in(self, outputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        return [outputs[numbered(FEATURES, i)] for i in range(len(self._manifest.features))]

    def _familiarity_of(self, checkpoint: Checkpoint) -> Familiarity | None:
        if checkpoint.threshold is None:
            return None
        size = sum(math.prod(spec.shape) for spec in self._manifest.features)
        return Familiarity.from_arrays(checkpoint.unknown, checkpoint.threshold, size)

    def _guess_temperature(self) -> None:
        """Be as sure of classes that were only imprinted as is right on the average."""
        if self._is_trained or self._manifest.task != "classification":
            return
        features = [np.concatenate(each) for each in zip(*self._fresh.values(), strict=True)]
        if not len(features[0]):  # all samples are held out
            return
        state = self.engine.variables()
        self.engine.restore({**state, TEMPERATURE: np.ones(1, np.float32)})
        _, outputs = measure(
            self.engine, Batch(self._manifest), unlabelled(self._manifest, features)
        )
        temperature = np.full(1, default_temperature(outputs), np.float32)
        self.engine.restore({**state, TEMPERATURE: temperature})
