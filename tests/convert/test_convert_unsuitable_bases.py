"""Errors of `convert` for bases and features that do not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from convert_bases import (
    SIZE,
    batch_mixed_in,
    cast_to_float,
    classifier,
    file,
    indices,
    two_inputs,
)

import sartor
from sartor.errors import ConversionError
from sartor.flatbuffer import read, write
from sartor.ops import relu

WRONG: dict[str, tuple[Callable[[], bytes], dict[str, Any], str]] = {
    "no weights": (lambda: file(relu), {}, "no layer with weights"),
    "wrong name": (lambda: file(classifier), {"features": "hiden"}, "Similar names: 'hidden'"),
    "a duplicate name": (
        lambda: file(classifier), {"features": ["hidden", "hidden"]}, "'hidden' twice",
    ),
    "integers": (lambda: file(indices), {"features": "best"}, "<INT32 .1. 'best'> cannot be"),
    "free sizes": (lambda: free_sizes(), {}, r"axes of variable size: \[-1, -1\]"),
    "no batch axis": (lambda: file(relu, ()), {"features": "relu"}, "no batch axis"),
    "a batch mixed with another axis": (
        lambda: file(batch_mixed_in, (4, 2, 6)), {}, "4 in the inputs of the base and 8",
    ),
    "batches that differ": (
        lambda: two_batches(), {}, r"one sample \(.*\): LiteRT cannot load the model",
    ),
    "text": (lambda: text(), {"features": "hidden"}, "UINT8; export the part of the model after"),
    "constant features": (lambda: constant_features(), {}, "do not depend on any input"),
}  # fmt: skip


def free_sizes() -> bytes:
    model = read(file(classifier))
    model.main.inputs[0].shape_signature = (-1, -1)
    return write(model)


def two_batches() -> bytes:
    model = two_inputs()
    for tensor, batch in zip(model.main.inputs, (2, 3), strict=True):
        tensor.shape = (batch, *tensor.shape[1:])
    return write(model)


def text() -> bytes:
    return file(lambda x: classifier(cast_to_float(x)), dtype="STRING")


def constant_features() -> bytes:
    model = read(file(classifier))
    graph = model.main
    graph.ops[0].set_inputs(
        [graph.constant(np.ones((1, SIZE), np.float32)), *graph.ops[0].inputs[1:]]
    )
    return write(model)


@pytest.mark.parametrize("name", WRONG)
def test_unsuitable_bases_raise_an_error(name: str) -> None:
    base, options, message = WRONG[name]
    with pytest.raises(ConversionError, match=message):
        sartor.convert(base(), classes=3, **options)
