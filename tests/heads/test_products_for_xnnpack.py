"""XNNPACK of TensorFlow Lite 2.16 runs a product of matrices only in the form `x @ yᵀ`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sartor.flatbuffer import read
from sartor.heads import MLP, SoftmaxClassifier


@pytest.mark.parametrize("head", [SoftmaxClassifier(), MLP(hidden=(6,))], ids=str)
def test_matrix_products_have_a_transposed_second_input(
    tiny: Callable[..., Path], head: SoftmaxClassifier | MLP
) -> None:
    model = read(tiny(head=head))
    products = [
        op for each in model.signatures for op in each.graph.ops if op.code == "BATCH_MATMUL"
    ]
    assert len(products) >= 4
    assert all(op.options["adjY"] and not op.options["adjX"] for op in products)
