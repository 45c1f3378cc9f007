"""Convolutions."""

from __future__ import annotations

from math import prod

from ..graph import Op
from ._shapes import check_bias, window_output
from ._versions import I4, I8, I16, types
from .registry import NOT_DIFFERENTIABLE, NOT_SUPPORTED, OpRow, Shape, Weights, register

_LAYER = {1: "weights", 2: "bias"}


def _conv_output(op: Op) -> Shape:
    channels, height, width, depth = op.input(1).shape
    if op.input(0).shape[3] % depth:
        raise ValueError(f"{op.input(0).shape[3]} channels do not fill groups of {depth}")
    check_bias(op, channels)
    return window_output(op, (height, width), channels)


def _depthwise_output(op: Op) -> Shape:
    one, height, width, channels = op.input(1).shape
    if one != 1 or channels != op.input(0).shape[3] * op.options["depthMultiplier"]:
        raise ValueError(f"a filter {list(op.input(1).shape)} for {list(op.input(0).shape)}")
    check_bias(op, channels)
    return window_output(op, (height, width), channels)


def _count_conv(op: Op) -> int:
    """Each output sums over a window of all channels: weights [out, height, width, in]."""
    return op.output.size * prod(op.input(1).shape[1:])


def _count_depthwise(op: Op) -> int:
    """Each output sums over a window of one channel: weights [1, height, width, out]."""
    return op.output.size * prod(op.input(1).shape[1:-1])


def _count_3d(op: Op) -> int:
    """Each output sums over a window of all channels: weights [depth, height, width, in, out]."""
    return op.output.size * prod(op.input(1).shape[:-1])


def _count_transposed(op: Op) -> int:
    """Each input goes into a window of all output channels: weights [..., in]."""
    weights = op.input(1)
    return op.input(2).size * (weights.size // weights.shape[-1])


_TRANSPOSED = (NOT_DIFFERENTIABLE, NOT_SUPPORTED)  # the first input lists the output's shape

register(
    OpRow(
        "CONV_2D", activation=True, weights=Weights(1, channel_axis=0, bias=2),
        weight_formats=("int8", "float16"), parameters=_LAYER, multiply_adds=_count_conv,
        output_shape=_conv_output, inputs=3, optional_from=2,
        versions=(
            (8, lambda op: types(I16, I8, I16)(op) and op.option("quantizedBiasType")),
            (6, lambda op: op.grouped),
            (4, types(I16, I16, I16)),
            (3, types(I8, I8, I8)),
            (7, types(I8, I4, I8)),
            (5, lambda op: op.hybrid and op.per_channel(1)),
            (2, lambda op: op.hybrid),
        ),
    ),
    OpRow(
        # No int8 format: XNNPACK does not run an int8 filter on floats, and LiteRT's own kernel
        # takes up to a hundred times as long as float.
        "DEPTHWISE_CONV_2D", activation=True, weights=Weights(1, channel_axis=3, bias=2),
        weight_formats=("float16",), parameters=_LAYER, multiply_adds=_count_depthwise,
        output_shape=_depthwise_output, inputs=3, optional_from=2,
        versions=(
            (5, types(I16, I16, I16)),
            (6, lambda op: op.hybrid and op.per_channel(1)),
            (4, lambda op: op.hybrid),
            (3, types(I8, I8, I8)),
            (7, types(I8, I4, I8)),
            (2, lambda op: op.option("dilationWFactor", 1) != 1),
            (2, lambda op: op.option("dilationHFactor", 1) != 1),
        ),
    ),
    OpRow(
        "TRANSPOSE_CONV", integers=(0,), gradients=_TRANSPOSED, activation=True,
        weights=Weights(1, channel_axis=0, bias=3, data=2), weight_formats=("int8", "float16"),
        parameters={1: "weights", 3: "bias"}, multiply_adds=_count_transposed, inputs=3,
        optional_from=3, size_input=0, shape_input=0,
        versions=(
            (5, lambda op: op.z is op.out is I16 and op.option("quantizedBiasType")),
            (4, lambda op: op.option("fusedActivationFunction")),
            (3, lambda op: op.dtype(3) is not None),
            (2, lambda op: op.y is I8),
        ),
    ),
    OpRow(
        "CONV_3D", activation=True, weights=Weights(1, channel_axis=4, bias=2), parameters=_LAYER,
        multiply_adds=_count_3d, inputs=2, optional_from=2,
    ),
    OpRow(
        "CONV_3D_TRANSPOSE", integers=(0,),
        gradients=_TRANSPOSED, multiply_adds=_count_transposed, inputs=3,
        optional_from=3,
    ),
    family="Convolutions",
)  # fmt: skip
