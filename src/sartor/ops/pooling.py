"""Pooling and resizing of images."""

from __future__ import annotations

from ..graph import Op
from ._shapes import window_output
from ._versions import I16, INT8_2, INT16_SAME_3, VersionRule, has_type
from .registry import NOT_DIFFERENTIABLE, NOT_SUPPORTED, OpRow, Shape, register


def _pool_output(op: Op) -> Shape:
    window = op.options["filterHeight"], op.options["filterWidth"]
    return window_output(op, window, op.input(0).shape[3])


def _pool(code: str) -> OpRow:
    return OpRow(code, activation=True, output_shape=_pool_output, versions=INT16_SAME_3)


def _resize(code: str, third: VersionRule) -> OpRow:
    return OpRow(
        code, gradients=(NOT_SUPPORTED, NOT_DIFFERENTIABLE), inputs=2, integers=(1,), size_input=1,
        versions=((4, has_type(I16)), third, *INT8_2),
    )  # fmt: skip


register(
    _pool("AVERAGE_POOL_2D"),
    _pool("MAX_POOL_2D"),
    OpRow("L2_POOL_2D", activation=True),
    _resize("RESIZE_BILINEAR", (3, lambda op: op.option("halfPixelCenters"))),
    _resize(
        "RESIZE_NEAREST_NEIGHBOR",
        (3, lambda op: op.option("halfPixelCenters") or op.option("alignCorners")),
    ),
    family="Pooling and resizing",
)
