"""Small convolutional bases and images for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image

from sartor.flatbuffer import write
from sartor.graph import DType, Graph, Model, Op, Quantization, Tensor
from sartor.ops import dequantize, flatten, fully_connected, relu, transpose

SIZE = 16
SHAPE = (1, SIZE, SIZE, 3)


def convolution(x: Tensor, filters: np.ndarray, bias: np.ndarray, name: str = "conv") -> Tensor:
    """Return a convolution of stride 2 with ReLU; filters are [O, K, K, I]."""
    graph = x.graph
    _, height, width, _ = x.shape
    y = graph.tensor(name, DType.FLOAT32, (1, height // 2, width // 2, len(filters)))
    inputs = (x, graph.constant(filters.astype(np.float32)), graph.constant(bias))
    options = {
        "padding": 0, "strideW": 2, "strideH": 2, "dilationWFactor": 1, "dilationHFactor": 1,
        "fusedActivationFunction": 1,
    }  # fmt: skip
    graph.add(Op("CONV_2D", inputs, (y,), options=options, options_type="Conv2DOptions"))
    return y


def layers(x: Tensor, *, gain: float = 1.0, dead: bool = False) -> Tensor:
    """Return two convolutions and a classifier.

    Args:
        x: an image.
        gain: scale of the first layer's weights; about 1 for images of −1…1.
        dead: whether half of the first layer's channels are constants.
    """
    rng = np.random.default_rng(0)
    first = gain * rng.normal(size=(8, 3, 3, 3)) / 3
    bias = rng.random(8).astype(np.float32)
    if dead:
        first[4:], bias[4:] = 1e-12, 0.7
    hidden = convolution(x, first, bias, "first")
    second = rng.normal(size=(12, 3, 3, 8)) / 8
    hidden = convolution(hidden, second, np.zeros(12, np.float32), "second")
    flat = relu(flatten(hidden))
    flat.name = "flat"
    weights = rng.normal(size=(5, flat.shape[-1])).astype(np.float32)
    return fully_connected(flat, weights, np.zeros(5, np.float32))


def base(shape: tuple[int, ...] = SHAPE, *, gain: float = 1.0, dead: bool = False) -> bytes:
    """Return a float base that takes images; channels come first if `shape[1]` is 3."""
    graph, model = Graph("main"), Model()
    image = graph.input("x", shape)
    if shape[1] == 3:
        image = transpose(image, (0, 2, 3, 1))
    graph.outputs = [layers(image, gain=gain, dead=dead)]
    model.graphs.append(graph)
    return write(model)


def quantized_input(
    scale: float,
    zero_point: int,
    dtype: DType = DType.UINT8,
    *,
    shape: tuple[int, ...] = (1, 8, 8, 3),
) -> Model:
    """Return a base with a quantized input, whose features are the dequantized pixels."""
    graph, model = Graph("main"), Model()
    x = graph.input("x", shape, dtype)
    x.quantization = Quantization(np.array([scale], np.float32), np.array([zero_point], np.int64))
    reals = flatten(dequantize(x))
    weights = np.ones((2, x.size), np.float32)
    graph.outputs = [fully_connected(reals, weights, np.zeros(2, np.float32))]
    model.graphs.append(graph)
    return model


def save_images(folder: Path, classes: int = 3, count: int = 8) -> Path:
    """Save a folder of images per class; each class has a color."""
    rng = np.random.default_rng(0)
    colors = rng.integers(40, 215, (classes, 3))
    for label, color in enumerate(colors):
        (folder / f"class {label}").mkdir(parents=True)
        for index in range(count):
            noise = rng.normal(size=(SIZE, SIZE, 3)) * 25 + rng.normal() * 10
            pixels = np.clip(color + noise, 0, 255).astype(np.uint8)
            PIL.Image.fromarray(pixels).save(folder / f"class {label}" / f"{index}.png")
    return folder
