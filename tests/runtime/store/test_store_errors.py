"""Invalid samples, unknown classes and closed stores: an error, and no change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stores import HALF, SIZE, add, content, create_store, feature_row, manifest

from sartor.errors import DataError, StoreError
from sartor.runtime.store import SampleStore

WRONG: dict[str, tuple[Any, Any, str]] = {
    "no row": ([], {"hat": 1}, "at least one row"),
    "no tensor": ([[]], {"hat": 1}, "1 features tensors"),
    "other shape": ([[np.zeros((1, 3), np.float32)]], {"hat": 1}, r"float32 \[1, 24\]"),
    "two rows": ([[np.zeros((2, SIZE), np.float32)]], {"hat": 1}, r"float32 \[1, 24\]"),
    "other type": ([[np.zeros((1, SIZE))]], {"hat": 1}, "float64"),
    "not finite": ([[np.full((1, SIZE), np.nan, np.float32)]], {"hat": 1}, "not finite"),
    "infinite": ([[np.full((1, SIZE), np.inf, np.float32)]], {"hat": 1}, "not finite"),
    "no target": ([feature_row(0)], {}, "needs a target"),
    "two classes": ([feature_row(0)], {"hat": 1, "shoes": 1}, "one class"),
    "half a class": ([feature_row(0)], {"hat": 0.5}, "one class"),
    "no name": ([feature_row(0)], {" ": 1}, "name of a class"),
    "a long name": ([feature_row(0)], {"x" * 1001: 1}, "name of a class"),
    "half a pair": ([feature_row(0)], {"\ud800": 1}, "half of a surrogate pair"),
    "a NaN": ([feature_row(0)], {"hat": float("nan")}, "finite"),
}


@pytest.mark.parametrize("name", WRONG)
def test_an_invalid_sample_is_refused_and_changes_nothing(name: str) -> None:
    rows, targets, message = WRONG[name]
    with create_store(None) as store:
        before = content(store)
        with pytest.raises(DataError, match=message):
            store.add(rows, targets)
        assert content(store) == before


@pytest.mark.parametrize(
    "label", ["hat", "a\0b", "'; DROP TABLE sample; --", "帽子", "🎩", "x" * 1000]
)
def test_any_text_is_a_label(label: str, tmp_path: Path) -> None:
    with SampleStore(tmp_path / "s", manifest()) as store:
        store.add([feature_row(0)], {label: 1})
        assert store.counts() == {label: 1}
        assert len(store.select(label=label)) == 1


MISSING: dict[str, Callable[[SampleStore], None]] = {
    "no sample 99": lambda store: store.forget([3, 99]),
    "no class 'socks'; its classes: hat, shoes, dress": lambda store: store.forget_class("socks"),
    "no class 'socks'": lambda store: store.rename("socks", "hats"),
    "a class 'shoes' already": lambda store: store.rename("hat", "shoes"),
}


@pytest.mark.parametrize("message", MISSING)
def test_unknown_samples_and_classes_are_refused(message: str) -> None:
    with create_store(None) as store:
        with pytest.raises(DataError, match=message):
            MISSING[message](store)
        assert len(store) == 12


def test_a_closed_store_raises_an_error() -> None:
    store = create_store(None)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.samples()
    with pytest.raises(StoreError, match="closed"):
        add(store, 0)


def test_closing_within_a_transaction_rolls_it_back(tmp_path: Path) -> None:
    store = create_store(tmp_path / "s")
    with pytest.raises(StoreError, match="closed"):
        add_and_close(store)
    with SampleStore(tmp_path / "s", manifest()) as store:
        assert len(store) == 12


def add_and_close(store: SampleStore) -> None:
    with store.transaction():
        add(store, 12)
        store.close()


@pytest.mark.parametrize("bound", [{"max_samples": 0}, {"max_bytes": -1}])
def test_a_limit_below_1_is_refused(bound: dict[str, int]) -> None:
    with pytest.raises(DataError, match="at least 1"):
        SampleStore(None, manifest(HALF), **bound)  # type: ignore[arg-type]
