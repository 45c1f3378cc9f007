"""Several processes on one store, and a clock that jumps."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest
from scale import run_script

from sartor import PersonalModel
from sartor.runtime.store import writing

Convert = Callable[..., Path]


@pytest.mark.parametrize("max_samples", [0, 40])
def test_several_processes_can_use_one_store(
    tiny: Convert, tmp_path: Path, max_samples: int
) -> None:
    tiny("model", classes=8)
    result = json.loads(run_script("sharing", tmp_path, max_samples)[-1])
    assert result["added"] == 120
    assert result["training_sizes"][0] < 120
    assert result["accuracy"] > 0.9
    assert set("bcdef") <= set(result["labels"]) <= set("abcdef")
    if max_samples:
        assert 35 <= result["remaining"] <= max_samples
    else:
        assert result["lost"] == []
        assert 100 <= result["remaining"] <= 120


JUMPS = {
    "forward": [1e9, 1.5e9, 2e9, 4e9],
    "backward": [1.9e9, 1e9, 5.0, 4.0],
    "to and fro": [1e9, 2e9, 0.0, 3e9],
    "not at all": [1e9, 1e9, 1e9, 1e9],
}


def use_model(path: Path, folder: Path) -> tuple[list[datetime], bytes, object]:
    """Use a model; return the times of its samples, its checkpoint and a prediction."""
    rng = np.random.default_rng(1)  # of no two alike samples, whose times say if they are a burst
    folder.mkdir()
    with PersonalModel(path, store=folder / "s", max_samples=10) as model:
        for number in range(14):
            model.add_sample(rng.normal(size=(1, 8)).astype(np.float32), "abc"[number % 3])
        model.rename_class("a", "d")
        model.forget(model.samples[0].id)
        model.fit(patience=3)
        model.fit(5, warm_start=True)
        model.save(folder / "c")
        model.export_project(folder / "p")
        model.import_project(folder / "p")
        added = [each.added for each in model.samples]
        return added, (folder / "c").read_bytes(), model.predict(np.ones((1, 8), np.float32))


@pytest.mark.parametrize("jumps", JUMPS)
def test_only_the_times_of_samples_depend_on_the_clock(
    tiny: Convert, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jumps: str
) -> None:
    path, calls = tiny(), []
    keys = itertools.cycle(f"{number:032}" for number in range(3))  # of a, b and c
    monkeypatch.setattr(writing, "new_key", lambda: next(keys))
    _, *expected = use_model(path, tmp_path / "without")

    def jump() -> float:
        calls.append(0)
        return JUMPS[jumps][len(calls) % 4]

    monkeypatch.setattr(time, "time", jump)
    added, *actual = use_model(path, tmp_path / "with")
    assert actual == expected
    assert set(added) <= {datetime.fromtimestamp(each, timezone.utc) for each in JUMPS[jumps]}
