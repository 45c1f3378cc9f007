"""Ops state the lowest version that supports their types and options."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from sartor.flatbuffer.schema import OPERATORS
from sartor.graph import DType, Graph, Op, Quantization, Tensor
from sartor.ops import ROWS, version_of

F32, I8, I16, I32 = DType.FLOAT32, DType.INT8, DType.INT16, DType.INT32
BOOL, STRING, U8, I4 = DType.BOOL, DType.STRING, DType.UINT8, DType.INT4
SPARSE = object()


@dataclass
class Case:
    """An op with the types, shapes, scales and options on which its version depends."""

    code: str
    version: int
    inputs: Sequence[DType | None]
    output: DType = F32
    options: dict[str, Any] = field(default_factory=dict)
    shapes: Sequence[tuple[int, ...]] = ()
    scales: Sequence[int] = ()
    sparsity: object = None
    read: int | None = None

    def __str__(self) -> str:
        types = ", ".join(each.name if each else "-" for each in self.inputs)
        return f"{self.code} {self.version} ({types})"

    def build(self) -> Op:
        graph = Graph()
        output = graph.tensor("y", self.output, (1, 2, 2, 4))
        inputs = [
            None if dtype is None else self._tensor(graph, index, dtype)
            for index, dtype in enumerate(self.inputs)
        ]
        if self.scales:
            output.quantization = _scaled(1)
        return Op(self.code, inputs, (output,), options=self.options, version=self.read)

    def _tensor(self, graph: Graph, index: int, dtype: DType) -> Tensor:
        shape = self.shapes[index] if index < len(self.shapes) else (1, 2, 2, 4)
        tensor = graph.tensor("x", dtype, shape)
        tensor.sparsity = self.sparsity if index == 1 else None
        if index < len(self.scales):
            tensor.quantization = _scaled(self.scales[index])
        return tensor


def _scaled(count: int) -> Quantization:
    return Quantization(np.ones(count, np.float32), np.zeros(count, np.int64))


FIVE, FOUR = (1, 1, 2, 2, 4), (1, 2, 2, 4)
ASYMMETRIC = {"asymmetricQuantizeInputs": True}
CASES = [
    Case("ADD", 1, [F32, F32]),
    Case("ADD", 2, [I8, I8], I8),
    Case("ADD", 3, [I16, I16], I16, {"potScaleInt16": False}, scales=(1, 1)),
    Case("ADD", 1, [I16, I16], I16, scales=(1, 1)),
    Case("ADD", 4, [DType.INT64, DType.INT64], DType.INT64),
    Case("ADD", 5, [I16, I16], I16),
    Case("ABS", 3, [I16], I16, scales=(1,)),
    Case("ABS", 4, [I16], I16),
    Case("ABS", 5, [I32], I32),
    Case("AVERAGE_POOL_2D", 3, [I16], I16),
    Case("BATCH_MATMUL", 1, [F32, F32]),
    Case("BATCH_MATMUL", 4, [F32, I8], F32, ASYMMETRIC),
    Case("BATCH_TO_SPACE_ND", 3, [F32, I32, I32], shapes=[(1, 2, 4)]),
    Case("BROADCAST_TO", 2, [F32, I32]),
    Case("BROADCAST_TO", 3, [I8, I32], I8),
    Case("CAST", 1, [I32]),
    Case("CAST", 2, [DType.UINT32]),
    Case("CAST", 3, [F32], I8),
    Case("CAST", 4, [F32], DType.UINT16),
    Case("CAST", 5, [DType.FLOAT16]),
    Case("CAST", 6, [I4]),
    Case("CAST", 7, [F32], DType.BFLOAT16),
    Case("CONV_2D", 1, [U8, U8, I32], U8),
    Case("CONV_2D", 2, [F32, I8, F32]),
    Case("CONV_2D", 3, [I8, I8, I32], I8),
    Case("CONV_2D", 5, [F32, I8, F32], scales=(0, 4)),
    Case("CONV_2D", 6, [F32, F32, F32], shapes=[FOUR, (4, 1, 1, 2)]),
    Case("CONV_2D", 7, [I8, I4, I32], I8),
    Case("CONV_2D", 8, [I16, I8, I32], I16, {"quantizedBiasType": 4}),
    Case("DEPTHWISE_CONV_2D", 2, [F32, F32, F32], options={"dilationHFactor": 2}),
    Case("DEPTHWISE_CONV_2D", 2, [F32, F32, F32], options={"dilationWFactor": 2}),
    Case("DEPTHWISE_CONV_2D", 3, [I8, I8, I32], I8),
    Case("DEPTHWISE_CONV_2D", 6, [F32, I8, F32], scales=(0, 4)),
    Case("DEQUANTIZE", 1, [U8]),
    Case("DEQUANTIZE", 2, [I8], scales=(1,)),
    Case("DEQUANTIZE", 3, [DType.FLOAT16]),
    Case("DEQUANTIZE", 5, [I8], scales=(4,)),
    Case("DEQUANTIZE", 6, [I4]),
    Case("DIV", 2, [F32, F32], shapes=[FIVE, (4,)]),
    Case("DIV", 1, [F32, F32], shapes=[FIVE, FIVE]),
    Case("FULLY_CONNECTED", 1, [F32, F32, F32]),
    Case("FULLY_CONNECTED", 2, [F32, F32, F32], options={"weightsFormat": 1}),
    Case("FULLY_CONNECTED", 3, [F32, I8, F32]),
    Case("FULLY_CONNECTED", 4, [I8, I8, I32], I8),
    Case("FULLY_CONNECTED", 5, [F32, F32, None], options={"keepNumDims": True}),
    Case("FULLY_CONNECTED", 6, [F32, F32]),
    Case("FULLY_CONNECTED", 7, [I16, I16, I32], I16),
    Case("FULLY_CONNECTED", 8, [F32, F32, F32], sparsity=SPARSE),
    Case("FULLY_CONNECTED", 9, [F32, I8, F32], options=ASYMMETRIC),
    Case("FULLY_CONNECTED", 10, [I8, I4, I32], I8),
    Case("FULLY_CONNECTED", 12, [F32, I8, F32], scales=(0, 4)),
    Case("GATHER", 5, [F32, I32], options={"batchDims": 1}),
    Case("GATHER", 2, [I8, I32], I8),
    Case("LSTM", 2, [F32] * 5, options={"kernelType": 1}),
    Case("LSTM", 4, [F32, None, I8], F32, ASYMMETRIC),
    Case("MAXIMUM", 3, [F32, F32], shapes=[FIVE, (4,)]),
    Case("MUL", 3, [U8, U8], U8, scales=(2, 2)),
    Case("MUL", 2, [I8, I8], I8),
    Case("MUL", 7, [I16, I16], I16),
    Case("PACK", 3, [I16, I16], I16),
    Case("PAD", 4, [F32, I32], shapes=[FIVE]),
    Case("QUANTIZE", 1, [F32], I8),
    Case("QUANTIZE", 2, [F32], I16),
    Case("RESIZE_BILINEAR", 3, [F32, I32], options={"halfPixelCenters": True}),
    Case("SELECT", 3, [BOOL, F32, F32], shapes=[FIVE]),
    Case("SLICE", 5, [F32, I32, I32], shapes=[FIVE]),
    Case("SOFTMAX", 2, [I8], I8),
    Case("SPLIT", 2, [I32, I8], I8),
    Case("STRIDED_SLICE", 6, [F32, I32, I32, I32], options={"newAxisMask": 1}),
    Case("STRIDED_SLICE", 8, [F32, I32, I32, I32], options={"offset": True}),
    Case("SUB", 3, [F32, F32], shapes=[FIVE, (4,)]),
    Case("TRANSPOSE", 4, [F32, I32], shapes=[FIVE]),
    Case("TRANSPOSE_CONV", 3, [I32, F32, F32, F32]),
    Case("TRANSPOSE_CONV", 4, [I32, F32, F32, None], options={"fusedActivationFunction": 1}),
    Case("WHERE", 1, [BOOL], DType.INT64),
    Case("WHERE", 2, [F32], DType.INT64),
    Case("SIN", 1, [F32]),
    Case("SIN", 4, [F32], read=4),
    Case("RELU", 1, [F32], read=3),
    Case("DEQUANTIZE", 2, [DType.FLOAT16], read=2),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_op_states_the_lowest_version(case: Case) -> None:
    assert version_of(case.build()) == case.version


@pytest.mark.parametrize("code", sorted(row.code for row in ROWS.values() if row.versions))
def test_the_rules_of_an_op_accept_each_type(code: str) -> None:
    for dtype, count in itertools.product(DType, range(4)):
        graph = Graph()
        inputs = [graph.tensor("x", dtype, (2, 3)) for _ in range(count)]
        op = Op(code, inputs, (graph.tensor("y", dtype, (2, 3)),))
        assert version_of(op) >= 1


def test_each_op_of_the_schema_has_a_row() -> None:
    assert set(ROWS) == set(OPERATORS.values())
