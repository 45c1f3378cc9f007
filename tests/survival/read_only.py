"""Uses a model in a read-only folder.

    python read_only.py FOLDER user     as a user who may not
    python read_only.py FOLDER mount    on a disk that nobody may write to; in a mount namespace

FOLDER has a `model.tflite` that takes images of 8 x 10 pixels. A line for each verb.
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
from full import command, contents, image, label, on_tmpfs
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


def try_library(folder: Path) -> None:
    """Check that reading works, and that writing fails without changes."""
    mine = folder / "mine.safetensors"
    with PersonalModel(folder / "model.tflite", store=folder / "mine.samples") as model:
        model.load(mine)
        model.predict(image(0))
        model.evaluate()
        assert model.fit(5).samples == 12
        before = model.predict(image(0)), model.samples, model.classes
        verbs: dict[str, Callable[[], object]] = {
            "save": lambda: model.save(mine),
            "save elsewhere": lambda: model.save(folder / "new.safetensors"),
            "add_sample": lambda: model.add_sample(image(20), label(20)),
            "add_sample of a new class": lambda: model.add_sample(image(21), "new"),
            "forget": lambda: model.forget(model.samples[0].id),
            "remove_class": lambda: model.remove_class("dark"),
            "rename_class": lambda: model.rename_class("dark", "black"),
            "export_project": lambda: model.export_project(folder / "project"),
            "import_project": lambda: model.import_project(folder / "project"),
            "bake": lambda: bake(model.path, mine, folder / "baked"),
            "freeze": lambda: sartor.freeze(model.path, folder / "frozen", mine),
        }
        for verb, act in verbs.items():
            with pytest.raises(OSError, match=re.escape(str(folder))) as refused:
                act()
            assert ".part" not in str(refused.value), verb
            print(verb, refused.value)
            assert (model.predict(image(0)), model.samples, model.classes) == before, verb


def reading(folder: Path) -> list[tuple[object, ...]]:
    """Commands that write nothing."""
    model, mine = folder / "model.tflite", ("--checkpoint", folder / "mine.safetensors")
    return [
        ("predict", model, *mine, folder / "photos" / "dark" / "0.png"),
        ("evaluate", model, *mine, folder / "photos"),
        ("classes", model, *mine),
        ("inspect", model),
        ("verify", model),
    ]


def writing(folder: Path) -> list[tuple[object, ...]]:
    """Commands that write."""
    model, mine = folder / "model.tflite", ("--checkpoint", folder / "mine.safetensors")
    return [
        ("fit", model, folder / "photos", *mine),
        ("fit", model, folder / "photos", "--checkpoint", folder / "new.safetensors"),
        ("forget", model, "--sample", 1, *mine),
        ("bake", model, *mine, "-o", folder / "baked"),
        ("freeze", model, *mine, "-o", folder / "frozen"),
        ("export", model, *mine, "-o", folder / "exported"),
    ]


def try_commands(folder: Path) -> None:
    """The same on the command line."""
    for words in reading(folder):
        assert command(*words) == (0, ""), command(*words)
        print(words[0], "works")
    for words in writing(folder):
        code, said = command(*words)
        assert code == 1, (words, said)
        assert said.startswith("error: "), said
        assert str(folder) in said, said
        assert said.count("\n") == 1, said
        print(words[0], said.strip())


def import_all(folder: Path) -> None:
    """Use every command once on a copy: what they import late, nobody may be allowed to read."""
    with tempfile.TemporaryDirectory() as name:
        copy = Path(shutil.copytree(folder, Path(name) / "copy"))
        for words in (*reading(copy), *writing(copy)):
            assert command(*words) == (0, ""), words


def close_to_writing(folder: Path, way: str) -> None:
    """Let nobody write to it any more, or not this process."""
    if way == "mount":
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        return
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    if os.getuid() == 0:
        os.setuid(_NOBODY)  # to root nothing is read-only


if __name__ == "__main__":
    place = Path(sys.argv[1])
    if sys.argv[2] == "mount":
        on_tmpfs(place)
    prepare(place)
    import_all(place)
    files = contents(place)
    close_to_writing(place, sys.argv[2])
    try_library(place)
    try_commands(place)
    assert contents(place) == files
