"""Cases of ops on images: convolutions, pooling, resizing, blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
from op_cases import ACTIVATIONS, Case, across_bounds, ints, real

from sartor.testing import Uniform

SAME, VALID = 0, 1


def distinct(*shape: int) -> np.ndarray:
    """Return an image whose elements differ by 0.1 or more, away from kinks of activations."""
    size = int(np.prod(shape))
    values = np.random.default_rng(size).permutation(size) * 0.1 - 1.03
    return values.reshape(shape).astype(np.float32)


def window(padding: int = SAME, stride: Any = 1, dilation: Any = 1) -> dict[str, int]:
    """Return the options of a window; a pair has different values for height and width."""
    (down, right), (high, wide) = np.broadcast_to(stride, 2), np.broadcast_to(dilation, 2)
    return {
        "padding": padding, "strideH": int(down), "strideW": int(right),
        "dilationHFactor": int(high), "dilationWFactor": int(wide),
    }  # fmt: skip


def pool(size: Any, padding: int = VALID, stride: Any = 1) -> dict[str, int]:
    high, wide = np.broadcast_to(size, 2)
    options = {k: v for k, v in window(padding, stride).items() if "dilation" not in k}
    return {**options, "filterHeight": int(high), "filterWidth": int(wide)}


GEOMETRIES: list[tuple[str, tuple[int, int], tuple[int, int], dict[str, int]]] = [
    ("1x1", (3, 2), (1, 1), window()),
    ("1x1, stride 2", (4, 3), (1, 1), window(VALID, 2)),
    ("3x3, SAME", (4, 5), (3, 3), window()),
    ("3x3, VALID", (4, 5), (3, 3), window(VALID)),
    ("2x3, SAME, more padding after than before", (3, 4), (2, 3), window()),
    ("3x3, SAME, stride 2, even", (4, 6), (3, 3), window(SAME, 2)),
    ("3x3, SAME, stride 2, odd", (5, 3), (3, 3), window(SAME, 2)),
    ("3x3, VALID, stride 2, a row left over", (6, 5), (3, 3), window(VALID, 2)),
    ("2x2, VALID, stride 3: elements between windows", (6, 7), (2, 2), window(VALID, 3)),
    ("3x2, SAME, strides 2 and 1", (4, 3), (3, 2), window(SAME, (2, 1))),
    ("1x3, VALID, strides 1 and 3", (3, 7), (1, 3), window(VALID, (1, 3))),
    ("3x3, SAME, dilation 2", (5, 6), (3, 3), window(SAME, 1, 2)),
    ("2x2, VALID, dilations 1 and 3", (3, 5), (2, 2), window(VALID, 1, (1, 3))),
    ("the window is the image", (3, 2), (3, 2), window(VALID)),
    ("SAME, the window is larger than the image", (2, 2), (5, 5), window()),
]


def _convolutions() -> list[Case]:
    cases = []
    for description, size, lengths, options in GEOMETRIES:
        x = real(2, *size, 2)
        weights = real(3, *lengths, 2)
        cases.append(Case("CONV_2D", description, (x, weights, real(3)), options, rows=(0,)))
        filters = {**options, "depthMultiplier": 2}
        each = (x, real(1, *lengths, 4), real(4))
        cases.append(Case("DEPTHWISE_CONV_2D", description, each, filters, rows=(0,)))
    return cases


def _transposed() -> list[Case]:
    cases = []
    for description, size, lengths, options in GEOMETRIES:
        strides = {key: value for key, value in options.items() if "dilation" not in key}
        if "dilation" in description:
            continue
        outputs = [
            -(-(n if options["padding"] == SAME else n - length + 1) // options[f"stride{axis}"])
            for n, length, axis in zip(size, lengths, "HW", strict=True)
        ]
        shape = np.array([2, *size, 3], np.int32)
        args = (shape, real(3, *lengths, 2), real(2, *outputs, 2), real(3))
        cases.append(Case("TRANSPOSE_CONV", description, args, strides))
    return cases


def _activated(code: str, *args: Uniform | np.ndarray, **options: Any) -> list[Case]:
    return [
        Case(code, f"then {kind.name}", args, {**options, "fusedActivationFunction": int(kind)})
        for kind in ACTIVATIONS
    ]


def _pools(code: str, make: Any) -> list[Case]:
    return [
        Case(code, "2x2, VALID, stride 2", (make(2, 4, 6, 2),), pool(2, VALID, 2), rows=(0,)),
        Case(code, "3x3, SAME", (make(2, 4, 3, 2),), pool(3, SAME), rows=(0,)),
        Case(code, "3x3, SAME, stride 2", (make(2, 5, 4, 2),), pool(3, SAME, 2), rows=(0,)),
        Case(code, "2x2, SAME, stride 2, odd", (make(2, 5, 3, 2),), pool(2, SAME, 2), rows=(0,)),
        Case(code, "3x2, VALID, strides 1 and 2", (make(2, 4, 5, 1),), pool((3, 2), VALID, (1, 2)),
             rows=(0,)),
        Case(code, "2x2, VALID, stride 3", (make(2, 5, 6, 1),), pool(2, VALID, 3), rows=(0,)),
        Case(code, "the whole image", (make(2, 3, 4, 2),), pool((3, 4)), rows=(0,)),
        Case(code, "all but the last row", (make(2, 4, 3, 2),), pool((3, 3), VALID, 3), rows=(0,)),
        Case(code, "SAME, larger than the image", (make(2, 3, 2, 2),), pool(7, SAME), rows=(0,)),
    ]  # fmt: skip


def _resizes(code: str) -> list[Case]:
    cases = []
    for corners, half in ((False, False), (True, False), (False, True)):
        for size in ((6, 8), (5, 3), (1, 2), (2, 7)):
            options = {"alignCorners": corners, "halfPixelCenters": half}
            args = (real(2, 3, 4, 2), ints(*size))
            cases.append(Case(code, f"to {size}, {options}", args, options, rows=(0,)))
    return cases


IMAGE_CASES = [
    *_convolutions(),
    Case("CONV_2D", "two groups", (real(2, 4, 3, 4), real(6, 3, 3, 2), real(6)), window(),
         rows=(0,)),
    Case("CONV_2D", "one channel in each group, stride 2",
         (real(2, 4, 5, 3), real(6, 2, 2, 1), real(6)), window(VALID, 2), rows=(0,)),
    Case("CONV_2D", "constant weights", (real(2, 4, 4, 2), distinct(3, 3, 3, 2), real(3)),
         window(SAME, 2), rows=(0,)),
    *_activated("CONV_2D", across_bounds(2, 4, 4, 2), real(3, 3, 3, 2), real(3), **window()),
    Case("DEPTHWISE_CONV_2D", "one filter for each channel",
         (real(2, 4, 4, 3), real(1, 3, 3, 3), real(3)), window(), rows=(0,)),
    Case("DEPTHWISE_CONV_2D", "constant weights", (real(2, 4, 4, 2), distinct(1, 3, 3, 2), real(2)),
         window(SAME, 2), rows=(0,)),
    *_activated("DEPTHWISE_CONV_2D", across_bounds(2, 4, 4, 3), real(1, 3, 3, 3), real(3),
                **window()),
    *_transposed(),
    Case("TRANSPOSE_CONV", "no bias", (ints(2, 4, 4, 3), real(3, 3, 3, 2), real(2, 2, 2, 2)),
         {"padding": SAME, "strideH": 2, "strideW": 2}),
    *_activated("TRANSPOSE_CONV", ints(1, 4, 4, 3), real(3, 3, 3, 2), across_bounds(1, 4, 4, 2),
                real(3), padding=SAME, strideH=1, strideW=1),
    *_pools("AVERAGE_POOL_2D", real),
    *_activated("AVERAGE_POOL_2D", across_bounds(2, 4, 4, 2), **pool(2)),
    *_pools("MAX_POOL_2D", across_bounds),
    *_activated("MAX_POOL_2D", across_bounds(2, 4, 4, 2), **pool(2)),
    *_resizes("RESIZE_BILINEAR"),
    *_resizes("RESIZE_NEAREST_NEIGHBOR"),
    Case("RESIZE_NEAREST_NEIGHBOR", "to (6, 8), half pixels, aligned corners",
         (real(2, 3, 4, 1), ints(6, 8)), {"alignCorners": True, "halfPixelCenters": True},
         rows=(0,)),
    Case("SPACE_TO_DEPTH", "blocks of 2", (real(2, 4, 6, 3),), {"blockSize": 2}, rows=(0,)),
    Case("DEPTH_TO_SPACE", "blocks of 2", (real(2, 3, 2, 8),), {"blockSize": 2}, rows=(0,)),
]  # fmt: skip
