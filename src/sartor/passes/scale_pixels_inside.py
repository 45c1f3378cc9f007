"""Move the image scaling of an input into the graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..contract.manifest import InputSpec
from ..graph import Graph, Model, Op
from ..modalities import modality_of

__all__ = ["scale_pixels_inside"]


def scale_pixels_inside(model: Model, specs: Sequence[InputSpec]) -> tuple[InputSpec, ...]:
    """Move image scaling that one scale and zero point cannot express into the graph.

    A 1 x 1 depthwise convolution scales each channel. Its per-channel int8 weights are exact.

    Args:
        model: a float model with one signature; changed in place.
        specs: specs of its inputs.

    Returns:
        The specs after the change.
    """
    graph, (signature,) = model.main, model.signatures
    scaled = tuple(
        _insert_scaling(graph, index, spec)
        if modality_of(spec).is_normalized(spec)
        and modality_of(spec).per_tensor_range(spec) is None
        else spec
        for index, spec in enumerate(specs)
    )
    signature.inputs = dict(zip(signature.inputs, graph.inputs, strict=True))
    return scaled


def _insert_scaling(graph: Graph, index: int, spec: InputSpec) -> InputSpec:
    """Insert `x / std − mean / std` as the first op."""
    scaled, channels = graph.inputs[index], spec.shape[-1]
    pixels = graph.tensor(scaled.name, scaled.dtype, scaled.shape)
    scaled.name = f"{scaled.name}_scaled"
    std = np.broadcast_to(np.array(spec.std, np.float32), (channels,))
    mean = np.broadcast_to(np.array(spec.mean, np.float32), (channels,))
    weights = graph.constant((1 / std).reshape(1, 1, 1, channels), "pixel_scale")
    bias = graph.constant(-mean / std, "pixel_offset")
    options = {
        "padding": 1, "strideW": 1, "strideH": 1, "depthMultiplier": 1,
        "dilationWFactor": 1, "dilationHFactor": 1, "fusedActivationFunction": 0,
    }  # fmt: skip
    op = Op(
        "DEPTHWISE_CONV_2D", (pixels, weights, bias), (scaled,),
        options=options, options_type="DepthwiseConv2DOptions",
    )  # fmt: skip
    graph.ops.insert(0, op)
    graph.inputs[index] = pixels
    return replace(spec, mean=(0.0,), std=(1.0,))
