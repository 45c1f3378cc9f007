"""Conditions on which the version of an operator depends.

A runtime refuses a version that it does not have, so an op states the lowest version whose kernel
supports its types and options. The rules in the rows follow `tflite/tools/versioning/op_version.cc`
of LiteRT.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from ..graph import DType, Op, Tensor

Condition: TypeAlias = Callable[["OpView"], Any]
VersionRule: TypeAlias = "tuple[int, Condition]"
"""A version and the condition under which an op needs it."""

F32, F16, F64, BF16 = DType.FLOAT32, DType.FLOAT16, DType.FLOAT64, DType.BFLOAT16
I4, I8, I16, I32, I64 = DType.INT4, DType.INT8, DType.INT16, DType.INT32, DType.INT64
U8, U16, U32 = DType.UINT8, DType.UINT16, DType.UINT32
BOOL, STRING, COMPLEX = DType.BOOL, DType.STRING, DType.COMPLEX64


class OpView:
    """An op as the conditions see it.

    Attributes:
        op: the op.
        count: number of inputs.
        x, y, z: types of the first three inputs, or None.
        out: type of the first output, or None.
    """

    def __init__(self, op: Op) -> None:
        self.op = op
        self.count = len(op.inputs)
        self.x, self.y, self.z = self.dtype(0), self.dtype(1), self.dtype(2)
        self.out = op.outputs[0].dtype if op.outputs else None

    def dtype(self, index: int) -> DType | None:
        """Return the type of an input, or None if it is left out."""
        tensor = self.tensor(index)
        return tensor.dtype if tensor is not None else None

    def tensor(self, index: int) -> Tensor | None:
        """Return an input, or None if it is left out."""
        return self.op.inputs[index] if index < self.count else None

    def rank(self, index: int = 0) -> int:
        """Return the rank of an input."""
        tensor = self.tensor(index)
        return tensor.rank if tensor is not None else 0

    def option(self, name: str, default: Any = None) -> Any:
        """Return an option, or `default` if the op does not state it."""
        return self.op.options.get(name, default)

    def quantized(self, index: int = 0) -> bool:
        """Return True if an input has a scale."""
        tensor = self.tensor(index)
        return tensor is not None and bool(count_scales(tensor))

    def per_channel(self, index: int) -> bool:
        """Return True if an input has more than one scale."""
        tensor = self.tensor(index)
        return tensor is not None and count_scales(tensor) > 1

    @property
    def hybrid(self) -> bool:
        """True for float activations with int8 weights."""
        return self.x is F32 and self.y is I8 and self.out is F32

    @property
    def asymmetric(self) -> bool:
        """True if the op quantizes its float input with a zero point."""
        return bool(self.option("asymmetricQuantizeInputs"))

    @property
    def broadcasts_above_4(self) -> bool:
        """True if inputs of different shapes are broadcast, one of more than four axes."""
        first, second = self.tensor(0), self.tensor(1)
        if first is None or second is None or first.shape == second.shape:
            return False
        return max(first.rank, second.rank) > 4

    @property
    def rescale(self) -> float:
        """The product of the inputs' scales over the output's scale, or 0 without scales."""
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


def lowest_version(op: Op, rules: Sequence[VersionRule]) -> int:
    """Return the version of the first rule that applies, or 1."""
    view = OpView(op)
    return next((version for version, applies in rules if applies(view)), 1)


def count_scales(tensor: Tensor) -> int:
    """Return the number of quantization scales of a tensor."""
    return tensor.quantization.scale.size if tensor.quantization else 0


def has_type(*dtypes: DType) -> Condition:
    """Return the condition that the first input has one of these types."""
    return lambda op: op.x in dtypes


def keeps_type(dtype: DType) -> Condition:
    """Return the condition that the first input and the output have this type."""
    return lambda op: op.x is dtype and op.out is dtype


def types(x: DType, y: DType, out: DType) -> Condition:
    """Return the condition that the first two inputs and the output have these types."""
    return lambda op: op.x is x and op.y is y and op.out is out


def rank_above(rank: int) -> Condition:
    """Return the condition that the first input has more than `rank` axes."""
    return lambda op: op.rank() > rank


def _first_scale(tensor: Tensor) -> float:
    if tensor.quantization is None or not tensor.quantization.scale.size:
        return 0.0
    return float(np.float32(tensor.quantization.scale[0]))


INT8_2: tuple[VersionRule, ...] = ((2, has_type(I8)),)
INT16_3: tuple[VersionRule, ...] = ((3, has_type(I16)), *INT8_2)
INT16_SAME_3: tuple[VersionRule, ...] = ((3, keeps_type(I16)), *INT8_2)
INT8_INT16_2: tuple[VersionRule, ...] = ((2, has_type(I8, I16)),)
