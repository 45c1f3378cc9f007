"""Ops that move elements and leave them as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..graph import Op, Tensor
from ._shapes import constant_ints, given, normalize_axes
from .builder import emit
from .registry import OpRow, Spec, State, register

__all__ = [
    "concatenation", "flatten", "pad", "reshape", "reshape_like", "slice_", "transpose",
    "zeros_like",
]  # fmt: skip


def reshape(x: Tensor, shape: Sequence[int], *, name: str | None = None) -> Tensor:
    """The same elements in another shape; one size may be -1."""
    return emit("RESHAPE", x, np.array(shape, np.int32), name=name)


def reshape_like(x: Tensor, target: Tensor) -> Tensor:
    """Reshape to `target`'s shape, with the first axis left open for any number of rows."""
    if target.rank == 0:
        return reshape(x, ())
    return reshape(x, (-1, *target.shape[1:]))


def flatten(x: Tensor, *, name: str | None = None) -> Tensor:
    """[N, ...] → [N, F]; a tensor of rank 2 comes back as it is."""
    return x if x.rank == 2 else reshape(x, (-1, x.size // x.shape[0]), name=name)


def transpose(x: Tensor, permutation: Sequence[int]) -> Tensor:
    """Axis `i` of the result is axis `permutation[i]` of `x`."""
    return emit("TRANSPOSE", x, np.array(permutation, np.int32))


def concatenation(xs: Sequence[Tensor], axis: int) -> Tensor:
    """Join along an axis."""
    return emit("CONCATENATION", *xs, axis=axis)


def slice_(x: Tensor, begin: Sequence[int], size: Sequence[int]) -> Tensor:
    """A box of `x`; a size of -1 means all that is left.

    Where the first axis is left open this is a STRIDED_SLICE whose end is masked there: SLICE
    refuses another number of rows than the file states.
    """
    if size[0] != -1:
        return emit("SLICE", x, np.array(begin, np.int32), np.array(size, np.int32))
    ends = [0 if n == -1 else start + n for start, n in zip(begin, size, strict=True)]
    return emit(
        "STRIDED_SLICE", x, np.array(begin, np.int32), np.array(ends, np.int32),
        np.ones(x.rank, np.int32), endMask=sum(1 << i for i, n in enumerate(size) if n == -1),
    )  # fmt: skip


def pad(x: Tensor, paddings: Sequence[tuple[int, int]]) -> Tensor:
    """Zeros around `x`: (before, after) for each axis."""
    return emit("PAD", x, np.array(paddings, np.int32))


def zeros_like(x: Tensor) -> Tensor:
    """Zeros in the shape that `x` has at run time."""
    return emit("ZEROS_LIKE", x)


# --- shapes ------------------------------------------------------------------------------------


def _reshaped(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> list[Spec]:
    x = given(inputs[0])
    if len(inputs) > 1 and inputs[1] is not None:
        shape = list(constant_ints(inputs[1]))
    else:
        shape = [int(n) for n in options["newShape"]]
    if shape.count(-1) == 1:
        rest = int(np.prod([n for n in shape if n != -1], dtype=np.int64))
        if rest == 0 or x.size % rest:
            raise ValueError(f"{x.size} elements do not fill shape {shape}")
        shape[shape.index(-1)] = x.size // rest
    if int(np.prod(shape, dtype=np.int64)) != x.size or min(shape, default=0) < 0:
        raise ValueError(f"{x.size} elements do not fill shape {shape}")
    return [(tuple(shape), x.dtype)]


def _transposed(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    x, permutation = given(inputs[0]), constant_ints(inputs[1])
    if sorted(permutation) != list(range(x.rank)):
        raise ValueError(f"{permutation} is no permutation of {x.rank} axes")
    return [(tuple(x.shape[axis] for axis in permutation), x.dtype)]


def _joined(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> list[Spec]:
    xs = [given(x) for x in inputs]
    (axis,) = normalize_axes([options["axis"]], xs[0].rank)
    shape = list(xs[0].shape)
    shape[axis] = sum(x.shape[axis] for x in xs)
    for x in xs:
        if x.shape[:axis] + x.shape[axis + 1 :] != tuple(shape[:axis] + shape[axis + 1 :]):
            raise ValueError(f"the shapes differ elsewhere than along axis {axis}")
    return [(tuple(shape), xs[0].dtype)]


def _box(inputs: Sequence[Tensor | None]) -> list[tuple[int, int]]:
    """(begin, end) of a slice along each axis."""
    x, begin, size = given(inputs[0]), constant_ints(inputs[1]), constant_ints(inputs[2])
    box = []
    for n, start, length in zip(x.shape, begin, size, strict=True):
        end = n if length == -1 else start + length
        if not 0 <= start <= end <= n:
            raise ValueError(f"slice {start}:{end} is out of range for size {n}")
        box.append((start, end))
    return box


def _sliced(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    return [(tuple(end - start for start, end in _box(inputs)), given(inputs[0]).dtype)]


def _strided_box(
    shape: Sequence[int], ints: Sequence[Sequence[int]], options: Mapping[str, Any]
) -> list[tuple[int, int]]:
    """(begin, end) of a strided slice along each axis; `ints` are its begin, end and strides."""
    begin, end, strides = ints
    for mask in ("ellipsisMask", "newAxisMask", "shrinkAxisMask"):
        if options.get(mask):
            raise ValueError(f"{mask} is not supported")
    if any(stride != 1 for stride in strides):
        raise ValueError("strides other than 1 are not supported")
    box = []
    for axis, (n, start, stop) in enumerate(zip(shape, begin, end, strict=True)):
        from_first = options.get("beginMask", 0) >> axis & 1
        to_last = options.get("endMask", 0) >> axis & 1
        first, last, _ = slice(None if from_first else start, None if to_last else stop).indices(n)
        box.append((first, max(first, last)))
    return box


def _strided_box_of(
    inputs: Sequence[Tensor | None], options: Mapping[str, Any]
) -> list[tuple[int, int]]:
    return _strided_box(given(inputs[0]).shape, [constant_ints(x) for x in inputs[1:]], options)


def _strided(inputs: Sequence[Tensor | None], options: Mapping[str, Any]) -> list[Spec]:
    box = _strided_box_of(inputs, options)
    return [(tuple(end - start for start, end in box), given(inputs[0]).dtype)]


def _paddings(tensor: Tensor | None) -> list[tuple[int, int]]:
    flat = constant_ints(tensor)
    return list(zip(flat[::2], flat[1::2], strict=True))


def _padded(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    x = given(inputs[0])
    around = zip(x.shape, _paddings(inputs[1]), strict=True)
    return [(tuple(n + before + after for n, (before, after) in around), x.dtype)]


def _alike(inputs: Sequence[Tensor | None], _: Mapping[str, Any]) -> list[Spec]:
    x = given(inputs[0])
    return [(x.shape, x.dtype)]


# --- gradients ---------------------------------------------------------------------------------


def _back_permuted(op: Op, _: int, g: Tensor) -> Tensor:
    return transpose(g, [int(axis) for axis in np.argsort(constant_ints(op.input(1)))])


def _own_part(op: Op, index: int, g: Tensor) -> Tensor:
    """The slice of `g` that this input filled."""
    (axis,) = normalize_axes([op.options["axis"]], g.rank)
    begin, size = [0] * g.rank, [-1] * g.rank
    begin[axis] = sum(op.input(i).shape[axis] for i in range(index))
    size[axis] = op.input(index).shape[axis]
    return slice_(g, begin, size)


def _put_back(op: Op, _: int, g: Tensor) -> Tensor:
    """`g` with zeros where the slice left something out."""
    strided = op.code == "STRIDED_SLICE"
    box = _strided_box_of(op.inputs, op.options) if strided else _box(op.inputs)
    sizes = zip(op.input(0).shape, box, strict=True)
    return pad(g, [(start, n - end) for n, (start, end) in sizes])


def _unpadded(op: Op, _: int, g: Tensor) -> Tensor:
    around = _paddings(op.inputs[1])
    begin = [before for before, _ in around]
    sizes = zip(op.input(0).shape, around, strict=True)
    return slice_(g, begin, [n if any(both) else -1 for n, both in sizes])


# --- NumPy -------------------------------------------------------------------------------------


def _np_reshape(xs: Sequence[Any], options: Mapping[str, Any]) -> list[np.ndarray]:
    shape = xs[1] if len(xs) > 1 and xs[1] is not None else options["newShape"]
    return [np.reshape(xs[0], [int(n) for n in np.ravel(shape)])]


def _np_slice(xs: Sequence[Any], _: Mapping[str, Any]) -> list[np.ndarray]:
    x, begin, size = xs
    ends = [n if length == -1 else start + length
            for n, start, length in zip(x.shape, begin, size, strict=True)]  # fmt: skip
    return [x[tuple(slice(start, end) for start, end in zip(begin, ends, strict=True))]]


def _np_strided(xs: Sequence[Any], options: Mapping[str, Any]) -> list[np.ndarray]:
    x, *ints = xs
    return [x[tuple(slice(*ends) for ends in _strided_box(x.shape, ints, options))]]


register(
    OpRow(
        "RESHAPE", _reshaped,
        (lambda op, i, g: reshape_like(g, op.input(0)), State.NOT_DIFFERENTIABLE),
        _np_reshape, options="ReshapeOptions", cost=lambda op: 0,
    ),
    OpRow(
        "TRANSPOSE", _transposed, (_back_permuted, State.NOT_DIFFERENTIABLE),
        lambda xs, _: [np.transpose(xs[0], xs[1])], options="TransposeOptions", cost=lambda op: 0,
    ),
    OpRow(
        "CONCATENATION", _joined, (_own_part,),
        lambda xs, options: [np.concatenate(xs, options["axis"])],
        options="ConcatenationOptions", cost=lambda op: 0,
    ),
    OpRow(
        "SLICE", _sliced, (_put_back, State.NOT_DIFFERENTIABLE, State.NOT_DIFFERENTIABLE),
        _np_slice, options="SliceOptions", cost=lambda op: 0,
    ),
    OpRow(
        "STRIDED_SLICE", _strided, (_put_back, *[State.NOT_DIFFERENTIABLE] * 3),
        _np_strided, options="StridedSliceOptions", cost=lambda op: 0,
    ),
    OpRow(
        "PAD", _padded, (_unpadded, State.NOT_DIFFERENTIABLE),
        lambda xs, _: [np.pad(xs[0], xs[1])], options="PadOptions", cost=lambda op: 0,
    ),
    OpRow(
        "ZEROS_LIKE", _alike, (State.ZERO,),
        lambda xs, _: [np.zeros_like(xs[0])], options="ZerosLikeOptions", cost=lambda op: 0,
    ),
)  # fmt: skip
