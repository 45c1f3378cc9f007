"""Kills a process that uses a model at random points, and checks its files.

    python killed.py FOLDER FIRST COUNT

A line a round: its seed, the verb that it was killed in, and `ok` or what is wrong.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import forks
import numpy as np

from sartor import PersonalModel
from sartor.modalities import identity_of_name
from sartor.runtime import read_checkpoint, unpack_project

MODEL, STORE, CHECKPOINT = "model.tflite", "mine.samples", "mine.safetensors"
PROJECT, EXPORTED, JOURNAL = "other.sartor", "mine.sartor", "journal"
NAMES = tuple("abcdef")  # of classes; the model has capacity for all
MEMBERS = range(1000)  # of each group; group and member identify a sample
_CENTRES = 3 * np.random.default_rng(0).normal(size=(len(NAMES), 8))
_ROUNDS = 5  # on one folder, before there is a fresh one

State = dict[str, str]
"""Source → label. A source is `group.member`; samples of one group are alike."""


def sample(source: str) -> np.ndarray:
    """Return the sample [1, 8] of a source."""
    group, member = map(int, source.split("."))
    noise = np.random.default_rng([group, member]).normal(size=8)
    return np.asarray(_CENTRES[[group]] + 0.3 * noise, np.float32)


def prepare(folder: Path) -> None:
    """Create a store of version 1, and a project of another device."""
    with PersonalModel(folder / MODEL) as other:
        for member in range(4):
            for group in (1, 3, 5):
                source = f"{group}.{900 + member}"
                other.add_sample(sample(source), NAMES[group], source=source)
        other.fit(3)
        other.export_project(folder / PROJECT)
    with PersonalModel(folder / MODEL, store=folder / STORE) as model:
        for source, label in _first().items():
            model.add_sample(sample(source), label, source=source)
    with closing(sqlite3.connect(folder / STORE, isolation_level=None)) as connection:
        for statement in (
            "DROP TABLE image",
            "ALTER TABLE sample DROP COLUMN held_out",
            "PRAGMA user_version = 1",
            "PRAGMA journal_mode = DELETE",
        ):
            connection.execute(statement).fetchall()


def _first() -> State:
    return {f"{group}.{800 + member}": NAMES[group] for member in range(20) for group in (0, 1)}


def _project() -> State:
    return {f"{group}.{900 + member}": NAMES[group] for member in range(4) for group in (1, 3, 5)}


def after(state: State, verb: str, *args: str) -> State:
    """Return the content of the store after a method."""
    if verb == "add":
        return {**state, args[0]: args[1]}
    if verb == "forget":
        return {source: label for source, label in state.items() if source not in args}
    if verb == "remove":
        return {source: label for source, label in state.items() if label != args[0]}
    if verb == "rename":
        return {source: args[1] if label == args[0] else label for source, label in state.items()}
    return _project() if verb == "import" else state


def live(folder: Path, state: State, seed: int) -> str:
    """Use a model until the process is killed."""
    choose = random.Random(seed)
    journal = os.open(folder / JOURNAL, os.O_CREAT | os.O_WRONLY | os.O_APPEND)

    @contextmanager
    def noted(*what: Any) -> Iterator[None]:
        os.write(journal, (json.dumps(["begin", *what]) + "\n").encode())
        yield
        os.write(journal, b'["end"]\n')

    with noted("open"):
        model = PersonalModel(folder / MODEL, store=folder / STORE)
        if (folder / CHECKPOINT).exists():
            model.load(folder / CHECKPOINT)
    while True:
        verb = choose.choices(
            ["add", "forget", "remove", "rename", "import", "export", "save", "fit"],
            [12, 3, 1, 2, 1, 1, 3, 2],
        )[0]
        args: tuple[Any, ...] = ()
        labels = sorted(set(state.values()))
        free = [name for name in NAMES if name not in model.classes]
        if verb == "add":
            label = choose.choice(sorted({*labels, *free}))
            args = (_new(state, label, choose), label)
        elif verb == "forget" and state:
            args = tuple(choose.sample(sorted(state), min(len(state), choose.choice([1, 2]))))
        elif verb == "remove" and labels:
            args = (choose.choice(labels),)
        elif verb == "rename" and labels and free:
            args = (choose.choice(labels), choose.choice(free))
        elif verb == "save":
            args = (list(model.classes),)
        elif verb in ("forget", "remove", "rename") or (verb == "fit" and not state):
            continue
        with noted(verb, *args):
            _do(model, folder, verb, *args)
        state = after(state, verb, *args)


def _new(state: Mapping[str, str], label: str, choose: random.Random) -> str:
    """Return a new source, of the group of a label."""
    groups = {name: source.split(".")[0] for source, name in state.items()}
    unused = [str(group) for group in range(len(NAMES)) if str(group) not in groups.values()]
    group = groups[label] if label in groups else choose.choice(unused)
    taken = {source for source in state if source.split(".")[0] == group}
    return next(name for name in (f"{group}.{member}" for member in MEMBERS) if name not in taken)


def _do(model: PersonalModel, folder: Path, verb: str, *args: Any) -> None:
    if verb == "add":
        model.add_sample(sample(args[0]), args[1], source=args[0])
    elif verb == "forget":
        found = [model.find(sample(source), source=source) for source in args]
        model.forget(*(each.id for each in found if each is not None))
    elif verb == "remove":
        model.remove_class(args[0])
    elif verb == "rename":
        model.rename_class(*args)
    elif verb == "import":
        model.import_project(folder / PROJECT)
    elif verb == "export":
        model.export_project(folder / EXPORTED)
    elif verb == "save":
        model.save(folder / CHECKPOINT)
    else:
        model.fit(3)


def journal_of(folder: Path) -> tuple[list[list[Any]], list[Any]]:
    """Return the acknowledged calls, and the interrupted one."""
    lines = [json.loads(line) for line in (folder / JOURNAL).read_text().splitlines()]
    begun = [line[1:] for line in lines if line[0] == "begin"]
    done = sum(line[0] == "end" for line in lines)
    return begun[:done], begun[done] if len(begun) > done else ["nothing"]


def look(folder: Path, state: State, saved: list[str] | None, under_way: list[Any]) -> str:
    """Open and check all files, and return the content of the store as JSON."""
    if (folder / CHECKPOINT).exists() or saved is not None:
        names = [name for name in read_checkpoint(folder / CHECKPOINT).classes if name]
        allowed = [saved, *(under_way[1:] if under_way[0] == "save" else ())]
        assert names in allowed, f"the checkpoint has {names}, expected one of {allowed}"
    if (folder / EXPORTED).exists():
        taken = unpack_project(folder / EXPORTED, folder / "unpacked")
        with PersonalModel(taken / MODEL, store=taken / "checkpoint.samples") as other:
            other.load(taken / "checkpoint.safetensors")
        shutil.rmtree(taken)
    with PersonalModel(folder / MODEL, store=folder / STORE) as model:
        if (folder / CHECKPOINT).exists():
            model.load(folder / CHECKPOINT)
        hashes = {
            identity_of_name(f"{group}.{member}").hex(): f"{group}.{member}"
            for group in range(len(NAMES))
            for member in MEMBERS
        }
        found = {hashes[str(each.source)]: str(each.label) for each in model.samples}
        allowed_states = [state, after(state, *under_way)]
        assert found in allowed_states, f"the store has {found}, expected one of {allowed_states}"
        gone = _gone(folder, model, found)
        assert not gone, f"{gone} are forgotten, but their bytes are there"
        assert set(found.values()) <= set(model.classes)
        for name in set(model.classes) - set(found.values()):
            model.remove_class(name)  # renamed or removed since the checkpoint was saved
        if found:
            model.fit()
            assert (accuracy := model.evaluate().accuracy) > 0.9, f"only {accuracy} are right"
            total = sum(each.probability for each in model.predict(sample("0.0")))
            assert abs(total - 1) < 1e-3
        model.add_sample(sample("0.999"), NAMES[0] if len(model.classes) > 5 else "new")
        model.forget(model.samples[-1].id)
        model.save(folder / "after.safetensors")
    return json.dumps(found)


def _gone(folder: Path, model: PersonalModel, found: State) -> list[str]:
    """Return deleted samples whose bytes are still in the store."""
    content = b"".join(path.read_bytes() for path in folder.glob(STORE + "*"))
    had = {args[0] for verb, *args in journal_of(folder)[0] if verb == "add"} | set(_first())
    return [
        source
        for source in sorted(had - set(found))
        if model._state.features({"input": sample(source)})[0].astype("<f2").tobytes() in content
    ]


def rounds(source: Path, first: int, count: int) -> Iterator[str]:
    """Kill, check and continue; yield a line for each round."""
    folder = source / "life"
    state: State = {}
    saved: list[str] | None = None
    for seed in range(first, first + count):
        chance = random.Random(seed)
        if (seed - first) % _ROUNDS == 0:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(source, folder, ignore=lambda *_: ["life"])
            state, saved = _first(), None
        (folder / JOURNAL).write_text("")
        child = forks.start(partial(live, folder, state, seed))
        if chance.random() < 0.75:
            _wait_until_open(folder)
            time.sleep(0.5 * chance.random())
        else:
            time.sleep(0.1 * chance.random())
        child.kill()
        done, under_way = journal_of(folder)
        for verb, *args in done:
            state = after(state, verb, *args)
            saved = args[0] if verb == "save" else saved
        result = forks.outcome(partial(look, folder, state, saved, under_way))
        if result.startswith("CRASH"):
            yield f"{seed} in {under_way[0]} after {len(done)}: {result}"
            return
        state = json.loads(result)
        if (folder / CHECKPOINT).exists():
            saved = [name for name in read_checkpoint(folder / CHECKPOINT).classes if name]
        yield f"{seed} in {under_way[0]} after {len(done)}: ok"


def _wait_until_open(folder: Path) -> None:
    end = time.monotonic() + 60
    while "end" not in (folder / JOURNAL).read_text():
        assert time.monotonic() < end, "it does not open"
        time.sleep(0.002)


if __name__ == "__main__":
    place = Path(sys.argv[1])
    prepare(place)
    for line in rounds(place, int(sys.argv[2]), int(sys.argv[3])):
        print(line, flush=True)
