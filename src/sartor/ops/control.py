"""Ops that run subgraphs, and custom ops."""

from __future__ import annotations

from ..graph import Op
from .registry import OpRow, register

__all__ = ["unknown_count"]


def unknown_count(_: Op) -> int | None:
    """Return None: the file does not state the work."""
    return None


def _row(code: str, inputs: int = 0, *, optional: bool = False) -> OpRow:
    return OpRow(
        code, multiply_adds=unknown_count, inputs=inputs, outputs=0, any_types=True,
        optional_from=0 if optional else None,
    )  # fmt: skip


register(
    _row("IF", 1),
    _row("WHILE"),
    _row("CALL"),
    _row("CUSTOM", optional=True),
    OpRow("DELEGATE", inputs=0, outputs=0, any_types=True, optional_from=0),
    OpRow("PLACEHOLDER_FOR_GREATER_OP_CODES"),
    family="Control flow and custom ops",
)
