"""The gradient rules of ops on images, with random geometries."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from image_cases import SAME, VALID, distinct, pool, window
from op_cases import ACTIVATIONS, Case, ints, real

from sartor.ops._activation import Activation
from sartor.testing import Uniform, check_gradients

random_cases = settings(
    deadline=None, derandomize="CI" in os.environ, max_examples=40, database=None
)
KINDS = st.sampled_from([Activation.NONE, *ACTIVATIONS])
PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))
SIZES = st.tuples(st.integers(1, 7), st.integers(1, 7))


def check(case: Case) -> None:
    check_gradients(case.build, case.inputs, directions=3)


@st.composite
def geometries(draw: st.DrawFn) -> tuple[tuple[int, int], tuple[int, int], dict[str, Any]]:
    """Return the size of an image, that of a window, and options under which it fits."""
    size, lengths, padding = draw(SIZES), draw(PAIRS), draw(st.sampled_from([SAME, VALID]))
    one = st.just((1, 1))
    stride, dilation = draw(st.one_of(st.tuples(PAIRS, one), st.tuples(one, PAIRS)))
    reach = [(n - 1) * d + 1 for n, d in zip(lengths, dilation, strict=True)]
    assume(padding == SAME or all(n >= r for n, r in zip(size, reach, strict=True)))
    return size, lengths, window(padding, stride, dilation)


@given(geometries(), st.integers(1, 2), st.integers(1, 2), st.integers(1, 2), KINDS)
@random_cases
def test_convolutions(
    geometry: Any, groups: int, depth: int, channels: int, kind: Activation
) -> None:
    size, lengths, options = geometry
    x = Uniform((2, *size, groups * depth), -4.0, 4.0)
    weights = real(groups * channels, *lengths, depth)
    fused = {**options, "fusedActivationFunction": int(kind)}
    check(Case("CONV_2D", "", (x, weights, real(groups * channels)), fused))


@given(geometries(), st.integers(1, 3), st.integers(1, 2), KINDS)
@random_cases
def test_depthwise_convolutions(
    geometry: Any, channels: int, multiplier: int, kind: Activation
) -> None:
    size, lengths, options = geometry
    x = Uniform((2, *size, channels), -4.0, 4.0)
    outputs = channels * multiplier
    fused = {**options, "fusedActivationFunction": int(kind), "depthMultiplier": multiplier}
    check(Case("DEPTHWISE_CONV_2D", "", (x, real(1, *lengths, outputs), real(outputs)), fused))


@given(geometries(), st.integers(1, 2), st.integers(1, 3))
@random_cases
def test_transposed_convolutions(geometry: Any, depth: int, channels: int) -> None:
    size, lengths, options = geometry
    strides = {key: options[key] for key in ("padding", "strideH", "strideW")}
    assume(options["dilationHFactor"] == options["dilationWFactor"] == 1)
    outputs = [
        -(-(n if strides["padding"] == SAME else n - length + 1) // strides[f"stride{axis}"])
        for n, length, axis in zip(size, lengths, "HW", strict=True)
    ]
    args = (ints(2, *size, channels), real(channels, *lengths, depth), real(2, *outputs, depth))
    check(Case("TRANSPOSE_CONV", "", (*args, real(channels)), strides))


@given(SIZES, PAIRS, PAIRS, st.sampled_from([SAME, VALID]), KINDS)
@random_cases
def test_pooling(size: Any, lengths: Any, strides: Any, padding: int, kind: Activation) -> None:
    assume(padding == SAME or all(n >= k for n, k in zip(size, lengths, strict=True)))
    options = {**pool(lengths, padding, strides), "fusedActivationFunction": int(kind)}
    check(Case("AVERAGE_POOL_2D", "", (Uniform((2, *size, 2), -4.0, 4.0),), options))
    image = distinct(2, *size, 2)
    check_gradients(Case("MAX_POOL_2D", "", (Uniform(image.shape),), options).build, [image])


@given(
    st.sampled_from(["RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"]),
    SIZES,
    SIZES,
    st.sampled_from([{}, {"alignCorners": True}, {"halfPixelCenters": True}]),
)
@random_cases
def test_resizing(code: str, size: Any, new_size: Any, options: dict[str, bool]) -> None:
    check(Case(code, "", (real(2, *size, 2), ints(*new_size)), options))


@given(st.integers(1, 3), SIZES, st.integers(1, 2))
@random_cases
def test_blocks(block: int, size: Any, channels: int) -> None:
    x = real(2, size[0] * block, size[1] * block, channels)
    check(Case("SPACE_TO_DEPTH", "", (x,), {"blockSize": block}))
    x = real(2, *size, channels * block * block)
    check(Case("DEPTH_TO_SPACE", "", (x,), {"blockSize": block}))


def test_the_elements_of_an_image_for_pooling_differ() -> None:
    image = distinct(2, 3, 4, 2)
    assert np.diff(np.sort(image.ravel())).min() > 0.05
