"""The temperature of a model whose classes are imprinted and not trained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...contract.manifest import Manifest
from ...contract.names import TEMPERATURE
from ...litert import Engine
from ..data.batches import Batch, evaluate_batches
from ..data.dataset import unlabelled_dataset

__all__ = ["calibrate", "imprinted_temperature"]

_FRACTION = 0.4  # of the standard deviation of the logits
_TINY = float(np.finfo(np.float32).tiny)


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
    temperature = imprinted_temperature(outputs, float(variables[TEMPERATURE][0]))
    engine.restore({**variables, TEMPERATURE: np.full(1, temperature, np.float32)})


def imprinted_temperature(probabilities: np.ndarray, temperature: float) -> float:
    """Return the temperature at which the logits of class means have a standard deviation of 2.5.

    On eight sets of photos and sounds the expected calibration error is 10.7 points at 1 to 50
    samples per class; at temperature 1, it is 29 to 60.

    Args:
        probabilities: float [N, C], outputs for the means of the samples of N classes; columns of
            free class indices are 0.
        temperature: temperature of these outputs.

    Returns:
        A temperature above 0; 1 for a single class or a uniform output.
    """
    logits = np.log(np.maximum(probabilities[:, probabilities.any(0)], _TINY), dtype=np.float64)
    if logits.shape[1] < 2:
        return 1.0
    deviation = temperature * float((logits - logits.mean(1, keepdims=True)).std())
    return _FRACTION * deviation if deviation > 0 else 1.0
