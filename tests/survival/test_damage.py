"""Truncated files and flipped bits: a model or an error, never a crash or a hang."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from scale import NIGHTLY, run_script, scaled

import sartor

Convert = Callable[..., Path]
REAL_BASES = ["kws_ref_model.tflite"]
if NIGHTLY:
    REAL_BASES += ["pretrainedResnet.tflite", "vww_96_int8.tflite"]


def check(lines: list[str], count: int) -> Counter[str]:
    """Compare the outcome of each case with the allowed ones."""
    outcomes = Counter(line.split()[1] for line in lines)
    crashes = [line for line in lines if line.split()[1] == "CRASH"]
    assert not crashes, f"{len(crashes)} of {count} seeds crash:\n" + "\n".join(crashes)
    assert sum(outcomes.values()) == count
    assert outcomes["strange"] <= count / 50
    return outcomes


@pytest.mark.parametrize(
    ("file", "quick", "nightly"),
    [
        ("model", 80, 2500),
        ("fields", 80, 2500),
        ("checkpoint", 50, 1000),
        ("store", 50, 1000),
        ("project", 40, 500),
    ],
)
def test_a_damaged_file_is_refused_or_works(
    tiny: Convert, tmp_path: Path, file: str, quick: int, nightly: int
) -> None:
    tiny("model")
    count = scaled(quick, nightly)
    outcomes = check(run_script("damages", tmp_path, file, 0, count), count)
    assert outcomes["strange"] == 0 or file in ("model", "fields")
    assert outcomes["refused"] > count / 10
    # the digest of a checkpoint detects nearly all damage
    assert outcomes["works"] > 0 or file == "checkpoint"


HEADS = {"mlp": sartor.MLP(hidden=(8,)), "cosine": sartor.CosineClassifier()}


@pytest.mark.parametrize("head", HEADS)
def test_a_damaged_file_of_another_head_causes_no_crash(
    tiny: Convert, tmp_path: Path, head: str
) -> None:
    tiny("model", optimizer=sartor.Adam(), head=HEADS[head])
    count = scaled(30, 1000)
    check(run_script("damages", tmp_path, "model", 0, count), count)


@pytest.mark.parametrize("name", REAL_BASES)
def test_a_damaged_file_of_a_real_base_causes_no_crash(
    shared_models: Path, tmp_path: Path, name: str
) -> None:
    sartor.convert(shared_models / name, classes=4, batch_size=8).save(tmp_path / "model.tflite")
    count = scaled(40, 1000)
    check(run_script("damages", tmp_path, "model", 0, count), count)
