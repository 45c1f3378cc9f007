"""Kill a process at each step of a method, and check its files.

    python steps.py FOLDER METHOD EVERY

FOLDER contains a `model.tflite`. A step is a statement of the store, or a call that creates,
writes, flushes, renames or deletes a file. EVERY is the distance between the tested steps. Each
kill prints one line: the number and the name of the step, and `ok` or the error.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import forks
import numpy as np

from sartor import PersonalModel
from sartor.runtime import read_checkpoint, unpack_project
from sartor.runtime.store.database import Database

MODEL, STORE, CHECKPOINT = "model.tflite", "mine.samples", "mine.safetensors"
PROJECT, EXPORTED, UNPACKED = "second.sartor", "elsewhere/mine.sartor", "unpacked"
OWN, OTHER = ("hat", "shoes", "dress"), ("sock", "cap")  # classes of the model, and of the project
_STEPS: list[tuple[Any, str]] = [
    (os, "open"), (os, "mkdir"), (os, "fsync"), (os, "replace"), (os, "rename"), (os, "unlink"),
    (os, "rmdir"), (shutil, "rmtree"), (shutil, "copyfileobj"), (Path, "write_bytes"),
    (Path, "open"), (Database, "run"), (Database, "run_each"), (Database, "copy_to"),
]  # fmt: skip


def remove_and_save(model: PersonalModel, folder: Path) -> None:
    """Remove a class, and replace the checkpoint."""
    model.remove_class("hat")
    model.save(folder / CHECKPOINT)


METHODS: dict[str, Callable[[PersonalModel, Path], object]] = {
    "add": lambda model, folder: model.add_sample(sample("new", 0), "new"),
    "forget": lambda model, folder: model.forget(1),
    "forget class": lambda model, folder: model.forget(1, 4, 7),
    "remove": lambda model, folder: model.remove_class("hat"),
    "rename": lambda model, folder: model.rename_class("hat", "bonnet"),
    "save": remove_and_save,
    "import": lambda model, folder: model.import_project(folder / PROJECT),
    "export": lambda model, folder: model.export_project(folder / EXPORTED),
    "unpack": lambda model, folder: unpack_project(folder / PROJECT, folder / UNPACKED),
}


def sample(label: str, number: int) -> np.ndarray:
    """Return a sample [1, 8] of a class."""
    center = 3 * np.random.default_rng([*label.encode()]).normal(size=8)
    noise = np.random.default_rng([number, *label.encode()]).normal(size=8)
    return np.asarray((center + 0.3 * noise)[np.newaxis], np.float32)


def prepare(folder: Path) -> None:
    """Create a store with its checkpoint, and a project of a second device."""
    (folder / EXPORTED).parent.mkdir()
    for store, labels in ((None, OTHER), (folder / STORE, OWN)):
        with PersonalModel(folder / MODEL, store=store) as model:
            for number in range(3):
                for label in labels:
                    model.add_sample(sample(label, number), label)
            model.fit(3)
            if store is None:
                model.export_project(folder / PROJECT)
            else:
                model.save(folder / CHECKPOINT)


def states(method: str) -> list[list[str]]:
    """Return the labels of the samples before and after a method."""
    own = [label for _ in range(3) for label in OWN]
    after = {
        "add": [*own, "new"],
        "forget": own[1:],
        "forget class": [each for each in own if each != "hat"],
        "remove": [each for each in own if each != "hat"],
        "save": [each for each in own if each != "hat"],
        "rename": ["bonnet" if each == "hat" else each for each in own],
        "import": [label for _ in range(3) for label in OTHER],
    }
    return [own, after.get(method, own)]


def call_and_kill(folder: Path, method: str, number: int) -> str:
    """Call a method, and kill this process before a step."""
    with PersonalModel(folder / MODEL, store=folder / STORE) as model:
        model.load(folder / CHECKPOINT)
        count_steps(number, folder / "step")
        METHODS[method](model, folder)
    return "completed"


def count_steps(number: int, file: Path) -> None:
    """Replace all steps by functions that count them, and kill this process at one."""
    count = 0

    def wrap(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            if count == number:
                handle = write_step(str(file), os.O_CREAT | os.O_WRONLY)
                os.write(handle, name.encode())
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **options)

        return step

    write_step = os.open
    for owner, name in _STEPS:
        setattr(owner, name, wrap(f"{owner.__name__}.{name}", getattr(owner, name)))


def check(folder: Path, method: str) -> str:
    """Check that all files are complete, as they were before the method or after it."""
    before, after = states(method)
    with PersonalModel(folder / MODEL, store=folder / STORE) as model:
        saved = [name for name in read_checkpoint(folder / CHECKPOINT).classes if name]
        assert saved in ([*OWN], ["shoes", "dress"]), saved
        assert method == "save" or saved == [*OWN], saved
        model.load(folder / CHECKPOINT)
        labels = [each.label for each in model.samples]
        assert labels in (before, after), labels
        assert sorted(model.classes) == sorted({*labels}), model.classes
        assert method == "save" or not leftovers(folder), leftovers(folder)
        if labels == before and method == "export":
            model.forget(1)
            check_traces(folder, model, "hat", 0)
        elif labels == after and method in ("forget", "forget class", "remove", "import"):
            check_traces(folder, model, "hat", 0)
        model.fit(3)
        model.save(folder / CHECKPOINT)
        assert not leftovers(folder), leftovers(folder)
    if method == "export" and (folder / EXPORTED).exists():
        unpack_project(folder / EXPORTED, folder / UNPACKED)
    if (folder / UNPACKED).exists() or method == "unpack":
        if not (folder / UNPACKED).exists():
            unpack_project(folder / PROJECT, folder / UNPACKED)
        check_unpacked(folder, OTHER if method == "unpack" else OWN)
        assert not list(folder.rglob(f".{UNPACKED}.*"))
    return "ok"


def leftovers(folder: Path) -> list[str]:
    """Return the temporary files, except those of `unpack`, which has no store."""
    paths = [path for path in folder.rglob(".*.part") if not path.name.startswith(f".{UNPACKED}")]
    return list(map(str, paths))


def check_traces(folder: Path, model: PersonalModel, label: str, number: int) -> None:
    """Check that the features of a forgotten sample are in no file but a complete project."""
    features = model._state.features({"input": sample(label, number)})[0]
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".sartor":
            content = path.read_bytes()
            assert features.astype("<f2").tobytes() not in content, path


def check_unpacked(folder: Path, labels: tuple[str, ...]) -> None:
    """Check the files of an unpacked project."""
    unpacked = folder / UNPACKED
    assert unpacked.stat().st_mode & 0o77 == 0
    with PersonalModel(unpacked / MODEL, store=unpacked / "checkpoint.samples") as model:
        model.load(unpacked / "checkpoint.safetensors")
        assert [each.label for each in model.samples] == [*labels] * 3
        assert model.classes == labels


def main(source: Path, method: str, every: int) -> None:
    """Kill at each step until the method completes."""
    prepare(source)
    for number in range(1, 10**6, every):
        folder = source / "round"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(source, folder, ignore=lambda *_: ["round"])
        result = forks.outcome(partial(call_and_kill, folder, method, number))
        if result == "completed":
            return
        name = (folder / "step").read_text() if (folder / "step").exists() else result
        checked = forks.outcome(partial(check, folder, method))
        print(number, name, json.dumps(checked) if checked != "ok" else checked, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
