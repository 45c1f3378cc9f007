"""Fill a disk, call all methods that write, and free the disk.

    python full.py FOLDER limit     limit the size of files (RLIMIT_FSIZE)
    python full.py FOLDER tmpfs     mount a disk of 8 MiB at FOLDER; in a mount namespace

FOLDER contains a `model.tflite` that takes images of 8 x 10 pixels. Each method prints one line:
its name, the number and the message of the error, and `ok`. A failed check raises an exception.
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

_LIMIT = 2000  # bytes, less than any file of the test
_DISK = 8 << 20  # bytes

FillDisk = Callable[[], AbstractContextManager[None]]


@contextmanager
def no_growth() -> Iterator[None]:
    """Limit the size of files that this process writes."""
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LIMIT, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


@contextmanager
def no_space(folder: Path) -> Iterator[None]:
    """Fill the disk of a folder with one file."""
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


def command(*arguments: object) -> tuple[int, str]:
    """Return the exit code of `sartor`, and its error line without the notes before it."""
    stderr = io.StringIO()
    with contextlib.redirect_stderr(stderr), contextlib.redirect_stdout(io.StringIO()):
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as end:
            lines = stderr.getvalue().splitlines(keepends=True)
            errors = [line for line in lines if line.startswith("error: ")]
            return int(end.code or 0), "".join(errors)
    raise RuntimeError("the command line returns by SystemExit")


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder by name, without the log of a store."""
    return {
        path.name: path.read_bytes()
        for path in sorted(folder.iterdir())
        if path.is_file() and not path.name.endswith(("-wal", "-shm", "filler"))
    }


def check_methods(folder: Path, fill_disk: FillDisk, error_numbers: set[int]) -> None:
    """Check that each method that writes fails without changes, and succeeds later."""
    with PersonalModel(folder / "model.tflite", store=folder / "mine.samples") as model:
        for number in range(12):
            model.add_sample(image(number), label(number))
        model.fit(5)
        model.save(folder / "mine.safetensors")
        checkpoint = folder / "mine.safetensors"
        model.export_project(folder / "project")
        bake(model.path, checkpoint, folder / "baked")
        sartor.freeze(model.path, folder / "frozen", checkpoint)
        methods: dict[str, Callable[[], object]] = {
            "save": lambda: model.save(checkpoint),
            "add_sample": lambda: [model.add_sample(image(n), label(n)) for n in range(12, 40)],
            "import_project": lambda: model.import_project(folder / "project"),
            "export_project": lambda: model.export_project(folder / "project"),
            "bake": lambda: bake(model.path, checkpoint, folder / "baked"),
            "freeze": lambda: sartor.freeze(model.path, folder / "frozen", checkpoint),
        }
        for name, method in methods.items():
            files = contents(folder)
            before, samples = model.predict(image(0)), model.samples
            with fill_disk():
                with pytest.raises(OSError, match=re.escape(tempfile.gettempdir())) as error_info:
                    method()
                error = error_info.value
                # samples that were added before the disk was full stay
                assert model.samples[: len(samples)] == samples, name
                assert name == "add_sample" or model.samples == samples, name
                assert model.predict(image(0)) == before, name
                model.evaluate()
                model.fit(2)  # writes nothing
            model.load(checkpoint)
            after = contents(folder)
            assert after.keys() == files.keys(), (name, after.keys())
            assert all(after[file] == files[file] for file in after if file != "mine.samples"), name
            assert isinstance(error, OSError)
            assert error.errno in error_numbers, (name, error)
            method()
            print(name, error.errno, error, "ok")
        assert model.fit().samples == 12
        assert model.evaluate().accuracy > 0.9


def check_fit(folder: Path, fill_disk: FillDisk, message: str) -> None:
    """Check `sartor fit` with new photos, and without."""
    photos = folder / "photos"
    for number in range(12):
        (photos / label(number)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image(number)).save(photos / label(number) / f"{number}.png")
    fit = ("fit", folder / "model.tflite", photos, "--checkpoint", folder / "cli.safetensors")
    for name in ("fit without a checkpoint", "fit with a checkpoint"):
        files = contents(folder)
        with fill_disk():
            code, stderr = command(*fit)
        assert code == 1, stderr
        assert stderr.startswith("error: "), stderr
        assert stderr.count("\n") == 1, stderr
        assert message in stderr, stderr
        after = contents(folder)
        after.pop("cli.samples", None)
        files.pop("cli.samples", None)
        assert after == files, (name, after.keys())
        assert command(*fit) == (0, ""), name
        print(name, code, stderr.strip(), "ok")


def mount_tmpfs(folder: Path) -> FillDisk:
    """Mount a small disk at a folder, with the content of the folder."""
    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(folder, copy, dirs_exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_DISK}", "full", folder], check=True)
        shutil.copytree(copy, folder, dirs_exist_ok=True)
    return lambda: no_space(folder)


if __name__ == "__main__":
    root = Path(sys.argv[1])
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the call raises the error instead
    if sys.argv[2] == "tmpfs":
        check_methods(root, mount_tmpfs(root), {errno.ENOSPC})
        check_fit(root, lambda: no_space(root), os.strerror(errno.ENOSPC))
    else:
        check_methods(root, no_growth, {errno.EFBIG, errno.EIO, errno.ENOSPC})
        check_fit(root, no_growth, "cli.samples: ")
