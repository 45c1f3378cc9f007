"""Write models for the tests of the browser library: python make_models.py FOLDER."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import sartor
from sartor.flatbuffer import write
from sartor.graph import Graph, Model
from sartor.ops import flatten, fully_connected, mean, relu, softmax

__all__ = ["image_base"]


def image_base() -> Model:
    """Return a base: an image [1, 24, 16, 3], its mean colors, 16 features, a classifier."""
    random = np.random.default_rng(3)
    graph = Graph("image base")
    x = graph.input("image", (1, 24, 16, 3))
    rows = flatten(mean(x, [2]))
    hidden = relu(fully_connected(rows, _weights(random, 16, 72), _weights(random, 16)))
    hidden.name = "hidden"
    graph.outputs = [softmax(fully_connected(hidden, _weights(random, 5, 16)))]
    model = Model()
    model.graphs.append(graph)
    return model


def _weights(random: np.random.Generator, *shape: int) -> np.ndarray:
    return random.normal(0, 0.3, shape).astype(np.float32)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for name, classes in (("image", 4), ("larger", 6)):
        model = sartor.convert(
            write(image_base()), classes=classes, preprocessing="-1..1", batch_size=8
        )
        model.save(folder / f"{name}.tflite")
