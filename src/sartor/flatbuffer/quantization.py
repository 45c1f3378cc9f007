"""Quantization parameters: from the schema's tables to `Quantization`, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..graph import Graph, Quantization, Tensor
from .decode import find_item
from .layout import Record
from .schema import TENSOR_FIELDS

__all__ = ["quantization_record", "read_quantization", "split_details"]


def read_quantization(record: Record, graph: Graph) -> Quantization | None:
    """Return quantization parameters, or None if the table is empty."""
    details = record["details"]
    if details is not None:
        name, fields = details
        details = (
            name,
            {
                key: _read_detail(graph, value) if key in TENSOR_FIELDS else value
                for key, value in fields.items()
            },
        )
    arrays = [record["scale"], record["zeroPoint"], record["min"], record["max"]]
    scale, zero_point, minimum, maximum = (
        array if array is not None and array.size else None for array in arrays
    )
    if scale is zero_point is minimum is maximum is details is None:
        return None
    return Quantization(
        np.zeros(0, np.float32) if scale is None else scale,
        np.zeros(0, np.int64) if zero_point is None else zero_point,
        record["quantizedDimension"],
        minimum,
        maximum,
        details,
    )


def _read_detail(graph: Graph, index: int) -> Tensor | None:
    """Return the tensor of block-wise scales or zero points."""
    return None if index < 0 else find_item(graph.tensors, index, "a tensor of block-wise scales")


def quantization_record(tensor: Tensor, numbers: Mapping[Tensor, int]) -> Record | None:
    """Return the schema table of a tensor's quantization parameters, or None without any."""
    quantization = tensor.quantization
    if quantization is None:
        return None
    record: Record = {
        "scale": quantization.scale if quantization.scale.size else None,
        "zeroPoint": quantization.zero_point if quantization.zero_point.size else None,
        "min": quantization.minimum,
        "max": quantization.maximum,
        "quantizedDimension": quantization.axis,
    }
    if quantization.details is not None:
        name, fields = split_details(quantization)
        record["details"] = (
            name,
            {
                key: _detail_number(value, numbers) if key in TENSOR_FIELDS else value
                for key, value in fields.items()
            },
        )
    return record


def _detail_number(tensor: Tensor | None, numbers: Mapping[Tensor, int]) -> int:
    return -1 if tensor is None else numbers[tensor]


def split_details(quantization: Quantization) -> tuple[str, Record]:
    """Return the table and the fields of a block-wise or other scheme."""
    details: Any = quantization.details
    return details[0], details[1]
