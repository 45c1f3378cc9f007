"""Padding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..graph import Op, Tensor
from ._shapes import constant_ints, required
from ._versions import BOOL, INT16_3, VersionRule, has_type, rank_above
from .builder import emit
from .registry import NOT_DIFFERENTIABLE, OpRow, Spec, register
from .slices import pad, part, slice_

_REFLECT = 0  # in the schema; SYMMETRIC is 1


def _paddings(tensor: Tensor | None) -> list[tuple[int, int]]:
    flat = constant_ints(tensor)
    return list(zip(flat[::2], flat[1::2], strict=True))


def _infer_pad(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    x = required(inputs[0])
    around = zip(x.shape, _paddings(inputs[1]), strict=True)
    return [(tuple(n + before + after for n, (before, after) in around), x.dtype)]


def _pad_gradient(op: Op, _: int, g: Tensor) -> Tensor:
    around = _paddings(op.inputs[1])
    begin = [before for before, _ in around]
    sizes = zip(op.input(0).shape, around, strict=True)
    return slice_(g, begin, [n if any(both) else -1 for n, both in sizes])


def _padv2_gradient(op: Op, index: int, g: Tensor) -> Tensor:
    """To the input its box of `g`, to the value the sum of the others."""
    inside = _pad_gradient(op, index, g)
    if index == 0:
        return inside
    outside = emit("SUB", _total(g), _total(inside))
    return emit("RESHAPE", outside, np.array(op.input(2).shape, np.int32))


def _total(x: Tensor) -> Tensor:
    return emit("SUM", x, np.arange(x.rank, dtype=np.int32))


def _mirror_gradient(op: Op, _: int, g: Tensor) -> Tensor:
    """Reverse the margins, and add them where they came from; one axis after the other."""
    edge = 1 - int(op.options.get("mode", _REFLECT))  # REFLECT does not repeat the border
    for axis, (before, after) in enumerate(_paddings(op.inputs[1])):
        if before or after:
            g = _fold_margins(g, axis, op.input(0).shape[axis], (before, after), edge)
    return g


def _fold_margins(g: Tensor, axis: int, size: int, margins: tuple[int, int], edge: int) -> Tensor:
    before, after = margins
    total = part(g, axis, before, size)
    for begin, count, start in (
        (0, before, edge), (before + size, after, size - after - edge),
    ):  # fmt: skip
        if count:
            margin = emit("REVERSE_V2", part(g, axis, begin, count), np.array([axis], np.int32))
            around = [(0, 0)] * g.rank
            around[axis] = start, size - count - start
            total = emit("ADD", total, pad(margin, around))
    return total


def _np_mirror(xs: Sequence[Any], options: Mapping[str, Any]) -> list[np.ndarray]:
    mode = "reflect" if int(options.get("mode", _REFLECT)) == _REFLECT else "symmetric"
    return [np.pad(xs[0], xs[1], mode=mode)]  # type: ignore[call-overload]


_VERSIONS: tuple[VersionRule, ...] = ((5, has_type(BOOL)), (4, rank_above(4)), *INT16_3)

register(
    OpRow(
        "PAD", integers=(1,), gradients=(_pad_gradient, NOT_DIFFERENTIABLE), infer=_infer_pad,
        reference=lambda xs, _: [np.pad(xs[0], xs[1])], options="PadOptions", inputs=2,
        size_input=1, versions=_VERSIONS,
    ),
    OpRow(
        "PADV2", integers=(1,),
        gradients=(_padv2_gradient, NOT_DIFFERENTIABLE, _padv2_gradient), infer=_infer_pad,
        reference=lambda xs, _: [np.pad(xs[0], xs[1], constant_values=xs[2].item())],
        options="PadV2Options", inputs=3, size_input=1, versions=_VERSIONS,
    ),
    OpRow(
        "MIRROR_PAD", integers=(1,), gradients=(_mirror_gradient, NOT_DIFFERENTIABLE),
        infer=_infer_pad, reference=_np_mirror, options="MirrorPadOptions", inputs=2,
        versions=INT16_3,
    ),
    family="Slices and padding",
)  # fmt: skip
