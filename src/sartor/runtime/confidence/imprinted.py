"""The temperature of a model whose classes are imprinted and not trained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...contract.manifest import Manifest
from ...contract.names import TEMPERATURE
from ...litert import Engine
from ..data.batches import Batch, evaluate_batches
from ..data.dataset import unlabelled_dataset
from .temperature import default_temperature

__all__ = ["calibrate"]


def calibrate(engine: Engine, manifest: Manifest, means: Sequence[Sequence[np.ndarray]]) -> None:
    """Set the temperature of a model whose classes are all imprinted.

    Args:
        engine: engine that holds the model.
        manifest: manifest of the model, a classifier.
        means: for each class, the mean of its samples: float32 [1, …] for each features tensor, or
            [0, …] if there are none. The first B means count.
    """
    rows = [np.concatenate(each)[: manifest.batch_size] for each in zip(*means, strict=True)]
    if not len(rows[0]):
        return
    variables = engine.variables()
    _, outputs = evaluate_batches(engine, Batch(manifest), unlabelled_dataset(manifest, rows))
    temperature = default_temperature(outputs, float(variables[TEMPERATURE][0]))
    engine.restore({**variables, TEMPERATURE: np.full(1, temperature, np.float32)})
