"""StableHLO ops: only their operands are known."""

from __future__ import annotations

from .control import unknown_count
from .registry import OpRow, register

_BY_INPUTS = {
    0: "IOTA",
    1: "ABS BROADCAST_IN_DIM CBRT CONCATENATE CONVERT COSINE EXPONENTIAL FLOOR LOG LOGISTIC NEGATE "
    "RESHAPE RSQRT SLICE SORT TANH TRANSPOSE",
    2: "ADD AND COMPARE CONVOLUTION DIVIDE DOT_GENERAL DYNAMIC_SLICE GATHER MAXIMUM MINIMUM "
    "MULTIPLY OR PAD POWER REDUCE REDUCE_WINDOW REMAINDER SHIFT_LEFT SUBTRACT",
    3: "CLAMP DYNAMIC_UPDATE_SLICE SCATTER SELECT",
}
"""Least number of inputs → ops with one output."""


def _row(code: str, inputs: int, outputs: int = 1) -> OpRow:
    return OpRow(f"STABLEHLO_{code}", multiply_adds=unknown_count, inputs=inputs, outputs=outputs)


def _calls(code: str, inputs: int = 0, optional_from: int | None = None) -> OpRow:
    return OpRow(
        f"STABLEHLO_{code}", multiply_adds=unknown_count, inputs=inputs, outputs=0,
        any_types=True, optional_from=optional_from,
    )  # fmt: skip


register(
    *(_row(code, inputs) for inputs, codes in _BY_INPUTS.items() for code in codes.split()),
    _row("RNG_BIT_GENERATOR", 1, outputs=2),
    _calls("CASE", 1),
    _calls("WHILE"),
    _calls("COMPOSITE"),
    _calls("CUSTOM_CALL", optional_from=0),
    family="StableHLO",
)
