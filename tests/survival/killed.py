"""Kill a process that uses a model at random points, and check its files.

    python killed.py FOLDER FIRST COUNT

Each round prints one line: its seed, the interrupted method, and `ok` or the error.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import forks
import numpy as np

from sartor import PersonalModel
from sartor.modalities import identity_of_name
from sartor.runtime import read_checkpoint, unpack_project

MODEL, STORE, CHECKPOINT = "model.tflite", "mine.samples", "mine.safetensors"
PROJECT, EXPORTED, JOURNAL = "second.sartor", "mine.sartor", "journal"
NAMES = tuple("abcdef")  # names of classes; the model has capacity for all
MEMBERS = range(1000)  # of each group; a group and a member identify a sample
_CENTERS = 3 * np.random.default_rng(0).normal(size=(len(NAMES), 8))
_ROUNDS = 5  # rounds per folder

Labels = dict[str, str]
"""Source → label. A source is `group.member`; samples of one group are similar."""


def sample(source: str) -> np.ndarray:
    """Return the sample [1, 8] of a source."""
    group, member = map(int, source.split("."))
    noise = np.random.default_rng([group, member]).normal(size=8)
    return np.asarray(_CENTERS[[group]] + 0.3 * noise, np.float32)


def prepare(folder: Path) -> None:
    """Create a store, and a project of a second device."""
    with PersonalModel(folder / MODEL) as second:
        for member in range(4):
            for group in (1, 3, 5):
                source = f"{group}.{900 + member}"
                second.add_sample(sample(source), NAMES[group], source=source)
        second.fit(3)
        second.export_project(folder / PROJECT)
    with PersonalModel(folder / MODEL, store=folder / STORE) as model:
        for source, label in _first().items():
            model.add_sample(sample(source), label, source=source)


def _first() -> Labels:
    return {f"{group}.{800 + member}": NAMES[group] for member in range(20) for group in (0, 1)}


def _project() -> Labels:
    return {f"{group}.{900 + member}": NAMES[group] for member in range(4) for group in (1, 3, 5)}


def after(content: Labels, method: str, *args: str) -> Labels:
    """Return the content of the store after a method."""
    if method == "add":
        return {**content, args[0]: args[1]}
    if method == "forget":
        return {source: label for source, label in content.items() if source not in args}
    if method == "remove":
        return {source: label for source, label in content.items() if label != args[0]}
    if method == "rename":
        return {source: args[1] if label == args[0] else label for source, label in content.items()}
    return _project() if method == "import" else content


def use_model(folder: Path, content: Labels, seed: int) -> str:
    """Use a model until the process is killed."""
    rng = random.Random(seed)
    journal = os.open(folder / JOURNAL, os.O_CREAT | os.O_WRONLY | os.O_APPEND)

    @contextmanager
    def record(*call: Any) -> Iterator[None]:
        os.write(journal, (json.dumps(["begin", *call]) + "\n").encode())
        yield
        os.write(journal, b'["end"]\n')

    with record("open"):
        model = PersonalModel(folder / MODEL, store=folder / STORE)
        if (folder / CHECKPOINT).exists():
            model.load(folder / CHECKPOINT)
    while True:
        method = rng.choices(
            ["add", "forget", "remove", "rename", "import", "export", "save", "fit"],
            [12, 3, 1, 2, 1, 1, 3, 2],
        )[0]
        args: tuple[Any, ...] = ()
        labels = sorted(set(content.values()))
        free = [name for name in NAMES if name not in model.classes]
        if method == "add":
            label = rng.choice(sorted({*labels, *free}))
            args = (_new(content, label, rng), label)
        elif method == "forget" and content:
            args = tuple(rng.sample(sorted(content), min(len(content), rng.choice([1, 2]))))
        elif method == "remove" and labels:
            args = (rng.choice(labels),)
        elif method == "rename" and labels and free:
            args = (rng.choice(labels), rng.choice(free))
        elif method == "save":
            args = (list(model.classes),)
        elif method in ("forget", "remove", "rename") or (method == "fit" and not content):
            continue
        with record(method, *args):
            _call(model, folder, method, *args)
        content = after(content, method, *args)


def _new(content: Mapping[str, str], label: str, rng: random.Random) -> str:
    """Return a new source, of the group of a label."""
    groups = {name: source.split(".")[0] for source, name in content.items()}
    unused = [str(group) for group in range(len(NAMES)) if str(group) not in groups.values()]
    group = groups[label] if label in groups else rng.choice(unused)
    members = {source for source in content if source.split(".")[0] == group}
    return next(name for name in (f"{group}.{member}" for member in MEMBERS) if name not in members)


def _call(model: PersonalModel, folder: Path, method: str, *args: Any) -> None:
    if method == "add":
        model.add_sample(sample(args[0]), args[1], source=args[0])
    elif method == "forget":
        stored = [model.find(sample(source), source=source) for source in args]
        model.forget(*(each.id for each in stored if each is not None))
    elif method == "remove":
        model.remove_class(args[0])
    elif method == "rename":
        model.rename_class(*args)
    elif method == "import":
        model.import_project(folder / PROJECT)
    elif method == "export":
        model.export_project(folder / EXPORTED)
    elif method == "save":
        model.save(folder / CHECKPOINT)
    else:
        model.fit(3)


def journal_of(folder: Path) -> tuple[list[list[Any]], list[Any]]:
    """Return the completed calls, and the interrupted one."""
    lines = [json.loads(line) for line in (folder / JOURNAL).read_text().splitlines()]
    calls = [line[1:] for line in lines if line[0] == "begin"]
    completed = sum(line[0] == "end" for line in lines)
    return calls[:completed], calls[completed] if len(calls) > completed else ["nothing"]


def check_files(
    folder: Path, content: Labels, saved_classes: list[str] | None, interrupted: list[Any]
) -> str:
    """Open and check all files, and return the content of the store as JSON."""
    if (folder / CHECKPOINT).exists() or saved_classes is not None:
        names = [name for name in read_checkpoint(folder / CHECKPOINT).classes if name]
        expected = [saved_classes, *(interrupted[1:] if interrupted[0] == "save" else ())]
        assert names in expected, f"the checkpoint has {names}, expected one of {expected}"
    if (folder / EXPORTED).exists():
        project_folder = unpack_project(folder / EXPORTED, folder / "unpacked")
        with PersonalModel(
            project_folder / MODEL, store=project_folder / "checkpoint.samples"
        ) as second:
            second.load(project_folder / "checkpoint.safetensors")
        shutil.rmtree(project_folder)
    with PersonalModel(folder / MODEL, store=folder / STORE) as model:
        if (folder / CHECKPOINT).exists():
            model.load(folder / CHECKPOINT)
        hashes = {
            identity_of_name(f"{group}.{member}").hex(): f"{group}.{member}"
            for group in range(len(NAMES))
            for member in MEMBERS
        }
        stored = {hashes[str(each.source)]: str(each.label) for each in model.samples}
        contents = [content, after(content, *interrupted)]
        assert stored in contents, f"the store has {stored}, expected one of {contents}"
        remains = _remains(folder, model, stored)
        assert not remains, f"{remains} are forgotten, but their bytes are in the store"
        assert set(stored.values()) == set(model.classes)  # renamed or removed since the checkpoint
        if stored:
            model.fit()
            assert (accuracy := model.evaluate().accuracy) > 0.9, f"the accuracy is only {accuracy}"
            total = sum(each.probability for each in model.predict(sample("0.0")))
            assert abs(total - 1) < 1e-3
        model.add_sample(sample("0.999"), NAMES[0] if len(model.classes) > 5 else "new")
        model.forget(model.samples[-1].id)
        model.save(folder / "after.safetensors")
    return json.dumps(stored)


def _remains(folder: Path, model: PersonalModel, stored: Labels) -> list[str]:
    """Return forgotten samples whose bytes are still in the store."""
    content = b"".join(path.read_bytes() for path in folder.glob(STORE + "*"))
    added = {args[0] for method, *args in journal_of(folder)[0] if method == "add"} | set(_first())
    return [
        source
        for source in sorted(added - set(stored))
        if model._state.features({"input": sample(source)})[0].astype("<f2").tobytes() in content
    ]


def rounds(source: Path, first: int, count: int) -> Iterator[str]:
    """Kill, check and continue; yield a line for each round."""
    folder = source / "rounds"
    content: Labels = {}
    saved_classes: list[str] | None = None
    for seed in range(first, first + count):
        rng = random.Random(seed)
        if (seed - first) % _ROUNDS == 0:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(source, folder, ignore=lambda *_: ["rounds"])
            content, saved_classes = _first(), None
        (folder / JOURNAL).write_text("")
        child = forks.start(partial(use_model, folder, content, seed))
        if rng.random() < 0.75:
            _wait_until_open(folder)
            time.sleep(0.5 * rng.random())
        else:
            time.sleep(0.1 * rng.random())
        child.kill()
        completed, interrupted = journal_of(folder)
        for method, *args in completed:
            content = after(content, method, *args)
            saved_classes = args[0] if method == "save" else saved_classes
        result = forks.outcome(partial(check_files, folder, content, saved_classes, interrupted))
        if result.startswith("CRASH"):
            yield f"{seed} in {interrupted[0]} after {len(completed)}: {result}"
            return
        content = json.loads(result)
        if (folder / CHECKPOINT).exists():
            saved_classes = [name for name in read_checkpoint(folder / CHECKPOINT).classes if name]
        yield f"{seed} in {interrupted[0]} after {len(completed)}: ok"


def _wait_until_open(folder: Path) -> None:
    end = time.monotonic() + 60
    while "end" not in (folder / JOURNAL).read_text():
        assert time.monotonic() < end, "the model does not open"
        time.sleep(0.002)


if __name__ == "__main__":
    root = Path(sys.argv[1])
    prepare(root)
    for line in rounds(root, int(sys.argv[2]), int(sys.argv[3])):
        print(line, flush=True)
