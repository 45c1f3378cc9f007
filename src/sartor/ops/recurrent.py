"""Recurrent layers."""

from __future__ import annotations

from ..graph import Op
from ._versions import F32, I8, I16, VersionRule, has_type
from .registry import OpRow, register


def _count_steps(op: Op) -> int:
    """Each matrix is used once a step."""
    x = op.input(0)
    matrices = [t for t in op.inputs[1:] if t is not None and t.is_constant and t.rank == 2]
    return x.size // x.shape[-1] * sum(t.size for t in matrices)


def _row(
    code: str, inputs: int, versions: tuple[VersionRule, ...], optional_from: int | None = None
) -> OpRow:
    return OpRow(
        code, multiply_adds=_count_steps, inputs=inputs, optional_from=optional_from,
        versions=versions, unsupported="recurrent layers are not differentiated through time",
    )  # fmt: skip


_HYBRID: tuple[VersionRule, ...] = (
    (3, lambda op: op.y is I8 and op.out is F32 and op.asymmetric),
    (2, lambda op: op.y is I8 and op.out is F32),
)

register(
    _row("RNN", 5, _HYBRID),
    _row("UNIDIRECTIONAL_SEQUENCE_RNN", 5, _HYBRID),
    _row("BIDIRECTIONAL_SEQUENCE_RNN", 9, _HYBRID, optional_from=1),
    _row("BIDIRECTIONAL_SEQUENCE_LSTM", 39, _HYBRID, optional_from=1),
    _row(
        "UNIDIRECTIONAL_SEQUENCE_LSTM", 20,
        (
            (5, lambda op: op.x is op.out is I16 and op.z is I8),
            (4, lambda op: op.option("diagonalRecurrentTensors")),
            (3, lambda op: op.x is op.out is F32 and op.z is I8 and op.asymmetric),
            (2, lambda op: op.x is op.out is F32 and op.z is I8),
        ),
        optional_from=1,
    ),
    _row(
        "LSTM", 5,
        (
            (2, lambda op: op.option("kernelType")),
            (5, lambda op: op.x is op.out is I16 and op.z is I8),
            (4, lambda op: op.x is op.out is F32 and op.z is I8 and op.asymmetric),
            (3, lambda op: op.x is op.out is F32 and op.z is I8),
        ),
        optional_from=1,
    ),
    _row(
        "SVDF", 4,
        (
            (3, has_type(I8)),
            (4, lambda op: op.hybrid and op.asymmetric),
            (2, lambda op: op.hybrid),
        ),
        optional_from=3,
    ),
    family="Recurrent layers",
)  # fmt: skip
