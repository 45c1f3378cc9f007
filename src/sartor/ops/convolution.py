"""Convolutions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from ..graph import Op, Tensor
from ._conv_gradient import (
    conv_as_product,
    conv_gradient,
    transpose_conv_as_product,
    transpose_conv_gradient,
)
from ._depthwise_gradient import depthwise_gradient, depthwise_in_parts
from ._np_convolution import np_conv, np_depthwise, np_transpose_conv
from ._shapes import check_bias, constant_ints, required
from ._versions import I4, I8, I16, types
from ._windows import window_of
from .builder import emit
from .registry import NOT_DIFFERENTIABLE, NOT_SUPPORTED, OpRow, Shape, Spec, Weights, register

_LAYER = {1: "weights", 2: "bias"}


def _infer_conv(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> list[Spec]:
    x, weights = required(inputs[0]), required(inputs[1])
    channels, height, width, depth = weights.shape
    rows, columns = window_of(x.shape, (height, width), options)
    groups, rest = divmod(x.shape[3], depth)
    if rest or channels % groups:
        raise ValueError(f"{x.shape[3]} channels do not fill groups of {depth}")
    return [((x.shape[0], rows.output, columns.output, channels), x.dtype)]


def _infer_depthwise(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> list[Spec]:
    x, weights = required(inputs[0]), required(inputs[1])
    one, height, width, channels = weights.shape
    rows, columns = window_of(x.shape, (height, width), options)
    if one != 1 or channels != x.shape[3] * options["depthMultiplier"]:
        raise ValueError(f"a filter {list(weights.shape)} for {list(x.shape)}")
    return [((x.shape[0], rows.output, columns.output, channels), x.dtype)]


def _infer_transposed(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> list[Spec]:
    shape, weights, x = constant_ints(inputs[0]), required(inputs[1]), required(inputs[2])
    channels, height, width, depth = weights.shape
    windows = tuple(axis.output for axis in window_of(shape, (height, width), options))
    if x.shape != (shape[0], *windows, depth) or shape[3] != channels:
        raise ValueError(f"{list(x.shape)} and weights {list(weights.shape)} for {list(shape)}")
    return [(shape, x.dtype)]


def _conv_output(op: Op) -> Shape:
    check_bias(op, op.input(1).shape[0])
    return _infer_conv(op.inputs, op.options)[0][0]


def _depthwise_output(op: Op) -> Shape:
    check_bias(op, op.input(1).shape[3])
    return _infer_depthwise(op.inputs, op.options)[0][0]


def _depthwise_any_batch(op: Op, inputs: Sequence[Tensor | None], _: int) -> Tensor:
    """Emit at most 3,000 channels in one op if the weights are not constant."""
    if required(inputs[1]).is_constant:
        return emit(op.code, *inputs, name=op.output.name, **op.options)
    return depthwise_in_parts(op, inputs)


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


_DILATION = {"dilationHFactor": 1, "dilationWFactor": 1}  # the defaults of the schema

register(
    OpRow(
        "CONV_2D", gradients=(conv_gradient,) * 3, infer=_infer_conv, reference=np_conv,
        options="Conv2DOptions", defaults=_DILATION, fast_form=conv_as_product, activation=True,
        weights=Weights(1, channel_axis=0, bias=2), weight_formats=("int8", "float16"),
        parameters=_LAYER, multiply_adds=_count_conv,
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
        "DEPTHWISE_CONV_2D", gradients=(depthwise_gradient,) * 3, infer=_infer_depthwise,
        reference=np_depthwise, options="DepthwiseConv2DOptions",
        defaults={"depthMultiplier": 1, **_DILATION}, any_batch=_depthwise_any_batch,
        activation=True, weights=Weights(1, channel_axis=3, bias=2),
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
        "TRANSPOSE_CONV", integers=(0,),
        gradients=(NOT_DIFFERENTIABLE, *[transpose_conv_gradient] * 3), infer=_infer_transposed,
        reference=np_transpose_conv, options="TransposeConvOptions",
        any_batch=lambda op, inputs, _: transpose_conv_as_product(op, inputs),
        fast_form=transpose_conv_as_product, activation=True,
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
        gradients=(NOT_DIFFERENTIABLE, NOT_SUPPORTED), multiply_adds=_count_transposed, inputs=3,
        optional_from=3,
    ),
    family="Convolutions",
)  # fmt: skip
