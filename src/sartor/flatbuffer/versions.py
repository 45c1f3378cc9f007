"""Operator versions: the lowest whose kernel knows an op's types and options.

A runtime refuses a version that it does not have, so an op asks for no more than it needs. The
table follows `tflite/tools/versioning/op_version.cc` of LiteRT. Ops without a row keep the
version that was read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from ..graph import DType, Op, Tensor

__all__ = ["version_of"]

_F32, _F16, _F64, _BF16 = DType.FLOAT32, DType.FLOAT16, DType.FLOAT64, DType.BFLOAT16
_I4, _I8, _I16, _I32, _I64 = DType.INT4, DType.INT8, DType.INT16, DType.INT32, DType.INT64
_U8, _U16, _U32 = DType.UINT8, DType.UINT16, DType.UINT32
_BOOL, _STRING, _COMPLEX = DType.BOOL, DType.STRING, DType.COMPLEX64

_Condition: TypeAlias = Callable[["_View"], Any]
_Rule: TypeAlias = "tuple[int, _Condition]"
"""A version, and what needs it."""


class _View:
    """An op as the rules look at it; what is left out is None."""

    def __init__(self, op: Op) -> None:
        self.op = op
        self.count = len(op.inputs)
        self.x, self.y, self.z = self.dtype(0), self.dtype(1), self.dtype(2)
        self.out = op.outputs[0].dtype if op.outputs else None

    def dtype(self, index: int) -> DType | None:
        """The type of an input."""
        tensor = self.tensor(index)
        return tensor.dtype if tensor is not None else None

    def tensor(self, index: int) -> Tensor | None:
        """An input."""
        return self.op.inputs[index] if index < self.count else None

    def rank(self, index: int = 0) -> int:
        """The rank of an input."""
        tensor = self.tensor(index)
        return tensor.rank if tensor is not None else 0

    def option(self, name: str, default: Any = None) -> Any:
        """An option, or `default` when the op does not state it."""
        return self.op.options.get(name, default)

    def quantized(self, index: int = 0) -> bool:
        """True when an input has a scale."""
        tensor = self.tensor(index)
        return tensor is not None and bool(_scales(tensor))

    def per_channel(self, index: int) -> bool:
        """True when an input has more than one scale."""
        tensor = self.tensor(index)
        return tensor is not None and _scales(tensor) > 1

    @property
    def hybrid(self) -> bool:
        """True for float values with int8 weights."""
        return self.x is _F32 and self.y is _I8 and self.out is _F32

    @property
    def broadcasts_above_4(self) -> bool:
        """True when inputs of different shapes meet, one of more than four axes."""
        first, second = self.tensor(0), self.tensor(1)
        if first is None or second is None or first.shape == second.shape:
            return False
        return max(first.rank, second.rank) > 4

    @property
    def rescale(self) -> float:
        """The product of the inputs' scales over the output's, 0 where there is none."""
        tensors = [self.tensor(0), self.tensor(1), *self.op.outputs[:1]]
        scales = [_first_scale(tensor) for tensor in tensors if tensor is not None]
        if len(scales) < 3 or not all(scales):
            return 0.0
        return scales[0] * scales[1] / scales[2]

    @property
    def grouped(self) -> bool:
        """True for a convolution whose filter sees only a part of the channels."""
        x, weights = self.tensor(0), self.tensor(1)
        if x is None or weights is None or x.rank != 4 or weights.rank != 4:
            return False
        return weights.shape[3] not in (0, x.shape[3])


def _scales(tensor: Tensor) -> int:
    return tensor.quantization.scale.size if tensor.quantization else 0


def _first_scale(tensor: Tensor) -> float:
    return float(np.float32(tensor.quantization.scale[0])) if _scales(tensor) else 0.0  # type: ignore[union-attr]


def _is(*dtypes: DType) -> _Condition:
    return lambda op: op.x in dtypes


def _same(dtype: DType) -> _Condition:
    return lambda op: op.x is dtype and op.out is dtype


def _types(x: DType, y: DType, out: DType) -> _Condition:
    return lambda op: op.x is x and op.y is y and op.out is out


def _rank_above(rank: int) -> _Condition:
    return lambda op: op.rank() > rank


def _hybrid(scheme: str = "asymmetricQuantizeInputs") -> _Condition:
    return lambda op: op.hybrid and op.option(scheme)


_INT8_2: tuple[_Rule, ...] = ((2, _is(_I8)),)
_INT16_3: tuple[_Rule, ...] = ((3, _is(_I16)), *_INT8_2)
_INT16_SAME_3: tuple[_Rule, ...] = ((3, _same(_I16)), *_INT8_2)
_BOTH_2: tuple[_Rule, ...] = ((2, _is(_I8, _I16)),)
_BLOCKS: tuple[_Rule, ...] = ((4, _is(_I16)), (3, lambda op: op.rank() != 4), *_INT8_2)
_PADS: tuple[_Rule, ...] = ((5, _is(_BOOL)), (4, _rank_above(4)), *_INT16_3)
_EXTREMES: tuple[_Rule, ...] = (
    (4, _same(_I16)),
    (3, lambda op: op.broadcasts_above_4),
    *_INT8_2,
)
_ARGS: tuple[_Rule, ...] = ((3, _is(_BOOL)), *_INT8_2)
_RECURRENT: tuple[_Rule, ...] = (
    (3, lambda op: op.y is _I8 and op.out is _F32 and op.option("asymmetricQuantizeInputs")),
    (2, lambda op: op.y is _I8 and op.out is _F32),
)

_RULES: dict[str, tuple[_Rule, ...]] = {
    "ABS": (
        (5, _is(_I32)),
        (3, lambda op: op.x is _I16 and op.quantized()),
        (4, _is(_I16)),
        (2, _is(_I8, _U8)),
    ),
    "ADD": (
        (5, lambda op: op.x is _I16 and not op.quantized()),
        (4, _is(_I64)),
        (3, lambda op: op.x is op.out is _I16 and not op.option("potScaleInt16", True)),
        *_INT8_2,
    ),
    "ARG_MAX": _ARGS,
    "ARG_MIN": _ARGS,
    "AVERAGE_POOL_2D": _INT16_SAME_3,
    "BATCH_MATMUL": (
        *_INT16_3,
        (4, _hybrid()),
    ),
    "BATCH_TO_SPACE_ND": _BLOCKS,
    "BIDIRECTIONAL_SEQUENCE_LSTM": _RECURRENT,
    "BIDIRECTIONAL_SEQUENCE_RNN": _RECURRENT,
    "BROADCAST_TO": ((3, _is(_I8, _I16)), (2, lambda op: True)),
    "CAST": (
        (7, lambda op: _BF16 in (op.x, op.out)),
        (6, lambda op: op.x is _I4 and op.out is _F32),
        (5, lambda op: {op.x, op.out} & {_F64, _F16}),
        (4, lambda op: _U16 in (op.x, op.out)),
        (3, lambda op: _I8 in (op.x, op.out)),
        (2, lambda op: _U32 in (op.x, op.out)),
    ),
    "CONCATENATION": ((4, _is(_U32)), *_INT16_3),
    "CONV_2D": (
        (8, lambda op: _types(_I16, _I8, _I16)(op) and op.option("quantizedBiasType")),
        (6, lambda op: op.grouped),
        (4, _types(_I16, _I16, _I16)),
        (3, _types(_I8, _I8, _I8)),
        (7, _types(_I8, _I4, _I8)),
        (5, lambda op: op.hybrid and op.per_channel(1)),
        (2, lambda op: op.hybrid),
    ),
    "DEPTHWISE_CONV_2D": (
        (5, _types(_I16, _I16, _I16)),
        (6, lambda op: op.hybrid and op.per_channel(1)),
        (4, lambda op: op.hybrid),
        (3, _types(_I8, _I8, _I8)),
        (7, _types(_I8, _I4, _I8)),
        (2, lambda op: op.option("dilationWFactor", 1) != 1),
        (2, lambda op: op.option("dilationHFactor", 1) != 1),
    ),
    "DEPTH_TO_SPACE": _INT8_2,
    "DEQUANTIZE": (
        (6, _is(_I4)),
        (3, _is(_I16, _F16)),
        (5, lambda op: op.x is _I8 and op.per_channel(0)),
        *_INT8_2,
    ),
    "DIV": ((2, lambda op: op.broadcasts_above_4),),
    "DYNAMIC_UPDATE_SLICE": (
        (4, _is(_I16)),
        (3, _is(_F16)),
        (2, lambda op: op.z is _I64),
    ),
    "EMBEDDING_LOOKUP": ((4, lambda op: op.y is _I4 or op.per_channel(1)),),
    "EQUAL": ((4, _is(_I16)), (3, _is(_STRING)), *_INT8_2),
    "EXP": _BOTH_2,
    "FAKE_QUANT": ((2, lambda op: op.option("narrowRange")),),
    "FILL": (
        (4, lambda op: op.y is _F16),
        (3, lambda op: op.y in (_I8, _I16)),
        (2, lambda op: op.y in (_BOOL, _STRING)),
    ),
    "FLOOR_DIV": ((3, _is(_I16, _I8)), (2, _is(_F32))),
    "FLOOR_MOD": _BOTH_2,
    "FULLY_CONNECTED": (
        (13, _types(_I16, _I4, _I16)),
        (12, lambda op: op.hybrid and op.per_channel(1)),
        (11, lambda op: _types(_I16, _I8, _I16)(op) and op.option("quantizedBiasType")),
        (8, lambda op: getattr(op.tensor(1), "sparsity", None) is not None),
        (7, _types(_I16, _I16, _I16)),
        (6, lambda op: op.count == 2),
        (5, lambda op: op.option("keepNumDims")),
        (4, _types(_I8, _I8, _I8)),
        (10, _types(_I8, _I4, _I8)),
        (9, _hybrid()),
        (3, lambda op: op.hybrid),
        (2, lambda op: op.option("weightsFormat")),
    ),
    "GATHER": (
        (7, _is(_I4)),
        (6, lambda op: op.y is _I16),
        (5, lambda op: op.option("batchDims")),
        (4, _is(_I16)),
        (3, _is(_BOOL)),
        *_INT8_2,
    ),
    "GATHER_ND": (
        (5, _is(_BOOL)),
        (4, lambda op: op.y is _I16),
        (3, _is(_I16)),
        (2, _is(_STRING)),
    ),
    "GELU": ((2, _is(_I8, _U8)),),
    "GREATER": _INT8_2,
    "GREATER_EQUAL": _INT16_3,
    "L2_NORMALIZATION": ((2, lambda op: op.out is _I8),),
    "LEAKY_RELU": ((2, _is(_I16)),),
    "LESS": _INT16_3,
    "LESS_EQUAL": _INT8_2,
    "LOG": _BOTH_2,
    "LOGISTIC": _INT16_SAME_3,
    "LOG_SOFTMAX": _INT8_2,
    "LSTM": (
        (2, lambda op: op.option("kernelType")),
        (5, lambda op: op.x is op.out is _I16 and op.z is _I8),
        (
            4,
            lambda op: (
                op.x is op.out is _F32 and op.z is _I8 and op.option("asymmetricQuantizeInputs")
            ),
        ),
        (3, lambda op: op.x is op.out is _F32 and op.z is _I8),
    ),
    "MAXIMUM": _EXTREMES,
    "MAX_POOL_2D": _INT16_SAME_3,
    "MEAN": _INT16_3,
    "MINIMUM": _EXTREMES,
    "MIRROR_PAD": _INT16_3,
    "MUL": (
        (7, lambda op: op.x is _U32 or (op.x is _I16 and not op.quantized())),
        (6, _is(_COMPLEX)),
        (5, _is(_I64)),
        (4, _is(_I16)),
        (3, lambda op: op.rescale >= 1),
        *_INT8_2,
    ),
    "NOT_EQUAL": ((3, _is(_STRING)), *_INT8_2),
    "PACK": ((2, _is(_I8)), (3, _same(_I16)), (4, _is(_U32))),
    "PAD": _PADS,
    "PADV2": _PADS,
    "QUANTIZE": (
        (4, lambda op: _I4 in (op.x, op.out)),
        (3, lambda op: _scales(op.op.outputs[0]) > 1),
        (2, lambda op: op.out is _I16),
    ),
    "RANGE": ((2, _is(_I64)),),
    "REDUCE_MAX": _INT16_3,
    "REDUCE_MIN": _INT16_3,
    "REDUCE_PROD": _BOTH_2,
    "RELU": ((3, _is(_I16)), (2, _is(_I8, _U8))),
    "RELU6": _INT16_3,
    "RESIZE_BILINEAR": (
        (4, _is(_I16)),
        (3, lambda op: op.option("halfPixelCenters")),
        *_INT8_2,
    ),
    "RESIZE_NEAREST_NEIGHBOR": (
        (4, _is(_I16)),
        (3, lambda op: op.option("halfPixelCenters") or op.option("alignCorners")),
        *_INT8_2,
    ),
    "REVERSE_V2": ((3, _is(_I8)), (2, _is(_BOOL))),
    "RNN": _RECURRENT,
    "RSQRT": _INT16_3,
    "SELECT": (
        (4, _is(_U32)),
        (3, lambda op: 5 in (op.rank(0), op.rank(1), op.rank(2))),
        *_INT8_2,
    ),
    "SELECT_V2": ((2, _is(_U32)),),
    "SIGN": ((2, _is(_I32)),),
    "SLICE": (
        (6, _is(_U32)),
        (5, _rank_above(4)),
        (4, _is(_I16)),
        (3, _is(_STRING)),
        *_INT8_2,
    ),
    "SOFTMAX": _INT16_3,
    "SPACE_TO_BATCH_ND": _BLOCKS,
    "SPACE_TO_DEPTH": _INT8_2,
    "SPARSE_TO_DENSE": ((3, lambda op: op.z in (_I8, _U8)), (2, lambda op: op.z is _I64)),
    "SPLIT": (
        (4, lambda op: op.y is _I16),
        (3, lambda op: op.y is _I32),
        (2, lambda op: op.y is _I8),
    ),
    "SPLIT_V": _INT8_2,
    "SQUARED_DIFFERENCE": _INT8_2,
    "SQUEEZE": ((2, _is(_STRING)),),
    "STRIDED_SLICE": (
        (8, lambda op: op.option("offset")),
        (7, _is(_U32)),
        (6, lambda op: op.option("ellipsisMask") or op.option("newAxisMask")),
        (5, _is(_STRING)),
        (4, _rank_above(4)),
        (3, _is(_BOOL)),
        *_INT8_2,
    ),
    "SUB": (
        (5, lambda op: op.x is op.out is _I16 and not op.option("potScaleInt16", True)),
        (4, _is(_I64)),
        (3, lambda op: op.broadcasts_above_4),
        *_INT8_2,
    ),
    "SUM": _INT8_2,
    "SVDF": (
        (3, _is(_I8)),
        (4, _hybrid()),
        (2, lambda op: op.hybrid),
    ),
    "TANH": _INT16_SAME_3,
    "TILE": ((3, _is(_I8)), (2, _is(_STRING))),
    "TOPK_V2": ((3, _is(_I16)), *_INT8_2),
    "TRANSPOSE": (
        (7, _is(_I4)),
        (6, _rank_above(5)),
        (5, _is(_I16)),
        (4, _rank_above(4)),
        (3, _is(_BOOL)),
        *_INT8_2,
    ),
    "TRANSPOSE_CONV": (
        (5, lambda op: op.z is op.out is _I16 and op.option("quantizedBiasType")),
        (4, lambda op: op.option("fusedActivationFunction")),
        (3, lambda op: op.dtype(3) is not None),
        (2, lambda op: op.y is _I8),
    ),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (
        (5, lambda op: op.x is op.out is _I16 and op.z is _I8),
        (4, lambda op: op.option("diagonalRecurrentTensors")),
        (
            3,
            lambda op: (
                op.x is op.out is _F32 and op.z is _I8 and op.option("asymmetricQuantizeInputs")
            ),
        ),
        (2, lambda op: op.x is op.out is _F32 and op.z is _I8),
    ),
    "UNIDIRECTIONAL_SEQUENCE_RNN": _RECURRENT,
    "UNPACK": ((2, _is(_I8, _U8)), (3, _is(_BOOL)), (4, _same(_I16))),
    "WHERE": ((2, lambda op: op.x is not _BOOL),),
}
"""Op → versions with what needs them, the first that applies; none: version 1."""


def version_of(op: Op) -> int:
    """The version to state for an op.

    It is that of the table, or the one that was read where that is lower: the runtimes that took
    it shall take it still. Without a row, it is the one that was read, else 1.
    """
    rules = _RULES.get(op.code)
    if rules is None or not op.outputs:
        return op.version or 1
    view = _View(op)
    lowest = next((version for version, needs in rules if needs(view)), 1)
    return min(lowest, op.version or lowest)
