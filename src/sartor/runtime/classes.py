"""Making and wiping classes in what an engine holds."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..contract.manifest import Manifest
from ..contract.names import ACTIVE, CENTER, CLASS_ONE_HOT, SCALE
from ..litert import Engine
from .data.batches import Batch

__all__ = ["ClassMaker"]


class ClassMaker:
    """Calls `set_class`.

    Args:
        engine: holds the model.
        manifest: of its file.
    """

    def __init__(self, engine: Engine, manifest: Manifest) -> None:
        self._engine = engine
        self._manifest = manifest
        self._batch = Batch(manifest)

    def imprint(self, slot: int, features: Sequence[np.ndarray]) -> None:
        """Make a class of its samples: features float32 [n, …] each, the first B of them."""
        self._set(slot, [rows[: self._manifest.batch] for rows in features], active=1)

    def view(self, features: Sequence[np.ndarray]) -> None:
        """Say how features are seen: float32 [n, …] each, n ≤ B, of samples of all classes."""
        slot = np.zeros(self._manifest.capacity, np.float32)
        self._engine.run(
            "set_class",
            {
                **self._batch.of_one_class(features),
                CLASS_ONE_HOT: slot,
                ACTIVE: np.ones(1, np.float32),
            },
        )

    def length_seen(self, features: Sequence[np.ndarray]) -> float | None:
        """The root mean square of the lengths that features are seen with, by the present view.

        Args:
            features: float32 [n, …] each, n ≤ B, of samples of all classes.

        Returns:
            It; None where the head has no view.
        """
        before = self._engine.variables()
        if CENTER not in before or SCALE not in before:
            return None
        self.view(features)
        after = self._engine.variables()
        self._engine.restore(before)
        center, scale = (after[name].astype(np.float64) for name in (CENTER, SCALE))
        spread = (self._manifest.feature_norm or 1.0) / scale[0]
        away = float(np.linalg.norm(center - before[CENTER]))
        return float(before[SCALE][0]) * math.hypot(away, spread)

    def wipe(self, slot: int) -> None:
        """Leave no trace of a class."""
        nothing = [np.zeros((1, *spec.shape), np.float32) for spec in self._manifest.features]
        self._set(slot, nothing, active=0)

    def is_blank(self, slot: int) -> bool:
        """Whether a slot's part of every parameter is zero: then nothing has been learned."""
        state = self._engine.variables()
        return not any(
            state[spec.name].take(slot, spec.class_axis).any()
            for spec in self._manifest.variables
            if spec.role == "parameter" and spec.class_axis is not None
        )

    def _set(self, slot: int, features: Sequence[np.ndarray], *, active: int) -> None:
        chosen = np.zeros(self._manifest.capacity, np.float32)
        chosen[slot] = 1
        inputs = {CLASS_ONE_HOT: chosen, ACTIVE: np.full(1, active, np.float32)}
        self._engine.run("set_class", {**self._batch.of_one_class(features), **inputs})
