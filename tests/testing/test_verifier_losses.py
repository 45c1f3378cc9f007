"""The verifier detects wrongly weighted losses and missing imprints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from verifier_helpers import (
    FIRST,
    convert_base,
    failures,
)

import sartor
from sartor.graph import Tensor
from sartor.heads import SoftmaxClassifier
from sartor.ops import add, div, maximum, mean, mul, reduce_sum
from sartor.passes import attach_loss


def _sum(values: Tensor, weights: Tensor) -> Tensor:
    return reduce_sum(mul(values, weights), [0], keep_dims=True)


def _mean(values: Tensor) -> Tensor:
    return mean(values, [0], keep_dims=True)


LOSSES: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], set[str]]] = {
    "a sum instead of a mean": (_sum, {"the loss is a weighted mean"}),
    "a mean over all rows": (
        lambda values, weights: div(_sum(values, weights), 6.0), {"the loss is a weighted mean"},
    ),
    "weights squared": (
        lambda values, weights: div(
            _sum(values, mul(weights, weights)), maximum(_sum(weights, weights), 1e-6)
        ),
        {"the loss is a weighted mean"},
    ),
    "ignored weights": (
        lambda values, weights: add(_mean(values), mul(_sum(weights, weights), 0.0)),
        {
            "rows with weight 0 do not change the loss",
            "with all weights 0 the loss ignores the labels",
        },
    ),
    "a sum of weights without a lower limit": (
        lambda values, weights: div(_sum(values, weights), mul(_mean(weights), 6.0)),
        {
            "with all weights 0 the loss ignores the labels",
            "a step with all weights 0 keeps variables finite",
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
def test_a_wrongly_weighted_loss_fails(
    name: str, tiny_base: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    loss, expected = LOSSES[name]
    monkeypatch.setattr(attach_loss, "weighted_mean", loss)
    assert set(failures(convert_base(tiny_base).content)) == expected


class ZeroImprint(SoftmaxClassifier):
    """A head that imprints zeros."""

    def imprint(self, *arguments: Any) -> dict[str, Tensor]:
        return {name: mul(value, 0.0) for name, value in super().imprint(*arguments).items()}


def test_a_class_without_imprinted_weights_fails(tiny_base: bytes) -> None:
    conversion = sartor.convert(tiny_base, classes=4, head=ZeroImprint())
    assert set(failures(conversion.content)) == {FIRST}
