"""Truncated files and flipped bits: a model or an error, never a crash or a hang."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from scale import NIGHTLY, lines_of, scaled

import sartor

Convert = Callable[..., Path]
REAL = ["kws_ref_model.tflite"]
if NIGHTLY:
    REAL += ["pretrainedResnet.tflite", "vww_96_int8.tflite"]


def check(lines: list[str], count: int) -> Counter[str]:
    """Compare the outcome of each case with the allowed ones."""
    found = Counter(line.split()[1] for line in lines)
    bad = [line for line in lines if line.split()[1] == "CRASH"]
    assert not bad, f"{len(bad)} of {count} seeds crash:\n" + "\n".join(bad)
    assert sum(found.values()) == count
    assert found["strange"] <= count / 50
    return found


@pytest.mark.parametrize(
    ("kind", "quick", "nightly"),
    [
        ("model", 80, 2500),
        ("fields", 80, 2500),
        ("checkpoint", 50, 1000),
        ("store", 50, 1000),
        ("project", 40, 500),
    ],
)
def test_a_damaged_file(tiny: Convert, tmp_path: Path, kind: str, quick: int, nightly: int) -> None:
    tiny("model")
    count = scaled(quick, nightly)
    found = check(lines_of("damages", tmp_path, kind, 0, count), count)
    assert found["strange"] == 0 or kind in ("model", "fields")
    assert found["refused"] > count / 10
    assert found["works"] > 0


HEADS = {"mlp": sartor.MLP(hidden=(8,)), "cosine": sartor.CosineClassifier()}


@pytest.mark.parametrize("head", HEADS)
def test_a_damaged_file_of_another_head(tiny: Convert, tmp_path: Path, head: str) -> None:
    tiny("model", optimizer=sartor.Adam(), head=HEADS[head])
    count = scaled(30, 1000)
    check(lines_of("damages", tmp_path, "model", 0, count), count)


@pytest.mark.parametrize("name", REAL)
def test_a_damaged_file_of_a_real_base(shared_models: Path, tmp_path: Path, name: str) -> None:
    sartor.convert(shared_models / name, classes=4, batch_size=8).save(tmp_path / "model.tflite")
    count = scaled(40, 1000)
    check(lines_of("damages", tmp_path, "model", 0, count), count)
