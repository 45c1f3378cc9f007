"""The table of ops for the docs: `python -m sartor.ops.table > docs/ops.md`."""

from __future__ import annotations

from . import ROWS, GradientSupport, OpRow
from .registry import FAMILIES

__all__ = ["support_table"]

_HEAD = """\
# Ops

Generated from the rows of `sartor.ops` by `python -m sartor.ops.table`: do not edit.

Any op, also one that is not listed, may be in the frozen base. An op between a trained value and
the loss needs a gradient rule for each input that depends on a trained value.

- **gradient**: the gradient of each input; further inputs are like the last one.
  - *rule*: Sartor emits the gradient.
  - *zero*: nothing is sent back, as through a comparison.
  - *none*: the input is not differentiable; asking for its gradient is an error.
  - *missing*: asking for the gradient is an error; a rule can be added
    ([how](add-a-gradient.md)).
- **inputs**: the least number of inputs, and which of them may be left out.
- **facts**:
  - *NumPy*: the op has a NumPy reference, so Sartor can check it and compute it at conversion.
  - *shape*: Sartor checks the shape that a file states for the output.
  - *broadcast*: inputs of different shapes are broadcast, and their gradients summed back.
  - *activation*: the op can have a fused activation. RELU, RELU_N1_TO_1 and RELU6 are
    differentiated; LiteRT runs no others on floats.
  - *weights*: the op is a layer; the axis is that of its output channels.
  - *versions*: Sartor states the lowest operator version that the op needs.
"""
_NAMES = {
    GradientSupport.ZERO: "zero",
    GradientSupport.NOT_DIFFERENTIABLE: "none",
    GradientSupport.NOT_SUPPORTED: "missing",
}


def support_table() -> str:
    """Return the content of docs/ops.md."""
    return _HEAD + "".join(
        _format_family(family, codes) for family, codes in sorted(FAMILIES.items())
    )


def _format_family(family: str, codes: list[str]) -> str:
    lines = "".join(_format_row(ROWS[code]) for code in sorted(codes))
    return f"\n## {family}\n\n| op | gradient | inputs | facts |\n|---|---|---|---|\n{lines}"


def _format_row(row: OpRow) -> str:
    gradient = ", ".join(
        _NAMES[each] if isinstance(each, GradientSupport) else "rule" for each in row.gradients
    )
    cells = (row.code, gradient or "no input", _format_inputs(row), ", ".join(_facts(row)))
    return f"| {' | '.join(cells)} |\n".replace("  |", " |")


def _format_inputs(row: OpRow) -> str:
    if row.optional_from is None:
        return str(row.inputs)
    return f"{row.inputs}; optional from input {row.optional_from} on"


def _facts(row: OpRow) -> list[str]:
    flags = {
        "NumPy": row.reference is not None,
        "shape": row.output_shape is not None,
        "broadcast": row.broadcasts,
        "activation": row.activation,
        "versions": bool(row.versions),
    }
    facts = [name for name, holds in flags.items() if holds]
    if row.weights is not None:
        axis = row.weights.channel_axis
        facts.append("weights" if axis is None else f"weights (axis {axis})")
    return facts


if __name__ == "__main__":
    print(support_table(), end="")
