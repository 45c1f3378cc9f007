"""The signatures of a personalizable file: names, shapes and types of their inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from .names import (
    ACTIVE,
    CLASS_ONE_HOT,
    DONE,
    FEATURES,
    HEAD_FEATURES,
    HEAD_SIGNATURES,
    LABELS,
    LEARNING_RATE,
    LOSS,
    OUTPUT,
    RUN,
    RUN_LAYERS,
    SAMPLE_WEIGHTS,
)

__all__ = ["TensorSpec", "head_signature", "numbered", "signatures"]

_Signatures: TypeAlias = "dict[str, tuple[dict[str, TensorSpec], dict[str, TensorSpec]]]"


@dataclass(frozen=True)
class TensorSpec:
    """The shape and type of an input or output of a signature.

    Attributes:
        shape: exact shape, of rank 1 or more.
        dtype: `float32`, `int32` or `uint8`.
    """

    shape: tuple[int, ...]
    dtype: str = "float32"


def numbered(name: str, index: int) -> str:
    """Return the name of one of several tensors: `features`, `features_1` and so on."""
    return name if index == 0 else f"{name}_{index}"


def head_signature(key: str) -> str:
    """Return the name of a signature of `HEAD_SIGNATURES` for the head alone."""
    return f"{key}_head"


def signatures(
    *,
    inputs: Mapping[str, TensorSpec],
    features: Sequence[tuple[int, ...]],
    batch_size: int,
    capacity: int,
    weights_per_output: bool,
    variables: Mapping[str, tuple[int, ...]],
    head_features: int | None = None,
) -> _Signatures:
    """Return the signatures of a file: key → (inputs, outputs), each name → shape and type.

    Args:
        inputs: inputs of the base, with a batch of 1.
        features: shape of each features tensor, without the batch.
        batch_size: B, the rows of one training step.
        capacity: C, the largest number of classes.
        weights_per_output: whether a sample has a weight for each output.
        variables: name → shape of each variable.
        head_features: number of features behind tuned layers. Default: no tuned layers.
    """
    scalar = TensorSpec((1,))

    def rows(count: int) -> dict[str, TensorSpec]:
        shapes = enumerate(features)
        return {numbered(FEATURES, i): TensorSpec((count, *shape)) for i, shape in shapes}

    output = TensorSpec((batch_size, capacity))
    row_weights = {SAMPLE_WEIGHTS: TensorSpec((batch_size,))}
    weights = {SAMPLE_WEIGHTS: output} if weights_per_output else row_weights
    samples = {**rows(batch_size), LABELS: output, **weights}
    results = {LOSS: scalar, OUTPUT: output}
    state = {name: TensorSpec(shape) for name, shape in variables.items()}
    run, done = {RUN: scalar}, {DONE: scalar}
    result: _Signatures = {
        "infer": (dict(inputs), {OUTPUT: TensorSpec((1, capacity)), **rows(1)}),
        "train": ({**samples, LEARNING_RATE: scalar}, results),
        "evaluate": (samples, results),
        "set_class": (
            {
                CLASS_ONE_HOT: TensorSpec((capacity,)),
                **rows(batch_size),
                **row_weights,
                ACTIVE: scalar,
            },
            done,
        ),
        "save": (run, state),
        "restore": (state, done),
        "initialize": (run, done),
    }
    if head_features is None:
        return result
    behind = {HEAD_FEATURES: TensorSpec((1, head_features))}
    result["infer"][1].update(behind)
    head = signatures(
        inputs={}, features=[(head_features,)], batch_size=batch_size, capacity=capacity,
        weights_per_output=weights_per_output, variables={},
    )  # fmt: skip
    for key in HEAD_SIGNATURES:
        result[head_signature(key)] = head[key]
    result[RUN_LAYERS] = (rows(1), behind)
    return result
