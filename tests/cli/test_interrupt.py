"""Ctrl-C and SIGTERM: the training until then is saved, and the exit code names the signal."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sartor import PersonalModel

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")

LONG = ("--epochs", "10000000")
SIGNALS = [
    pytest.param(signal.SIGINT, "Ctrl-C", 130, id="ctrl-c"),
    pytest.param(signal.SIGTERM, "SIGTERM", 143, id="sigterm"),
]


SLOW = """
import sys, time
from sartor.cli import main
from sartor.runtime import PersonalModel

def add_sample(*arguments, **options):
    print("reading", file=sys.stderr, flush=True)
    time.sleep(600)

PersonalModel.add_sample = add_sample
main()
"""


def start(
    *arguments: object, program: tuple[str, str] = ("-m", "sartor"), **options: object
) -> subprocess.Popen[str]:
    """Start `sartor` with the default signals: a background job inherits an ignored SIGINT."""
    command = [sys.executable, *program, *map(str, arguments)]
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
        command, preexec_fn=_default_signals, text=True, **options
    )


def _default_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def read_until(handle: int, text: bytes, seconds: float = 600) -> bytes:
    """Return the output of a terminal up to `text`, or up to the end of the program."""
    output, end = b"", time.monotonic() + seconds
    while text not in output and time.monotonic() < end:
        if select.select([handle], [], [], 0.1)[0]:
            try:
                output += os.read(handle, 65536)
            except OSError:  # the program has ended
                break
    return output


@pytest.mark.parametrize(("number", "name", "code"), SIGNALS)
def test_a_stopped_training_is_saved(
    number: signal.Signals, name: str, code: int, model: Path, train: Path, tmp_path: Path
) -> None:
    """Run in a terminal, so that the progress bar is tested as well."""
    checkpoint = tmp_path / "mine.safetensors"
    terminal, side = pty.openpty()
    process = start(
        "fit", model, train, "--checkpoint", checkpoint, *LONG,
        stdin=side, stdout=side, stderr=side, env={**os.environ, "TERM": "xterm"},
    )  # fmt: skip
    try:
        os.close(side)
        output = read_until(terminal, b"accuracy")
        assert b"training" in output
        assert b"loss" in output
        process.send_signal(number)
        message = f"stopped by {name}; the training until then is saved in".encode()
        assert message in read_until(terminal, message)
        assert process.wait(60) == code
    finally:
        process.kill()
        os.close(terminal)
    with PersonalModel(model) as personal_model:
        personal_model.load(checkpoint)
        best = personal_model.predict(train / "red" / "0.png")[0]
        assert best.label == "red"
        assert best.probability > 0.5


@pytest.mark.parametrize(("number", "name", "code"), SIGNALS)
def test_a_signal_while_photos_are_read_writes_no_checkpoint(
    number: signal.Signals, name: str, code: int, model: Path, train: Path, tmp_path: Path
) -> None:
    checkpoint = tmp_path / "mine.safetensors"
    process = start(
        "fit", model, train, "--checkpoint", checkpoint, "--json", program=("-c", SLOW),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        assert "reading\n" in iter(process.stderr.readline, "")
        process.send_signal(number)
        output, errors = process.communicate(timeout=600)
    finally:
        process.kill()
    assert (process.returncode, output) == (code, "")
    assert f"stopped by {name}; no result was written" in errors
    assert not checkpoint.exists()


def test_an_ignored_sigint_stays_ignored(model: Path, train: Path, tmp_path: Path) -> None:
    """A shell ignores SIGINT in background jobs, because Ctrl-C is for the foreground job."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sartor", "fit", model, train,
         "--checkpoint", tmp_path / "mine.safetensors", "--epochs", "2000", "--json"],
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )  # fmt: skip
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
    assert process.returncode == 0
