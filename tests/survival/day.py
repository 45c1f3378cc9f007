"""Measures the memory of a process that uses a model again and again.

    python day.py FOLDER verbs TIMES    each verb by itself
    python day.py FOLDER day CYCLES     previews, samples, trainings and saves, as a day brings them

FOLDER has a `model.tflite`. A line for each: JSON with the calls, the resident bytes at the start
(after as much was done to warm up) and at the end, and the slope of a line through all between.
"""

from __future__ import annotations

import gc
import json
import random
import resource
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from killed import MODEL, NAMES, sample

from sartor import PersonalModel

_PARTS = 10
_BOUND = 50  # samples


def resident() -> int:
    """Bytes of memory that this process has."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def measured(name: str, act: Callable[[], object], times: int) -> None:
    """Call something, and print what that does to the memory."""
    for _ in range(times):
        act()
    found = [resident()]
    for _ in range(_PARTS):
        for _ in range(times // _PARTS):
            act()
        found.append(resident())
    calls = _PARTS * (times // _PARTS)
    slope = float(np.polyfit(np.linspace(0, calls, len(found)), found, 1)[0])
    print(json.dumps({"verb": name, "calls": calls, "first": found[0], "last": found[-1],
                      "slope": slope}), flush=True)  # fmt: skip


class User:
    """Somebody who never stops.

    Args:
        model: with a bounded store.
        folder: for checkpoints and projects.
    """

    def __init__(self, model: PersonalModel, folder: Path) -> None:
        self._model = model
        self._folder = folder
        self._choose = random.Random(0)
        self._number = 0

    def add(self) -> None:
        """A new sample; the store forgets another."""
        self._number += 1
        source = f"{self._number % 3}.{self._number}"
        self._model.add_sample(sample(source), NAMES[self._number % 3])

    def predict(self) -> None:
        """One preview."""
        self._model.predict(_PREVIEW)

    def forget(self) -> None:
        """One sample, and another in its place."""
        self._model.forget(self._choose.choice(self._model.samples).id)
        self.add()

    def keep(self) -> None:
        """Save, and load that again."""
        self._model.load(self._model.save(self._folder / "mine.safetensors"))

    def move(self) -> None:
        """Export, and import that again."""
        self._model.import_project(self._model.export_project(self._folder / "mine.sartor"))

    def change_class(self) -> None:
        """One comes, gets another name, and goes."""
        self._model.add_sample(sample("5.0"), "new")
        self._model.rename_class("new", "newer")
        self._model.remove_class("newer")

    def open(self) -> None:
        """A second model, for a moment."""
        with PersonalModel(self._model.path) as other:
            other.predict(_PREVIEW)

    def cycle(self) -> None:
        """What a few minutes bring."""
        for _ in range(200):
            self.predict()
        for _ in range(3):
            self.add()
        self._model.fit(2)
        self._model.evaluate()
        self._choose.choice([self.forget, self.keep, self.move, self.change_class, self.open])()


_PREVIEW = sample("0.0")


def main(folder: Path, what: str, times: int) -> None:
    """Do what the module says."""
    store = None if what == "verbs" else folder / "mine.samples"
    with PersonalModel(folder / MODEL, store=store, max_samples=_BOUND) as model:
        user = User(model, folder)
        for _ in range(2 * _BOUND):
            user.add()
        model.fit(2)
        if what == "day":
            measured("cycle", user.cycle, times)
            return
        for verb, act, part in (
            ("predict", user.predict, 8),
            ("add_sample", user.add, 2),
            ("forget", user.forget, 1),
            ("evaluate", model.evaluate, 1),
            ("fit", lambda: model.fit(1, warm_start=True), 1),
            ("save and load", user.keep, 1),
            ("_repr_html_", model._repr_html_, 1),
        ):
            measured(verb, act, part * times)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
