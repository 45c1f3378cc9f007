"""Full disks and read-only folders."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from stores import add, content, create_store, manifest

from sartor.runtime.store import SampleStore

FOLDER = str(Path(__file__).parent)

FULL = """
import resource, signal, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
import numpy.random  # while its files can be read
from stores import add, content, manifest
from sartor.runtime.store import SampleStore

with SampleStore(Path(sys.argv[2]), manifest()) as store:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
    number = 0
    try:
        while True:
            before = content(store)
            add(store, number)
            number += 1
    except OSError as error:
        assert content(store) == before
        print(len(store), error)
"""


def test_a_full_disk_does_not_change_the_store(tmp_path: Path) -> None:
    path = tmp_path / "s"
    create_store(path).close()
    with closing(sqlite3.connect(path)) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    with SampleStore(path, manifest()) as store:
        store._database.run(f"PRAGMA max_page_count = {pages + 2}")
        for number in range(10**6):
            before = content(store)
            try:
                add(store, number)
            except OSError as error:
                failure = error
                break
        assert failure.errno == errno.ENOSPC
        assert failure.filename == str(path)
        assert content(store) == before
        store._database.run(f"PRAGMA max_page_count = {pages + 100}")
        add(store, number)  # there is space again
    with SampleStore(path, manifest()) as store:
        assert len(store) == 13 + number


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit on Windows")
def test_a_file_size_limit_does_not_change_the_store(tmp_path: Path) -> None:
    path = tmp_path / "s"
    create_store(path).close()
    command = [sys.executable, "-c", FULL, FOLDER, str(path), "300000"]
    process = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
    count, message = process.stdout.split(" ", 1)
    assert str(path) in message
    with SampleStore(path, manifest()) as store:
        assert len(store) == int(count) > 12
        add(store, 0)


def test_a_failed_copy_leaves_no_file(tmp_path: Path) -> None:
    with create_store(None) as store, pytest.raises(OSError, match="No such file"):
        store.copy_to(tmp_path / "no folder" / "b")
    assert list(tmp_path.iterdir()) == []


READING = """
import os, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
import numpy.random  # while its files can be read
from stores import add, content, manifest
from sartor.runtime.store import SampleStore

if os.getuid() == 0:
    os.setuid(65534)  # root can write to read-only folders
with SampleStore(Path(sys.argv[2]), manifest()) as store:
    content(store)
    print(len(store))
    for action in (lambda: add(store, 0), lambda: store.forget([1])):
        try:
            action()
        except OSError as error:
            print(error)
    content(store)
    print(len(store))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no such modes on Windows")
@pytest.mark.parametrize("mode", [0o444, 0o666])
def test_a_store_in_a_read_only_folder_can_be_read(mode: int) -> None:
    with tempfile.TemporaryDirectory() as name:  # the folder of pytest is readable by one user only
        path = Path(name) / "s"
        create_store(path).close()
        before = path.read_bytes()
        path.chmod(mode)
        path.parent.chmod(0o555)
        command = [sys.executable, "-c", READING, FOLDER, str(path)]
        process = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        path.parent.chmod(0o755)
        assert process.returncode == 0, process.stderr
        first, *refusals, last = process.stdout.splitlines()
        assert first == last == "12"
        assert len(refusals) == 2
        assert all(str(path) in each and os.strerror(errno.EROFS) in each for each in refusals)
        assert path.read_bytes() == before
