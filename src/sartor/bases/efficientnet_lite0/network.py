"""Build the network as a float graph."""

from __future__ import annotations

import numpy as np

from ...graph import DType, Graph, Model, Op, Tensor
from ...ops import add, emit
from .architecture import BLOCKS, HEAD, STEM, Block, Convolution
from .weights import Weights

__all__ = ["INPUT", "build_network"]

INPUT = "image"
_SAME, _RELU6 = 0, 3  # numbers of the schema


def build_network(weights: Weights, size: int) -> Model:
    """Build the float32 classifier for images of `size` x `size` pixels.

    Its outputs are `logits` [1, 1000] and `features_320` [1, 320]. The input of the last layer is
    `features` [1, 1280]; the outputs of the blocks are `block_1` to `block_16`.
    """
    model = Model()
    graph = Graph("main")
    model.graphs.append(graph)
    x = _convolve(graph.input(INPUT, (1, size, size, 3)), STEM, weights)
    for block in BLOCKS:
        x = _block(x, block, weights)
    block_mean = _mean(x, f"features_{x.shape[-1]}")
    features = _mean(_convolve(x, HEAD, weights), "features")
    kernel, bias = weights.classifier()
    logits = emit(
        "FULLY_CONNECTED", features, graph.constant(kernel, "logits/weights"),
        graph.constant(bias, "logits/bias"), name="logits",
    )  # fmt: skip
    graph.outputs = [logits, block_mean]
    return model


def _block(x: Tensor, block: Block, weights: Weights) -> Tensor:
    y = x
    for layer in block.convolutions:
        y = _convolve(y, layer, weights)
    if block.residual:
        y = add(x, y)
        y.name = block.name
    return y


def _convolve(x: Tensor, layer: Convolution, weights: Weights) -> Tensor:
    kernel, bias = weights.folded(layer)
    _, height, width, _ = x.shape
    shape = (1, -(-height // layer.stride), -(-width // layer.stride), bias.size)
    y = x.graph.tensor(layer.name, DType.FLOAT32, shape)
    code = "DEPTHWISE_CONV_2D" if layer.depthwise else "CONV_2D"
    inputs = (
        x,
        x.graph.constant(kernel, f"{layer.name}/weights"),
        x.graph.constant(bias, f"{layer.name}/bias"),
    )
    options = {
        "padding": _SAME,
        "strideH": layer.stride,
        "strideW": layer.stride,
        "fusedActivationFunction": _RELU6 if layer.relu6 else 0,
        "dilationHFactor": 1,
        "dilationWFactor": 1,
    }
    if layer.depthwise:
        options["depthMultiplier"] = 1
    options_type = "DepthwiseConv2DOptions" if layer.depthwise else "Conv2DOptions"
    x.graph.add(Op(code, inputs, (y,), options=options, options_type=options_type))
    return y


def _mean(x: Tensor, name: str) -> Tensor:
    """Return the mean over height and width."""
    return emit("MEAN", x, np.array([1, 2], np.int32), name=name)
