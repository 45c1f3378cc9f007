"""Changed and damaged files: a model or an error, never a crash, a hang or a wrong answer."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest
from scale import NIGHTLY, run_script, scaled

SHARED = Path(__file__).parents[2].parent / "shared"
CUSTOM = ("custom_op_first", "flex_rfft")  # LiteRT alone does not run them


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for the files, with models that users bring, if they are there."""
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "bases").mkdir()
    paths = [*(SHARED / "cases" / "models").glob("*.tflite")]
    if NIGHTLY:
        paths += (SHARED / "models").glob("kws*.tflite")
    for path in paths:
        if path.stem not in CUSTOM:
            shutil.copyfile(path, folder / "bases" / path.name)
    return folder


@pytest.mark.parametrize(
    ("kind", "quick", "nightly"),
    [
        ("base", 80, 8000),
        ("model", 40, 2000),
        ("checkpoint", 60, 2000),
        ("store", 50, 2000),
        ("project", 40, 1000),
        ("image", 40, 1000),
    ],
)
def test_a_changed_file_is_refused_or_works(
    folder: Path, kind: str, quick: int, nightly: int
) -> None:
    count = scaled(quick, nightly)
    *failed, counts = run_script("fuzz", "run", folder, kind, 0, count)
    assert not failed, f"{len(failed)} of {count} seeds go wrong:\n" + "\n".join(failed)
    outcomes = Counter(
        {name: int(n) for name, n in (each.split("=") for each in counts.split()[2:])}
    )
    assert outcomes.total() == count
    assert min(outcomes["works"], outcomes["refused"]) > count / 20, counts
