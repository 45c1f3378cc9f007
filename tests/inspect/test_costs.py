"""Multiply-adds of ops, counted by hand, and the first cut of a personalizable file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import sartor
from sartor.contract.manifest import Manifest
from sartor.costs import multiply_adds
from sartor.graph import DType, Graph, Op
from sartor.inspection import ModelDescription
from sartor.runtime.store.codec import FeatureCodec

CASES = Path(__file__).parents[2] / "contract" / "cases"

# Op → shapes of its inputs (constants in brackets), shape of its output, multiply-adds.
BY_HAND: dict[str, tuple[list[tuple[int, ...] | list[int]], tuple[int, ...], int | None]] = {
    "CONV_2D": ([(1, 5, 5, 3), [8, 3, 2, 3]], (1, 4, 4, 8), 16 * 8 * (3 * 2 * 3)),
    "CONV_2D grouped": ([(1, 5, 5, 6), [8, 3, 3, 2]], (1, 5, 5, 8), 25 * 8 * (3 * 3 * 2)),
    "DEPTHWISE_CONV_2D": ([(1, 5, 5, 3), [1, 3, 2, 6]], (1, 4, 4, 6), 16 * 6 * (3 * 2)),
    "CONV_3D": ([(1, 4, 4, 4, 2), [3, 3, 3, 2, 5]], (1, 2, 2, 2, 5), 8 * 5 * (27 * 2)),
    "TRANSPOSE_CONV": ([[4], [7, 2, 2, 3], (1, 4, 4, 3)], (1, 8, 8, 7), 16 * 3 * (2 * 2 * 7)),
    "FULLY_CONNECTED": ([(1, 6), [4, 6]], (1, 4), 24),
    "FULLY_CONNECTED rows": ([(1, 5, 6), [4, 6]], (5, 4), 5 * 24),
    "BATCH_MATMUL": ([(2, 3, 4), (2, 4, 5)], (2, 3, 5), 2 * 3 * 4 * 5),
    "UNIDIRECTIONAL_SEQUENCE_RNN": ([(1, 9, 4), [6, 4], [6, 6], [6]], (1, 9, 6), 9 * 6 * (4 + 6)),
    "SVDF": ([(1, 4), [6, 4], [6, 10]], (1, 6), 6 * 4 + 6 * 10),
    "ADD": ([(1, 4), (1, 4)], (1, 4), 0),
    "WHILE": ([(1, 4)], (1, 4), None),
    "CONV_2D broken": ([(1, 5, 5, 3), []], (1, 4, 4, 8), None),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_multiply_adds_of_an_op(name: str) -> None:
    shapes, output_shape, count = BY_HAND[name]
    graph = Graph()
    inputs = [
        graph.constant(np.zeros(shape, np.float32), str(shape))
        if isinstance(shape, list)
        else graph.input(str(shape), shape)
        for shape in shapes
    ]
    if name == "CONV_2D broken":
        inputs = inputs[:1]
    op = Op(name.split()[0], inputs, [graph.tensor("y", DType.FLOAT32, output_shape)])
    assert multiply_adds(op) == count


@pytest.mark.parametrize("path", sorted(CASES.glob("*.tflite")), ids=lambda path: path.stem)
def test_the_first_cut_of_a_personalizable_file_is_its_features(path: Path) -> None:
    description = sartor.describe(path)
    assert isinstance(description, ModelDescription)
    assert isinstance(description.manifest, Manifest)
    first = description.cuts[0]
    specs = description.manifest.features
    assert (first.is_default, first.parameters_after) == (True, 0)
    assert first.features == tuple(spec.name for spec in specs)
    assert [each.shape[1:] for each in first.tensors] == [spec.shape for spec in specs]
    rows = [np.full((1, *s.shape), s.scale or 0.5, np.float32) for s in specs]
    assert len(FeatureCodec(specs).encode([rows])[1]) == first.bytes_per_sample
