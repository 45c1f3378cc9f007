"""The head of a file with tuned layers, as an engine of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..contract.manifest import Manifest
from ..contract.names import FEATURES, HEAD_FEATURES, HEAD_SIGNATURES, RUN_LAYERS
from ..contract.signatures import head_signature, numbered
from .engine import Engine

__all__ = ["HeadEngine", "head_engine", "head_features"]


class HeadEngine(Engine):
    """An engine whose signatures are those of the head behind tuned layers.

    `train`, `evaluate` and `set_class` take the features that the layers compute, and `infer`
    returns them, as in a file without tuned layers. The variables are those of the whole file.

    Args:
        engine: engine of a file with tuned layers; both share its interpreter and its lock.
        size: number of features behind the layers.
    """

    def __init__(self, engine: Engine, size: int) -> None:
        self._engine = engine
        self._size = size
        self.content = engine.content
        self.lock = engine.lock

    def copy(self, *, threads: int = 1) -> HeadEngine:
        """Return the head of another engine on the same content."""
        return HeadEngine(self._engine.copy(threads=threads), self._size)

    def run(self, key: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Call a signature; see `Engine.run`."""
        if key in HEAD_SIGNATURES:
            return self._engine.run(head_signature(key), inputs)
        outputs = self._engine.run(key, inputs)
        if key == "infer":
            outputs[FEATURES] = outputs.pop(HEAD_FEATURES)
        return outputs

    def run_layers(self, features: Sequence[np.ndarray]) -> np.ndarray:
        """Return the features [n, F] of the head.

        Args:
            features: float32 [n, …] for each features tensor of the file.
        """
        rows = [np.zeros((0, self._size), np.float32)]
        for row in range(len(features[0])):
            inputs = {numbered(FEATURES, i): each[row : row + 1] for i, each in enumerate(features)}
            rows.append(self._engine.run(RUN_LAYERS, inputs)[HEAD_FEATURES])
        return np.concatenate(rows)

    def close(self) -> None:
        """Release the memory of both engines."""
        self._engine.close()


def head_engine(engine: Engine, manifest: Manifest) -> Engine:
    """Return the engine of the head: the same one in a file without tuned layers.

    Its features are described by `manifest.of_head()`.
    """
    return engine if manifest.layers is None else HeadEngine(engine, manifest.layers.features)


def head_features(head: Engine, features: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the features of the head, for features of the file.

    Args:
        head: result of `head_engine`.
        features: float32 [n, …] for each features tensor.
    """
    return [head.run_layers(features)] if isinstance(head, HeadEngine) else list(features)
