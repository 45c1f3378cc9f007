"""Full disks and read-only folders."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from scale import run_script

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no such limits on Windows")

MOUNTS = "unshare", "--mount"


def _can_mount() -> bool:
    if shutil.which(MOUNTS[0]) is None:
        return False
    command = [*MOUNTS, "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


PREFIX: dict[str, tuple[str, ...]] = {"mount": MOUNTS, "tmpfs": MOUNTS} if _can_mount() else {}


@pytest.fixture
def folder(image_model: Callable[..., Path]) -> Iterator[Path]:
    """A folder with a model, outside the folder of pytest, which only one user can read."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "open"
        path.mkdir()
        shutil.copy(image_model(classes=6), path / "model.tflite")
        path.parent.chmod(0o755)
        yield path
        path.chmod(0o755)


@pytest.mark.parametrize("method", ["limit", *(["tmpfs"] if PREFIX else [])])
def test_a_full_disk_changes_nothing(folder: Path, method: str) -> None:
    lines = run_script("full", folder, method, prefix=PREFIX.get(method, ()))
    assert len(lines) == 8
    assert all(line.endswith(" ok") for line in lines)


@pytest.mark.parametrize("method", ["user", *(["mount"] if PREFIX else [])])
def test_reading_works_in_a_read_only_folder(folder: Path, method: str) -> None:
    lines = run_script("read_only", folder, method, prefix=PREFIX.get(method, ()))
    assert sum("error: " in line for line in lines) == 6
    assert sum(line.endswith("works") for line in lines) == 5
