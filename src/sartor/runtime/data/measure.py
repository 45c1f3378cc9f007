"""What a model answers to many samples at once."""

from __future__ import annotations

import numpy as np

from ...contract.names import LOSS, OUTPUT
from ...litert import Engine
from .batches import Batch
from .dataset import TrainingSet

__all__ = ["measure"]


def measure(engine: Engine, batch: Batch, samples: TrainingSet) -> tuple[float, np.ndarray]:
    """The mean loss by the samples' weights, and the outputs [N, C]; nothing is learned.

    Args:
        engine: holds the model.
        batch: is filled anew.
        samples: at least one.
    """
    outputs, loss = [], 0.0
    for start in range(0, len(samples), batch.size):
        rows = np.arange(start, min(start + batch.size, len(samples)))
        found = engine.run("evaluate", batch.labelled(samples, rows))
        loss += float(found[LOSS][0]) * float(samples.weights[rows].sum())
        outputs.append(found[OUTPUT][: len(rows)])
    return loss / float(samples.weights.sum()), np.concatenate(outputs)
