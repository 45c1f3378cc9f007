"""Several processes on one store, and a clock that jumps."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest
from scale import lines_of

from sartor import PersonalModel

Convert = Callable[..., Path]


@pytest.mark.parametrize("bound", [0, 40])
def test_processes_on_one_store(tiny: Convert, tmp_path: Path, bound: int) -> None:
    tiny("model", classes=8)
    found = json.loads(lines_of("sharing", tmp_path, bound)[-1])
    assert found["added"] == 120
    assert found["trained"][0] < 120
    assert found["right"] > 0.9
    assert set("bcdef") <= set(found["labels"]) <= set("abcdef")
    if bound:
        assert 35 <= found["left"] <= bound
    else:
        assert found["lost"] == []
        assert 100 <= found["left"] <= 120


JUMPS = {
    "forward": [1e9, 1.5e9, 2e9, 4e9],
    "backward": [1.9e9, 1e9, 5.0, 4.0],
    "to and fro": [1e9, 2e9, 0.0, 3e9],
    "not at all": [1e9, 1e9, 1e9, 1e9],
}


def life(path: Path, folder: Path) -> tuple[list[datetime], bytes, object]:
    """Return the times of samples, the last checkpoint, and a prediction."""
    rng = np.random.default_rng(0)
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
    _, *expected = life(path, tmp_path / "without")

    def jumping() -> float:
        calls.append(0)
        return JUMPS[jumps][len(calls) % 4]

    monkeypatch.setattr(time, "time", jumping)
    added, *found = life(path, tmp_path / "with")
    assert found == expected
    assert set(added) <= {datetime.fromtimestamp(each, timezone.utc) for each in JUMPS[jumps]}
