"""Stores of an older or a newer Sartor."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from stores import feature_row, manifest

from sartor.contract.manifest import FeatureSpec
from sartor.errors import StoreError
from sartor.runtime.store import SampleStore, schema

MODEL = manifest(FeatureSpec("features", (4,)))
FIXTURE = Path(__file__).with_name("version_1.sql")


@pytest.fixture
def old_store(tmp_path: Path) -> Path:
    path = tmp_path / "old"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(FIXTURE.read_text())
    return path


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        (number,) = connection.execute("PRAGMA user_version").fetchone()
    return int(number)


def check(path: Path) -> None:
    """Check that nothing of the old store is lost."""
    with SampleStore(path, MODEL) as store:
        assert {s.id: (s.label, s.source, s.held_out) for s in store.samples()} == {
            1: ("hat", "01" * 8, False),
            3: ("shoes", "03" * 8, False),
        }
        assert store.samples()[0].added.timestamp() == 1700000001.5
        rows = store.select()
        np.testing.assert_array_equal(rows.samples, [1, 1, 3, 3])
        np.testing.assert_array_equal(rows.features[0][1:3], [[0, 0.5, 1, 1.5], [0, 1.5, 3, 4.5]])
        assert list(store.photos()) == []


def test_an_old_store_is_upgraded(old_store: Path) -> None:
    check(old_store)
    assert version(old_store) == schema.VERSION == 2
    with SampleStore(old_store, MODEL) as store:
        sample = feature_row(0, FeatureSpec("features", (4,)))
        assert store.add([sample], {"hat": 1}, held_out=True, photo=b"photo") == 4
        assert [each.held_out for each in store.samples()] == [False, False, True]


def test_an_old_store_of_another_base_is_not_upgraded(old_store: Path) -> None:
    with pytest.raises(StoreError, match="another base"):
        SampleStore(old_store, manifest(base="another"))
    assert version(old_store) == 1


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[3])
from pathlib import Path
from sartor.runtime.store import SampleStore, schema
from test_migration import MODEL

remaining = int(sys.argv[2])

def run(connection, script):
    global remaining
    for statement in script.split(";"):
        if not remaining:
            os.kill(os.getpid(), signal.SIGKILL)
        remaining -= 1
        connection.execute(statement)

original, schema.upgrade = schema.upgrade, None
schema._run = run
def upgrade(connection, version):
    original(connection, version)
    os.kill(os.getpid(), signal.SIGKILL)
import sartor.runtime.store.database as database
database.upgrade = upgrade
database.check_schema = lambda *_: None
SampleStore(Path(sys.argv[1]), MODEL)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
@pytest.mark.parametrize("statements", [0, 1, 2, 99])
def test_a_killed_upgrade_changes_nothing(old_store: Path, statements: int) -> None:
    arguments = [str(old_store), str(statements), os.path.dirname(__file__)]
    command = [sys.executable, "-c", KILLED, *arguments]
    assert subprocess.run(command, timeout=60).returncode == -signal.SIGKILL
    assert version(old_store) == 1
    check(old_store)


def test_a_newer_store_is_refused(old_store: Path) -> None:
    with closing(sqlite3.connect(old_store)) as connection:
        connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    before = old_store.read_bytes()
    with pytest.raises(
        StoreError, match=r"version 3; this Sartor supports version 2. Update Sartor"
    ):
        SampleStore(old_store, MODEL)
    assert old_store.read_bytes() == before
