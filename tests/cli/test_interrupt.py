"""Ctrl-C: what was learned is kept, and the shell is told."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sartor import PersonalModel

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")

LONG = ("--epochs", "10000000")


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "sartor", *map(str, arguments)]


def read_until(handle: int, wanted: bytes, seconds: float = 60) -> bytes:
    """What a terminal shows until `wanted` is there, or the program ends."""
    shown, end = b"", time.monotonic() + seconds
    while wanted not in shown and time.monotonic() < end:
        if select.select([handle], [], [], 0.1)[0]:
            try:
                shown += os.read(handle, 65536)
            except OSError:  # the program has ended
                break
    return shown


def test_ctrl_c_keeps_what_was_learned(model: Path, train: Path, tmp_path: Path) -> None:
    """In a terminal, so that progress is seen too."""
    checkpoint = tmp_path / "mine.safetensors"
    terminal, side = pty.openpty()
    process = subprocess.Popen(
        command("fit", model, train, "--checkpoint", checkpoint, *LONG),
        stdin=side, stdout=side, stderr=side, env={**os.environ, "TERM": "xterm"},
    )  # fmt: skip
    os.close(side)
    shown = read_until(terminal, b"accuracy")
    assert b"learning" in shown
    assert b"loss" in shown
    process.send_signal(signal.SIGINT)
    shown = read_until(terminal, b"stopped by Ctrl-C; what was learned until then is in")
    assert b"stopped by Ctrl-C" in shown
    assert process.wait(60) == 130
    os.close(terminal)
    with PersonalModel(model) as personal:
        personal.load(checkpoint)
        assert personal.predict(train / "red" / "0.png")[0].label == "red"
        assert personal.predict(train / "red" / "0.png")[0].probability > 0.5


def test_ctrl_c_while_photos_are_read_changes_nothing(
    pictures: Callable[..., Path], train: Path, tmp_path: Path
) -> None:
    fifo = train / "red" / "slow.png"
    os.mkfifo(fifo)  # reading it waits for ever
    checkpoint = tmp_path / "mine.safetensors"
    process = subprocess.Popen(
        command("fit", pictures("m"), train, "--checkpoint", checkpoint, "--json"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert "stopped by Ctrl-C; nothing was changed" in err
    assert not checkpoint.exists()
