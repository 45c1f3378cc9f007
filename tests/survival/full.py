"""Fills a disk, calls all methods that write, and frees the disk again.

    python full.py FOLDER limit     files may not grow beyond a size (RLIMIT_FSIZE)
    python full.py FOLDER tmpfs     FOLDER becomes a disk of 8 MiB; in a mount namespace

FOLDER has a `model.tflite` that takes images of 8 x 10 pixels. A line for each verb: its name,
the error's number and words, and `ok`; or an exception ends it.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sartor
from sartor import PersonalModel
from sartor.cli import main
from sartor.runtime import bake

_LIMIT = 2000  # bytes: less than any file that is written here
_DISK = 8 << 20  # bytes

Full = Callable[[], AbstractContextManager[None]]


@contextmanager
def no_growth() -> Iterator[None]:
    """No file of this process may grow beyond a few bytes."""
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LIMIT, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


@contextmanager
def no_space(folder: Path) -> Iterator[None]:
    """A file takes all the room that there is in a folder."""
    filler = folder / "filler"
    with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    try:
        yield
    finally:
        filler.unlink()


def image(number: int) -> np.ndarray:
    """Return an image [8, 10, 3] of one of three shades."""
    noise = np.random.default_rng(number).integers(0, 60, (8, 10, 3))
    return (noise + 90 * (number % 3)).astype(np.uint8)


def label(number: int) -> str:
    """Return the label of an image."""
    return ("dark", "grey", "light")[number % 3]


def command(*words: object) -> tuple[int, str]:
    """What `sartor` exits with, and says on stderr."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        try:
            main([str(word) for word in words])
        except SystemExit as end:
            return int(end.code or 0), said.getvalue()
    raise RuntimeError("the command line returns by SystemExit")


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder by their names, but for a store's own log."""
    return {
        path.name: path.read_bytes()
        for path in sorted(folder.iterdir())
        if path.is_file() and not path.name.endswith(("-wal", "-shm", "filler"))
    }


def try_verbs(folder: Path, full: Full, allowed: set[int]) -> None:
    """Call each method that writes: it fails without changes, and then succeeds."""
    with PersonalModel(folder / "model.tflite", store=folder / "mine.samples") as model:
        for number in range(12):
            model.add_sample(image(number), label(number))
        model.fit(5)
        model.save(folder / "mine.safetensors")
        mine = folder / "mine.safetensors"
        model.export_project(folder / "project")
        bake(model.path, mine, folder / "baked")
        sartor.freeze(model.path, folder / "frozen", mine)
        verbs: dict[str, Callable[[], object]] = {
            "save": lambda: model.save(mine),
            "add_sample": lambda: [model.add_sample(image(n), label(n)) for n in range(12, 40)],
            "import_project": lambda: model.import_project(folder / "project"),
            "export_project": lambda: model.export_project(folder / "project"),
            "bake": lambda: bake(model.path, mine, folder / "baked"),
            "freeze": lambda: sartor.freeze(model.path, folder / "frozen", mine),
        }
        for verb, act in verbs.items():
            files = contents(folder)
            before, samples = model.predict(image(0)), model.samples
            with full():
                with pytest.raises(OSError, match=re.escape(tempfile.gettempdir())) as failed:
                    act()
                refused = failed.value
                # what fit in before it was full has been added
                assert model.samples[: len(samples)] == samples, verb
                assert verb == "add_sample" or model.samples == samples, verb
                assert model.predict(image(0)) == before, verb
                model.evaluate()
                model.fit(2)  # needs no room
            model.load(mine)
            left = contents(folder)
            assert left.keys() == files.keys(), (verb, left.keys())
            assert all(left[each] == files[each] for each in left if each != "mine.samples"), verb
            assert isinstance(refused, OSError)
            assert refused.errno in allowed, (verb, refused)
            act()
            print(verb, refused.errno, refused, "ok")
        assert model.fit().samples == 12
        assert model.evaluate().accuracy > 0.9


def try_command(folder: Path, full: Full, words: str) -> None:
    """`sartor fit` with new photos, and with none that are new."""
    photos = folder / "photos"
    for number in range(12):
        (photos / label(number)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image(number)).save(photos / label(number) / f"{number}.png")
    fit = ("fit", folder / "model.tflite", photos, "--checkpoint", folder / "cli.safetensors")
    for name in ("fit of a first checkpoint", "fit of the next"):
        files = contents(folder)
        with full():
            code, said = command(*fit)
        assert code == 1, said
        assert said.startswith("error: "), said
        assert said.count("\n") == 1, said
        assert words in said, said
        left = contents(folder)
        left.pop("cli.samples", None)
        files.pop("cli.samples", None)
        assert left == files, (name, left.keys())
        assert command(*fit) == (0, ""), name
        print(name, code, said.strip(), "ok")


def on_tmpfs(folder: Path) -> Full:
    """A small disk at this folder, with what was there."""
    with tempfile.TemporaryDirectory() as kept:
        shutil.copytree(folder, kept, dirs_exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_DISK}", "full", folder], check=True)
        shutil.copytree(kept, folder, dirs_exist_ok=True)
    return lambda: no_space(folder)


if __name__ == "__main__":
    place = Path(sys.argv[1])
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the error is to come from the call
    if sys.argv[2] == "tmpfs":
        try_verbs(place, on_tmpfs(place), {errno.ENOSPC})
        try_command(place, lambda: no_space(place), os.strerror(errno.ENOSPC))
    else:
        try_verbs(place, no_growth, {errno.EFBIG, errno.EIO, errno.ENOSPC})
        try_command(place, no_growth, "cli.samples: ")
