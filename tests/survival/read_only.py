"""Use a model in a read-only folder.

    python read_only.py FOLDER user     as a user without the permission to write
    python read_only.py FOLDER mount    on a read-only disk; in a mount namespace

FOLDER contains a `model.tflite` that takes images of 8 x 10 pixels. Each method and each command
prints one line.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from full import command, contents, image, label, mount_tmpfs
from PIL import Image

import sartor
from sartor import PersonalModel
from sartor.runtime import bake

_NOBODY = 65534


def prepare(folder: Path) -> None:
    """Create all files of a user in the folder."""
    with PersonalModel(folder / "model.tflite", store=folder / "mine.samples") as model:
        for number in range(12):
            model.add_sample(image(number), label(number))
        model.fit(5)
        model.save(folder / "mine.safetensors")
        model.export_project(folder / "project")
    for number in range(6):
        (folder / "photos" / label(number)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image(number)).save(folder / "photos" / label(number) / f"{number}.png")


def check_library(folder: Path) -> None:
    """Check that reading works, and that writing fails without changes."""
    checkpoint = folder / "mine.safetensors"
    with PersonalModel(folder / "model.tflite", store=folder / "mine.samples") as model:
        model.load(checkpoint)
        model.predict(image(0))
        model.evaluate()
        assert model.fit(5).samples == 12
        before = model.predict(image(0)), model.samples, model.classes
        methods: dict[str, Callable[[], object]] = {
            "save": lambda: model.save(checkpoint),
            "save elsewhere": lambda: model.save(folder / "new.safetensors"),
            "add_sample": lambda: model.add_sample(image(20), label(20)),
            "add_sample of a new class": lambda: model.add_sample(image(21), "new"),
            "forget": lambda: model.forget(model.samples[0].id),
            "remove_class": lambda: model.remove_class("dark"),
            "rename_class": lambda: model.rename_class("dark", "black"),
            "export_project": lambda: model.export_project(folder / "project"),
            "import_project": lambda: model.import_project(folder / "project"),
            "bake": lambda: bake(model.path, checkpoint, folder / "baked"),
            "freeze": lambda: sartor.freeze(model.path, folder / "frozen", checkpoint),
        }
        for name, method in methods.items():
            with pytest.raises(OSError, match=re.escape(str(folder))) as error_info:
                method()
            assert ".part" not in str(error_info.value), name
            print(name, error_info.value)
            assert (model.predict(image(0)), model.samples, model.classes) == before, name


def read_commands(folder: Path) -> list[tuple[object, ...]]:
    """Return the arguments of commands that write nothing."""
    model, option = folder / "model.tflite", ("--checkpoint", folder / "mine.safetensors")
    return [
        ("predict", model, *option, folder / "photos" / "dark" / "0.png"),
        ("evaluate", model, *option, folder / "photos"),
        ("classes", model, *option),
        ("inspect", model),
        ("verify", model),
    ]


def write_commands(folder: Path) -> list[tuple[object, ...]]:
    """Return the arguments of commands that write files."""
    model, option = folder / "model.tflite", ("--checkpoint", folder / "mine.safetensors")
    return [
        ("fit", model, folder / "photos", *option),
        ("fit", model, folder / "photos", "--checkpoint", folder / "new.safetensors"),
        ("forget", model, "--sample", 1, *option),
        ("bake", model, *option, "-o", folder / "baked"),
        ("freeze", model, *option, "-o", folder / "frozen"),
        ("export", model, *option, "-o", folder / "exported"),
    ]


def check_commands(folder: Path) -> None:
    """Check that commands can read, and that writing fails without changes."""
    for arguments in read_commands(folder):
        assert command(*arguments) == (0, ""), command(*arguments)
        print(arguments[0], "works")
    for arguments in write_commands(folder):
        code, stderr = command(*arguments)
        assert code == 1, (arguments, stderr)
        assert stderr.startswith("error: "), stderr
        assert str(folder) in stderr, stderr
        assert stderr.count("\n") == 1, stderr
        print(arguments[0], stderr.strip())


def import_all(folder: Path) -> None:
    """Run each command on a copy: other users may not have access to modules that load late."""
    with tempfile.TemporaryDirectory() as name:
        copy = Path(shutil.copytree(folder, Path(name) / "copy"))
        for arguments in (*read_commands(copy), *write_commands(copy)):
            assert command(*arguments) == (0, ""), arguments


def make_read_only(folder: Path, method: str) -> None:
    """Mount the folder read-only, or remove the permission of this process to write."""
    if method == "mount":
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        return
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    if os.getuid() == 0:
        os.setuid(_NOBODY)  # root can write to read-only folders


if __name__ == "__main__":
    root = Path(sys.argv[1])
    if sys.argv[2] == "mount":
        mount_tmpfs(root)
    prepare(root)
    import_all(root)
    files = contents(root)
    make_read_only(root, sys.argv[2])
    check_library(root)
    check_commands(root)
    assert contents(root) == files
