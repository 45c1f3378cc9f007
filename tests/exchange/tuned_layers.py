"""Write a model with tuned layers and its trainings in Python: python tuned_layers.py FOLDER."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

import sartor
from sartor.flatbuffer import write
from sartor.graph import Graph, Model
from sartor.heads import FineTune
from sartor.ops import emit, fully_connected, mean, softmax

__all__ = ["base", "probes", "samples"]


def base() -> Model:
    """Return a base: two convolutions, the mean of 8 channels, a classifier."""
    random = np.random.default_rng(3)
    graph = Graph("base")
    x = graph.input("map", (1, 6, 5, 3))
    for channels in (6, 8):
        x = emit(
            "CONV_2D", x, _values(random, channels, 3, 3, x.shape[3]), _values(random, channels),
            strideH=1, strideW=1, fusedActivationFunction=1,
        )  # fmt: skip
    logits = fully_connected(mean(x, [1, 2]), _values(random, 5, 8), None)
    graph.outputs = [softmax(logits)]
    model = Model()
    model.graphs.append(graph)
    return model


def samples() -> dict[str, list[np.ndarray]]:
    """Return class name → 7 inputs, around a pattern of the class."""
    random = np.random.default_rng(4)
    patterns = {name: random.normal(size=(6, 5, 3)) for name in "abc"}
    return {
        name: [
            (pattern + 0.7 * random.normal(size=(6, 5, 3))).astype(np.float32)[None]
            for _ in range(7)
        ]
        for name, pattern in patterns.items()
    }


def probes() -> list[np.ndarray]:
    """Return the last sample of each class, and 6 inputs of noise."""
    noise = np.random.default_rng(5).normal(size=(6, 1, 6, 5, 3)).astype(np.float32)
    return [*(rows[-1] for rows in samples().values()), *noise]


def _values(random: np.random.Generator, *shape: int) -> np.ndarray:
    return random.normal(0, 0.3, shape).astype(np.float32)


def _training(path: Path, depth: str) -> dict[str, object]:
    """Train on all but the last sample of each class, and return the outputs for the probes."""
    with sartor.PersonalModel(path) as model:
        for name, inputs in samples().items():
            for each in inputs[:-1]:
                model.add_sample(each, name)
        imprinted = [model.predict_values(each) for each in probes()]
        history = model.fit(depth=depth)
        outputs = [model.predict_values(each) for each in probes()]
        in_distribution = [model.predict(each).in_distribution for each in probes()]
        model.save(path.parent / f"{path.stem}_{depth}.safetensors")
    return {
        "imprinted": imprinted,
        "outputs": outputs,
        "in_distribution": in_distribution,
        "depth": history.depth,
        "accuracy": history.expected_accuracy,
        "steps": history.steps,
    }


if __name__ == "__main__":
    file = Path(sys.argv[1]) / "tuned.tflite"
    sartor.convert(write(base()), classes=4, head=FineTune(1), batch_size=8).save(file)
    inputs = {name: [each.ravel().tolist() for each in rows] for name, rows in samples().items()}
    trainings = {depth: _training(file, depth) for depth in ("head", "layers", "auto")}
    rows = [each.ravel().tolist() for each in probes()]
    print(json.dumps({"samples": inputs, "probes": rows, "trainings": trainings}))
