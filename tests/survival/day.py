"""Measure the memory of a process that calls the methods of a model many times.

    python day.py FOLDER methods TIMES    each method by itself
    python day.py FOLDER day CYCLES       previews, samples, trainings and saves, as in an app

FOLDER contains a `model.tflite`. Each measurement prints one line of JSON: the number of calls, the
resident bytes before the first call (after a warm-up of `TIMES` calls) and after the last, and the
slope of a line through all measurements, in bytes per call.
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


def resident_bytes() -> int:
    """Return the resident memory of this process in bytes."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def measure(name: str, call: Callable[[], object], times: int) -> None:
    """Call a function, and print the change of the memory."""
    for _ in range(times):
        call()
    sizes = [resident_bytes()]
    for _ in range(_PARTS):
        for _ in range(times // _PARTS):
            call()
        sizes.append(resident_bytes())
    calls = _PARTS * (times // _PARTS)
    slope = float(np.polyfit(np.linspace(0, calls, len(sizes)), sizes, 1)[0])
    print(json.dumps({"method": name, "calls": calls, "first": sizes[0], "last": sizes[-1],
                      "slope": slope}), flush=True)  # fmt: skip


class User:
    """A user of a model.

    Args:
        model: model with a bounded store.
        folder: folder of checkpoints and projects.
    """

    def __init__(self, model: PersonalModel, folder: Path) -> None:
        self._model = model
        self._folder = folder
        self._random = random.Random(0)
        self._number = 0

    def add(self) -> None:
        """Add a sample; the store evicts another."""
        self._number += 1
        source = f"{self._number % 3}.{self._number}"
        self._model.add_sample(sample(source), NAMES[self._number % 3])

    def predict(self) -> None:
        """Predict one image of the preview."""
        self._model.predict(_PREVIEW)

    def forget(self) -> None:
        """Forget a sample, and add another."""
        self._model.forget(self._random.choice(self._model.samples).id)
        self.add()

    def save(self) -> None:
        """Save and load a checkpoint."""
        self._model.load(self._model.save(self._folder / "mine.safetensors"))

    def export(self) -> None:
        """Export and import a project."""
        self._model.import_project(self._model.export_project(self._folder / "mine.sartor"))

    def change_class(self) -> None:
        """Add, rename and remove a class."""
        self._model.add_sample(sample("5.0"), "new")
        self._model.rename_class("new", "newer")
        self._model.remove_class("newer")

    def open(self) -> None:
        """Open and close a second model."""
        with PersonalModel(self._model.path) as second:
            second.predict(_PREVIEW)

    def cycle(self) -> None:
        """Do the work of a few minutes."""
        for _ in range(200):
            self.predict()
        for _ in range(3):
            self.add()
        self._model.fit(2)
        self._model.evaluate()
        self._random.choice([self.forget, self.save, self.export, self.change_class, self.open])()


_PREVIEW = sample("0.0")


def main(folder: Path, workload: str, times: int) -> None:
    """Measure each method, or whole days."""
    store = None if workload == "methods" else folder / "mine.samples"
    with PersonalModel(folder / MODEL, store=store, max_samples=_BOUND) as model:
        user = User(model, folder)
        for _ in range(2 * _BOUND):
            user.add()
        model.fit(2)
        if workload == "day":
            measure("cycle", user.cycle, times)
            return
        for method, call, share in (
            ("predict", user.predict, 8),
            ("add_sample", user.add, 2),
            ("forget", user.forget, 1),
            ("evaluate", model.evaluate, 1),
            ("fit", lambda: model.fit(1, warm_start=True), 1),
            ("save and load", user.save, 1),
            ("_repr_html_", model._repr_html_, 1),
        ):
            measure(method, call, share * times)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
