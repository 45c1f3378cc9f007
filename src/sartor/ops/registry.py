"""The table of ops: one row holds all that Sartor knows of an op.

Readers, writers, passes, heads and quantization look up rows here and keep no tables of ops of
their own. A row states only the facts that are known: the defaults describe an op with one input
and one output whose gradient is not supported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from enum import Enum
from typing import Any, TypeAlias

from ..errors import GradientError
from ..graph import DType, Op, Tensor
from ._versions import VersionRule, lowest_version

__all__ = [
    "FAMILIES", "NOT_DIFFERENTIABLE", "NOT_SUPPORTED", "ROWS", "ZERO", "Gradient",
    "GradientSupport", "OpRow", "Rule", "Shape", "Spec", "Weights", "find_row", "register",
    "row_of", "version_of",
]  # fmt: skip

Shape: TypeAlias = tuple[int, ...]

Spec: TypeAlias = tuple[Shape, DType]
"""Shape and type of an output."""

Rule: TypeAlias = Callable[[Op, int, Any], Tensor]
"""`(op, index, g) → gradient of input index`, where `g` is the gradient of the op's output.

If the op has several outputs, `g` is the list of their gradients; each has the shape of its output.

With `broadcasts`, the result may have the output's shape: it is summed to the input's."""


class GradientSupport(Enum):
    """The reason why an input has no gradient rule."""

    ZERO = "zero gradient"
    NOT_DIFFERENTIABLE = "not differentiable"
    NOT_SUPPORTED = "not yet supported"


ZERO = GradientSupport.ZERO
NOT_DIFFERENTIABLE = GradientSupport.NOT_DIFFERENTIABLE
NOT_SUPPORTED = GradientSupport.NOT_SUPPORTED

Gradient: TypeAlias = Rule | GradientSupport


def _count_nothing(_: Op) -> int | None:
    return 0


@dataclass(frozen=True)
class Weights:
    """The weights of a layer.

    Attributes:
        input: index of the input that holds the weights.
        channel_axis: axis of the output channels, along which the weights are quantized. None if
            the weights have one scale.
        bias: index of the input that holds the bias, or None.
        data: index of the input that is multiplied by the weights.
    """

    input: int = 1
    _: KW_ONLY
    channel_axis: int | None = None
    bias: int | None = None
    data: int = 0


@dataclass(frozen=True)
class OpRow:
    """All that Sartor knows of one op.

    Attributes:
        code: name of the builtin operator.
        gradients: for each input a rule or a `GradientSupport`; further inputs are like the last.
        unsupported: the reason for a gradient that is not supported, for messages.
        infer: `(inputs, options) → (shape, dtype)` of each output, for ops that are emitted. None
            if Sartor does not emit the op.
        reference: the op in NumPy, in the precision of its inputs: `(arrays, options) → arrays`.
            None if there is none.
        options: name of the schema's options table, or None.
        defaults: options of an emitted op that are not 0: a file states them.
        any_batch: `(op, inputs, batch) → output`: emits the op on any number of rows, if the op of
            the file states the batch size in a constant.
        fast_form: `(op, inputs) → output`: emits a layer whose weights are not constant in ops
            that are faster. None if the op itself is fast.
        straight_through: True if the gradient passes to and from integers: quantization.
        broadcasts: True if inputs of different shapes are broadcast together.
        activation: True if the op has a fused activation.
        probabilities: `categorical` or `independent` if the outputs are probabilities.
        weights: the weights of a layer, or None.
        weight_formats: formats of constant weights that LiteRT runs fast on float activations:
            `int8`, `float16`.
        parameters: index → name of the inputs that hold trained values.
        multiply_adds: number of multiply-adds of one run; None if the file does not state it.
        output_shape: shape of the first output of an op in a file, or None if it depends on
            values. Raises ValueError if inputs and options contradict each other.
        inputs, outputs: least number of inputs and of outputs.
        optional_from: index of the first input that may be left out, or None.
        output_count: name of the option that states the number of outputs, or None.
        any_types: True if inputs and outputs may be resource handles.
        takes_handle: True if the first input is a resource handle.
        returns_strings: True if an output may be a string although no input is.
        integers: indices of the inputs that hold sizes, axes or positions: INT32 or INT64.
        size_input: index of the input whose values determine the size of the output, or None.
        shape_input: index of the input that lists the output's shape, or None.
        dynamic_output: True if the size of the output always depends on values.
        measures_shape: True if the output depends on the input's shape and not on its values.
        versions: `(version, condition)` rules; the first rule that applies states the operator
            version. Without any, the version that was read stays.
    """

    code: str
    _: KW_ONLY
    gradients: tuple[Gradient, ...] = (NOT_SUPPORTED,)
    unsupported: str = ""
    infer: Callable[[Sequence[Tensor | None], Mapping[str, Any]], list[Spec]] | None = None
    reference: Callable[[Sequence[Any], Mapping[str, Any]], Sequence[Any]] | None = None
    options: str | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    any_batch: Callable[[Op, Sequence[Tensor | None], int], Tensor] | None = None
    fast_form: Callable[[Op, Sequence[Tensor | None]], Tensor] | None = None
    straight_through: bool = False
    broadcasts: bool = False
    activation: bool = False
    probabilities: str | None = None
    weights: Weights | None = None
    weight_formats: tuple[str, ...] = ()
    parameters: Mapping[int, str] = field(default_factory=dict)
    multiply_adds: Callable[[Op], int | None] = _count_nothing
    output_shape: Callable[[Op], Shape | None] | None = None
    inputs: int = 1
    outputs: int = 1
    optional_from: int | None = None
    output_count: str | None = None
    any_types: bool = False
    takes_handle: bool = False
    returns_strings: bool = False
    integers: tuple[int, ...] = ()
    size_input: int | None = None
    shape_input: int | None = None
    dynamic_output: bool = False
    measures_shape: bool = False
    versions: tuple[VersionRule, ...] = ()

    def gradient(self, index: int) -> Gradient:
        """Return the rule or the support of the input at `index`."""
        return self.gradients[min(index, len(self.gradients) - 1)]

    @property
    def is_affine(self) -> bool:
        """True if the op shifts or scales by a constant: ADD, SUB, MUL, DIV."""
        return self.parameters.get(1) in ("term", "factor")


ROWS: dict[str, OpRow] = {}
"""Op code → row."""

FAMILIES: dict[str, list[str]] = {}
"""Family → the codes of its ops, in the order of their registration."""


def register(*rows: OpRow, family: str = "Other ops") -> None:
    """Add rows of one family.

    Raises:
        ValueError: If an op already has a row.
    """
    for row in rows:
        if row.code in ROWS:
            raise ValueError(f"{row.code} already has a row. Replace it: ROWS[{row.code!r}] = row")
        ROWS[row.code] = row
        FAMILIES.setdefault(family, []).append(row.code)


def find_row(op: Op) -> OpRow:
    """Return the row of an op; an op without a row gets one that states nothing."""
    return ROWS.get(op.code) or OpRow(op.code)


def row_of(op: Op) -> OpRow:
    """Return the row of an op.

    Raises:
        GradientError: If there is none.
    """
    row = ROWS.get(op.code)
    if row is None:
        raise GradientError(
            f"{op!r}: Sartor has no row for {op.name}, so it cannot be differentiated. "
            "Choose features behind it (`features=`), so that it stays in the frozen base, "
            "or add a row (docs/add-a-gradient.md)."
        )
    return row


def version_of(op: Op) -> int:
    """Return the operator version to write.

    It is the lowest version that supports the op's types and options, or the version that was
    read if that is lower: the runtimes that ran the op must still run it. An op without version
    rules keeps the version that was read, or has version 1.
    """
    rules = find_row(op).versions
    if not rules or not op.outputs:
        return op.version or 1
    lowest = lowest_version(op, rules)
    return min(lowest, op.version or lowest)
