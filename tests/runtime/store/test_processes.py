"""Threads, processes and killed processes: no acknowledged change is lost."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from stores import add, content, create_store, manifest, secret

from sartor.runtime.store import SampleStore

ADDING = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from stores import add, manifest
from sartor.runtime.store import SampleStore

path, first, count, bound = Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])
with SampleStore(path, manifest(), max_samples=bound) as store:
    print("ready", flush=True)
    for number in range(first, first + count):
        add(store, number)
        if number % 7 == 6:
            with store.transaction():  # the second process may delete the first sample meanwhile
                store.forget([store.samples()[0].id])
        print(number, flush=True)
"""


def start_adding(path: Path, first: int, count: int, bound: int = 10**6) -> subprocess.Popen[str]:
    """Start a process that adds samples, forgets every seventh time, and prints its progress."""
    folder = str(Path(__file__).parent)
    command = [sys.executable, "-c", ADDING, folder, str(path), str(first), str(count), str(bound)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_threads_on_one_store(tmp_path: Path) -> None:
    with SampleStore(tmp_path / "s", manifest()) as store, ThreadPoolExecutor(4) as pool:
        adds = [pool.submit(add, store, number) for number in range(60)]
        reads = [pool.submit(content, store) for _ in range(20)]
        ids = [future.result(timeout=600) for future in adds]
        for future in reads:
            future.result(timeout=600)
        assert sorted(ids) == list(range(1, 61))
        assert {s.source for s in store.samples()} == {
            secret(number, "source").hex() for number in range(60)
        }


def test_a_thread_sees_a_transaction_completely_or_not_at_all(tmp_path: Path) -> None:
    with create_store(tmp_path / "s", 1) as store:
        ended = threading.Event()

        def write() -> None:
            for number in range(20):
                with store.transaction():
                    add(store, number)
                    add(store, number)
            ended.set()

        thread = threading.Thread(target=write)
        thread.start()
        sizes = set()
        while not ended.is_set():
            sizes.add(len(store))
        thread.join()
        assert len(store) == 41
        assert all(size % 2 == 1 for size in sizes)


def test_two_processes_on_one_new_store(tmp_path: Path) -> None:
    path = tmp_path / "s"
    processes = [start_adding(path, first, 21, bound=12) for first in (0, 100)]
    assert [process.wait(timeout=600) for process in processes] == [0, 0]
    for process in processes:
        process.communicate()
    with SampleStore(path, manifest()) as store:
        assert 10 <= len(store) <= 12
        content(store)


def test_several_connections_can_create_one_store_at_the_same_time(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        for attempt in range(40):
            start, path = threading.Barrier(4), tmp_path / f"store {attempt}"

            def open_store(start: threading.Barrier = start, path: Path = path) -> int:
                start.wait()
                with SampleStore(path, manifest()) as store:
                    return len(store)

            results = [pool.submit(open_store) for _ in range(4)]
            assert [result.result(timeout=600) for result in results] == [0] * 4


def test_a_change_is_visible_to_other_connections_at_once(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with SampleStore(path, manifest()) as first, SampleStore(path, manifest()) as second:
        for number in range(5):
            add(first, number)
            assert content(second) == content(first)
            second.forget([first.samples()[0].id])
            assert len(first) == 0


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
@pytest.mark.parametrize("seed", range(5))
def test_acknowledged_changes_survive_a_kill(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "s"
    process = start_adding(path, 0, 10**6)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(random.Random(seed).uniform(0, 0.5))
    process.kill()
    numbers = [int(line) for line in process.stdout.read().split()]
    process.wait()
    with SampleStore(path, manifest()) as store:
        sources = [sample.source for sample in store.samples()]
        content(store)
    deletions = sum(number % 7 == 6 for number in numbers)
    expected = [secret(number, "source").hex() for number in numbers][deletions:]
    # the interrupted calls may be complete: one more sample, and one more deletion
    assert sources[: len(expected)] == expected or sources[: len(expected) - 1] == expected[1:]
    assert len(expected) - 1 <= len(sources) <= len(expected) + 1


def test_a_clock_that_jumps_back_does_not_change_the_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([1.8e9, 0.0, -1e9, 1.7e9])
    monkeypatch.setattr(time, "time", lambda: next(times))
    with SampleStore(tmp_path / "s", manifest()) as store:
        for number in range(4):
            add(store, number)
        samples = store.samples()
    assert [sample.source for sample in samples] == [secret(n, "source").hex() for n in range(4)]
    assert samples[0].added - samples[1].added == timedelta(seconds=1.8e9)
