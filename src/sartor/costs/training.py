"""The cost of one training step of a file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..contract.manifest import FeatureSpec
from ..graph import DType, Op, Tensor
from ..ops import find_row
from ..passes import Plan
from .arena import aligned, tensor_bytes
from .memory import graph_memory
from .multiply_adds import multiply_adds

__all__ = ["TrainingCost", "training_cost"]

_OP = 2_000  # bytes that LiteRT and XNNPACK take for one op of a file: measured for 1,000 ADDs
_INTEGER_TILE, _FLOAT_TILE = 64, 16  # channels that XNNPACK packs together on wide CPUs
_CHANNEL = 8  # bytes of the bias and the scale of a channel


@dataclass(frozen=True)
class TrainingCost:
    """The cost of training, on one thread.

    Attributes:
        memory: bytes that training takes in a process that has loaded LiteRT, without the file: the
            sum of the four parts.
        sample_bytes: bytes of one sample's features in a sample store: integers as they are,
            float16 for floats.
        parameters: number of trained weights and biases.
        variables: bytes of all variables: parameters, the state of the optimizer and others.
        values: bytes of the features, activations and gradients of one step: LiteRT's arena, and
            XNNPACK's workspace.
        weights: bytes of the frozen weights, which XNNPACK packs when a file is opened.
        ops: bytes that LiteRT takes to describe the ops of the file.
        multiply_adds: multiply-adds of one step.
    """

    memory: int
    sample_bytes: int
    parameters: int
    variables: int
    values: int
    weights: int
    ops: int
    multiply_adds: int


def training_cost(plan: Plan) -> TrainingCost:
    """Return the cost of a file under construction.

    Args:
        plan: the parts of the file, with its signatures.
    """
    signatures = {signature.key: signature.graph for signature in plan.model.signatures}
    train = signatures["train"]
    between = graph_memory(train)
    parts = {
        "variables": sum(tensor_bytes(each.initial) for each in plan.variables.values()),
        "values": between.arena + between.workspace,
        "weights": sum(map(_packed_bytes, signatures["infer"].ops)),
        "ops": _OP * sum(len(graph.ops) for graph in plan.model.graphs),
    }
    return TrainingCost(
        memory=sum(parts.values()),
        sample_bytes=_sample_bytes(plan.features),
        parameters=sum(each.initial.size for each in plan.variables_with_role("parameter")),
        multiply_adds=sum(multiply_adds(op) or 0 for op in train.ops),
        **parts,
    )


def _sample_bytes(features: Sequence[FeatureSpec]) -> int:
    return sum(math.prod(each.shape) * _stored_bytes(each) for each in features)


def _stored_bytes(feature: FeatureSpec) -> int:
    dtype = DType[feature.dtype.upper()]
    return 2 if dtype.is_float or feature.scale is None else (dtype.bits or 8) // 8


def _packed_bytes(op: Op) -> int:
    """Return the bytes of a layer's constant weights, biases and scales as XNNPACK packs them."""
    row = find_row(op).weights
    if row is None or row.channel_axis is None or not _is_constant(op.input(row.input)):
        return 0
    weights = op.input(row.input)
    channels = weights.shape[row.channel_axis]
    tile = _FLOAT_TILE if weights.dtype.is_float else _INTEGER_TILE
    return aligned(channels, tile) * (tensor_bytes(weights) // channels + _CHANNEL)


def _is_constant(tensor: Tensor) -> bool:
    """Return whether a tensor is a constant, or one that is dequantized."""
    op = tensor.producer
    return tensor.is_constant or (
        op is not None and op.code == "DEQUANTIZE" and op.input(0).is_constant
    )
