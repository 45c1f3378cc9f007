"""The table of cases for the tests of the gradient rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from sartor.graph import Tensor
from sartor.ops import ROWS, GradientSupport, concatenation, emit_many
from sartor.ops._activation import Activation
from sartor.testing import Uniform

ACTIVATIONS = (Activation.RELU, Activation.RELU_N1_TO_1, Activation.RELU6)


@dataclass(frozen=True)
class Case:
    """One use of an op.

    Attributes:
        code: the op.
        description: the property under test.
        args: the inputs: `Uniform` for a differentiated input, an array for a constant, None for an
            omitted input.
        options: options of the op.
        rows: indices of the args whose first axis is the batch.
    """

    code: str
    description: str
    args: tuple[Uniform | np.ndarray | None, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    rows: tuple[int, ...] = ()

    @property
    def inputs(self) -> list[Uniform]:
        return [arg for arg in self.args if isinstance(arg, Uniform)]

    def build(self, *tensors: Tensor) -> Tensor:
        remaining = iter(tensors)
        args = [next(remaining) if isinstance(arg, Uniform) else arg for arg in self.args]
        outputs = emit_many(self.code, args, graph=tensors[0].graph, **self.options)
        return outputs[0] if len(outputs) == 1 else concatenation(outputs[::-1], -1)

    def with_rows(self, count: int) -> Case:
        args = list(self.args)
        for index in self.rows:
            arg = args[index]
            if isinstance(arg, Uniform):
                args[index] = replace(arg, shape=(count, *arg.shape[1:]))
        return replace(self, args=tuple(args))

    def __str__(self) -> str:
        return f"{self.code}: {self.description}"


def real(*shape: int) -> Uniform:
    return Uniform(shape, -2.0, 2.0)


def positive(*shape: int) -> Uniform:
    return Uniform(shape, 0.5, 2.0)


def across_bounds(*shape: int) -> Uniform:
    """Return a range that crosses the bounds of all fused activations."""
    return Uniform(shape, -8.0, 8.0)


def ints(*values: object) -> np.ndarray:
    return np.array(values, np.int32)


ROW = np.array([0.5, 1, 2, 3], np.float32)


def rules() -> list[tuple[str, int]]:
    """Return (op, input) of each gradient rule of an op with a NumPy reference."""
    return [
        (row.code, index)
        for row in ROWS.values()
        for index, rule in enumerate(row.gradients)
        if row.reference is not None and not isinstance(rule, GradientSupport)
    ]


def _binary(code: str, first: Any, second: Any) -> list[Case]:
    """Return cases of broadcast shapes; `first` and `second` take the shape of an input."""
    return [
        Case(code, "matrices", (first(3, 4), second(3, 4)), rows=(0, 1)),
        Case(code, "a row onto a matrix", (first(3, 4), second(4)), rows=(0,)),
        Case(code, "a matrix onto a row", (first(4), second(3, 4)), rows=(1,)),
        Case(code, "a column onto a matrix", (first(3, 4), second(3, 1)), rows=(0, 1)),
        Case(code, "a row [1, 4] onto a column [3, 1]", (first(1, 4), second(3, 1)), rows=(1,)),
        Case(code, "rank 1 onto rank 4", (first(3, 2, 1, 4), second(4)), rows=(0,)),
        Case(code, "rank 3 with ones onto rank 4", (first(3, 2, 5, 4), second(2, 1, 4)), rows=(0,)),
        Case(code, "scalars", (first(), second())),
        Case(code, "a scalar onto a vector", (first(3), second()), rows=(0,)),
        Case(code, "one element", (first(1), second(1))),
        Case(code, "a constant on the right", (first(3, 4), ROW), rows=(0,)),
        Case(code, "a constant on the left", (ROW, second(3, 4)), rows=(1,)),
    ]


def _unary(code: str, make: Any) -> list[Case]:
    return [
        Case(code, "a matrix", (make(3, 4),), rows=(0,)),
        Case(code, "a scalar", (make(),)),
        Case(code, "rank 5", (make(2, 1, 3, 1, 2),), rows=(0,)),
    ]


def _activated(code: str, *args: Uniform, **options: Any) -> list[Case]:
    return [
        Case(code, f"then {kind.name}", args, {**options, "fusedActivationFunction": int(kind)})
        for kind in ACTIVATIONS
    ]


def _last_axis(code: str) -> list[Case]:
    return [
        Case(code, "rows", (real(3, 5),), rows=(0,)),
        Case(code, "a vector", (real(5),)),
        Case(code, "rank 4", (real(3, 2, 2, 4),), rows=(0,)),
        Case(code, "one class", (real(3, 1),), rows=(0,)),
    ]


def _reduction(code: str) -> list[Case]:
    def case(description: str, axes: list[int], *shape: int, keep: bool = False) -> Case:
        return Case(code, description, (real(*shape), ints(*axes)), {"keepDims": keep}, rows=(0,))

    return [
        case("the last axis", [1], 3, 4),
        case("the last axis, kept", [1], 3, 4, keep=True),
        case("the last axis, counted from the end", [-1], 3, 4, keep=True),
        case("the batch", [0], 3, 4),
        case("the batch, kept", [0], 3, 4, keep=True),
        case("all axes", [0, 1], 3, 4),
        case("all axes, kept", [0, 1], 3, 4, keep=True),
        case("height and width", [1, 2], 3, 2, 3, 4),
        case("height and width, kept", [1, 2], 3, 2, 3, 4, keep=True),
        case("axes that are not adjacent", [-1, 1], 3, 2, 3, 4),
        case("the batch and another", [0, 2], 3, 2, 3, 4),
        case("axes in descending order, one twice", [3, 1, -1], 3, 2, 3, 4),
        case("a vector", [0], 3),
        case("axes of size one", [1, 2], 3, 1, 1, 4),
        case("no axis", [], 3, 4),
        Case(code, "a scalar axis", (real(3, 4), np.array(1, np.int32)), rows=(0,)),
    ]


def _products() -> list[Case]:
    cases = []
    for x_batch, y_batch in (
        ((), ()), ((3,), (3,)), ((3,), ()), ((), (3,)), ((3,), (1,)), ((1,), (3,)),
        ((3, 1), (2,)), ((2, 2), (2, 2)), ((2, 3), ()),
    ):  # fmt: skip
        for adj_x in (False, True):
            for adj_y in (False, True):
                x = real(*x_batch, *((4, 2) if adj_x else (2, 4)))
                y = real(*y_batch, *((5, 4) if adj_y else (4, 5)))
                description = f"{list(x.shape)} and {list(y.shape)}, adjX={adj_x}, adjY={adj_y}"
                options = {"adjX": adj_x, "adjY": adj_y}
                rows = {"": (), "x": (0,), "y": (1,), "xy": (0, 1)}[
                    "x" * (x_batch[:1] == (3,)) + "y" * (y_batch[:1] == (3,))
                ]
                cases.append(Case("BATCH_MATMUL", description, (x, y), options, rows=rows))
    rows_by_weights = (real(20, 4), real(4, 5))
    cases.append(Case("BATCH_MATMUL", "rows and weights", rows_by_weights, rows=(0,)))
    return cases


CASES = [
    *_binary("ADD", real, real),
    *_activated("ADD", across_bounds(6, 8), across_bounds(8)),
    *_binary("SUB", real, real),
    *_activated("SUB", across_bounds(6, 8), across_bounds(8)),
    *_binary("MUL", real, real),
    *_activated("MUL", across_bounds(6, 8), real(8)),
    *_binary("DIV", real, positive),
    *_activated("DIV", across_bounds(6, 8), positive(8)),
    *_binary("POW", positive, real),
    Case("POW", "a square of negative numbers", (real(3, 4), np.float32(2)), rows=(0,)),
    Case("POW", "a root", (positive(3, 4), np.float32(0.5)), rows=(0,)),
    *_binary("SQUARED_DIFFERENCE", real, real),
    *_binary("MAXIMUM", real, real),
    *_binary("MINIMUM", real, real),
    *_unary("NEG", real),
    *_unary("ABS", real),
    *_unary("SQUARE", real),
    *_unary("SQRT", positive),
    *_unary("RSQRT", positive),
    *_unary("EXP", real),
    *_unary("LOG", positive),
    *_unary("RELU", real),
    *_unary("RELU6", across_bounds),
    *_unary("ELU", real),
    *_unary("HARD_SWISH", across_bounds),
    *_unary("LEAKY_RELU", real),
    Case("LEAKY_RELU", "alpha 0.3", (real(3, 4),), {"alpha": 0.3}, rows=(0,)),
    Case("LEAKY_RELU", "alpha above 1", (real(3, 4),), {"alpha": 2.5}, rows=(0,)),
    *_unary("RELU_N1_TO_1", real),
    *_unary("RELU_0_TO_1", real),
    *_unary("GELU", real),
    Case("GELU", "saturated", (across_bounds(6, 8),), rows=(0,)),
    Case("GELU", "near 0", (Uniform((6, 8), -0.6, 0.6),), rows=(0,)),
    Case("GELU", "approximate", (across_bounds(6, 8),), {"approximate": True}, rows=(0,)),
    Case("PRELU", "a slope for each unit", (real(3, 4), real(4)), rows=(0,)),
    Case("PRELU", "a slope for each channel", (real(3, 2, 2, 4), real(1, 1, 4)), rows=(0,)),
    Case("PRELU", "one slope", (real(3, 4), real(1)), rows=(0,)),
    *_unary("TANH", real),
    *_unary("LOGISTIC", real),
    Case("SELECT_V2", "one shape", (np.eye(3) > 0, real(3, 3), real(3, 3))),
    Case("SELECT_V2", "a row condition", (np.array([True, False]), real(3, 2), real(3, 2)),
         rows=(1, 2)),
    Case("SELECT_V2", "a row and a column", (np.eye(3) > 0, real(3), real(3, 1))),
    Case("SELECT_V2", "scalars", (np.eye(3) > 0, real(), real())),
    Case("SELECT", "one shape", (np.eye(3) > 0, real(3, 3), real(3, 3))),
    *_last_axis("SOFTMAX"),
    Case("SOFTMAX", "beta 2.5", (real(3, 5),), {"beta": 2.5}, rows=(0,)),
    Case("SOFTMAX", "large logits", (Uniform((3, 5), 95.0, 100.0),), rows=(0,)),
    *_last_axis("LOG_SOFTMAX"),
    Case("LOG_SOFTMAX", "large logits", (Uniform((3, 5), 95.0, 100.0),), rows=(0,)),
    *_last_axis("L2_NORMALIZATION"),
    Case("L2_NORMALIZATION", "below the smallest norm", (Uniform((3, 5), -1e-7, 1e-7),)),
    Case("L2_NORMALIZATION", "small vectors", (Uniform((3, 5), 1e-5, 1e-4),)),
    *_reduction("SUM"),
    *_reduction("MEAN"),
    *_reduction("REDUCE_MAX"),
    *_reduction("REDUCE_MIN"),
    Case("CUMSUM", "rows", (real(3, 4), ints(1)), rows=(0,)),
    Case("CUMSUM", "the batch", (real(3, 4), ints(0)), rows=(0,)),
    Case("CUMSUM", "reverse", (real(3, 2, 4), ints(-2)), {"reverse": True}, rows=(0,)),
    Case("CUMSUM", "exclusive", (real(3, 4), ints(1)), {"exclusive": True}, rows=(0,)),
    Case("CUMSUM", "exclusive, reverse", (real(5), ints(0)), {"exclusive": True, "reverse": True},
         rows=(0,)),
    *_products(),
    Case("FULLY_CONNECTED", "rows", (real(3, 4), real(5, 4), real(5)), rows=(0,)),
    Case("FULLY_CONNECTED", "no bias", (real(3, 4), real(5, 4)), rows=(0,)),
    Case("FULLY_CONNECTED", "an omitted bias", (real(3, 4), real(5, 4), None), rows=(0,)),
    Case("FULLY_CONNECTED", "constant weights", (real(3, 4), np.eye(5, 4, dtype=np.float32),
         real(5)), rows=(0,)),
    Case("FULLY_CONNECTED", "rank 4", (real(3, 2, 2, 4), real(5, 4), real(5)), rows=(0,)),
    Case("FULLY_CONNECTED", "rank 4, axes kept", (real(3, 2, 2, 4), real(5, 4), real(5)),
         {"keepNumDims": True}, rows=(0,)),
    Case("FULLY_CONNECTED", "rank 4 joined to rows", (real(3, 2, 2, 2), real(5, 8)), rows=(0,)),
    Case("FULLY_CONNECTED", "two rows joined to one", (real(6, 2), real(5, 4), real(5))),
    Case("FULLY_CONNECTED", "a vector", (real(4), real(5, 4), real(5))),
    Case("FULLY_CONNECTED", "a vector, axes kept", (real(4), real(5, 4), real(5)),
         {"keepNumDims": True}),
    Case("FULLY_CONNECTED", "one unit", (real(3, 4), real(1, 4), real(1)), rows=(0,)),
    *_activated("FULLY_CONNECTED", across_bounds(6, 4), real(5, 4), real(5)),
    *_activated("FULLY_CONNECTED", across_bounds(2, 3, 4), real(5, 4), real(5), keepNumDims=True),
]  # fmt: skip
