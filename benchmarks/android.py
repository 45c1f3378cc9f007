"""A training step, a frame, an added sample and a training: Kotlin library and Python runtime.

The Kotlin library runs in a desktop JVM, on the genuine Android x86_64 library of TFLite and the
SQLite of Robolectric (`android/tools`).
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import TypeAlias

import numpy as np

import sartor
from sartor import PersonalModel
from sartor.litert import Engine, read_personalizable
from sartor.litert.interpreter import create_interpreter
from sartor.runtime.data.batches import Batch
from sartor.runtime.data.dataset import Dataset
from sartor.runtime.training.control import Control
from sartor.runtime.training.schedule import Schedule
from sartor.runtime.training.trainer import Trainer

from .harness import Goal, Report, main, millis, ratio, seconds_per_call
from .kotlin import Kotlin, Times, output_of

_Results: TypeAlias = dict[tuple[str, str], list[Times]]
"""Name of the candidate, task → times, one for each round."""

_TITLE = "The Kotlin library in a desktop JVM and the Python runtime, starter base, one thread"
_ROWS, _CLASSES = 320, 10
_FIT_CLASSES, _FIT_SAMPLES = 4, 80
_STEPS = 100
_ROUNDS = 5
_LIMIT = 1.3
_TASKS = {
    "step": ("a training step, 32 x 1280 → 10", 5),
    "train": ("– of it, `train` by LiteRT alone", 5),
    "frame": ("`predict` of a frame of 640 x 480", 15),
    "infer": ("– of it, `infer`", 15),
    "sample": ("`addSample` of a photo of 640 x 480", 15),
    "hash": ("– of it, the SHA-256 of the photo", 15),
    "fit": ("`fit` of 80 photos of 4 classes", 1),
    "open": ("`open` with 80 samples, and the first `predict`", 3),
}
"""Task → text, calls of a round."""

_WARM_UP = {
    "step": 30, "train": 5, "frame": 100, "infer": 30, "sample": 60, "hash": 30, "fit": 3,
    "open": 5,
}  # fmt: skip
"""Task → calls before the first round: the JVM compiles what is called often."""

_HUNDREDS = ("step", "train")
"""Tasks that do their work a hundred times a call."""

_MEMORY_CALLS = 100_000


class _Python:
    """The same tasks, in this process."""

    def __init__(self, model: Path, folder: Path) -> None:
        self._tasks = _python_tasks(model, folder)

    def measure(self, task: str, calls: int) -> Times:
        """Return the time and the CPU time of a call."""
        start = time.process_time()
        times = [seconds_per_call(self._tasks[task], 1) for _ in range(calls)]
        return median(times), (time.process_time() - start) / calls


def run() -> Report:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = folder / "model.tflite"
        sartor.convert("starter", classes=_CLASSES).save(model)
        try:
            kotlin = Kotlin("Workload", model, folder / "kotlin")
        except RuntimeError as error:
            return Report(_TITLE, ["", "Python", "Kotlin"], [], notes=[f"Missing: {error}"])
        results = _measure({"Python": _Python(model, folder), "Kotlin": kotlin})
        kotlin.close()
    memory = {kind: _memory(kind) for kind in ("library", "runSignature")}
    ratios = {task: [ratio(*each) for each in _pairs(results, task)] for task in _TASKS}
    rows = [
        [
            text,
            *(millis([each[0] for each in results[name, task]]) for name in ("Python", "Kotlin")),
            *(f"{each:.2f}" for each in ratios[task]),
        ]
        for task, (text, _) in _TASKS.items()
    ]
    return Report(
        _TITLE,
        ["", "Python", "Kotlin", "ratio", "of CPU times"],
        rows,
        goals=[_goal(task, *ratios[task]) for task in ("step", "frame", "sample")],
        notes=[
            "`train` and `infer` are the times of LiteRT alone; the Android library is the older "
            "one. SHA-256 is that of the JDK: a device has a fast one of its own, that of "
            "Robolectric takes ten times as long.",
            f"{_MEMORY_CALLS:,} calls of `train` grow the process by "
            f"{memory['library'] / 1e6:.1f} MB; with LiteRT's `runSignature`, which leaks, by "
            f"{memory['runSignature'] / 1e6:.0f} MB.",
            f"By turns, {_ROUNDS} rounds; medians. The JVM was warm. Both have the same photos, a "
            "store on a disk, and no thumbnails. Python has LiteRT 2.3.0, Kotlin TFLite 2.16.1 for "
            "Android, x86_64. The CPU time is that of the process, with the JVM's compiler and "
            "garbage collector, and is less dependent on other load.",
            "No number is that of a phone: ART and ARM were not measured.",
        ],
        data={" ".join(key): times for key, times in results.items()},
    )


def _memory(kind: str) -> int:
    """Return the growth of a process by many steps of a small head, in bytes."""
    model = Path(__file__).parents[1] / "contract" / "recipe" / "softmax.tflite"
    return int(output_of("leak", model, _MEMORY_CALLS, kind).splitlines()[-1])


def _goal(task: str, time: float, cpu: float) -> Goal:
    """Return the goal, judged by the CPU time: other load changes the time."""
    text = f"{_TASKS[task][0]}: at most {_LIMIT} times the CPU time of Python"
    return Goal(text, f"{cpu:.2f} times ({time:.2f} times its time)", cpu <= _LIMIT)


def _measure(candidates: Mapping[str, _Python | Kotlin]) -> _Results:
    results: _Results = {(name, task): [] for name in candidates for task in _TASKS}
    for task, calls in _WARM_UP.items():
        candidates["Kotlin"].measure(task, calls)
        candidates["Python"].measure(task, 2)
    for _ in range(_ROUNDS):
        for task, (_, calls) in _TASKS.items():
            divisor = _STEPS if task in _HUNDREDS else 1
            for name, candidate in candidates.items():
                seconds, cpu = candidate.measure(task, calls)
                results[name, task].append((seconds / divisor, cpu / divisor))
    return results


def _pairs(results: _Results, task: str) -> Iterator[tuple[list[float], list[float]]]:
    """Yield the times of Kotlin and Python, and then their CPU times."""
    for index in (0, 1):
        ours, theirs = (
            [each[index] for each in results[name, task]] for name in ("Kotlin", "Python")
        )
        yield ours, theirs


def _python_tasks(path: Path, folder: Path) -> Mapping[str, Callable[[], object]]:
    file = read_personalizable(path)
    manifest = file.manifest
    engine = Engine(path, manifest, threads=1, content=file.content)
    trainer = Trainer(engine.copy(), manifest, _dataset(), Control(), 0)
    batches = _ROWS // manifest.batch_size
    schedule = Schedule(_STEPS // batches, batches, 1e-4, "cosine")
    inputs = {each.name: np.zeros(each.shape, each.dtype) for each in manifest.inputs}
    model = PersonalModel(path, store=folder / "samples.sartor", threads=1)
    fit = PersonalModel(path, store=folder / "fit.sartor", threads=1)
    _add_photos(fit)
    with PersonalModel(path, store=folder / "open.sartor", threads=1) as other:
        _add_photos(other)
    frame, changing = _photo(0), _photo(1)
    model.add_sample(_photo(2), "class 0")
    numbers = iter(range(1, 10**9))

    def add_sample() -> None:
        number = next(numbers)
        changing.reshape(-1)[:4] = np.frombuffer(number.to_bytes(4, "little"), np.uint8)
        model.add_sample(changing, f"class {number % _CLASSES}")

    def open_model() -> None:
        with PersonalModel(path, store=folder / "open.sartor", threads=1) as opened:
            opened.predict(frame)

    train = create_interpreter(file.content, threads=1).get_signature_runner("train")
    batch = {
        **Batch(manifest).labelled_inputs(_dataset(), np.arange(manifest.batch_size)),
        "learning_rate": np.zeros(1, np.float32),
    }

    def call_train() -> None:
        for _ in range(_STEPS):
            train(**batch)

    return {
        "train": call_train,
        "hash": lambda: hashlib.sha256(changing.data).digest(),
        "step": lambda: trainer.run(schedule),
        "infer": lambda: engine.run("infer", inputs),
        "frame": lambda: model.predict(frame),
        "sample": add_sample,
        "fit": fit.fit,
        "open": open_model,
    }


def _add_photos(model: PersonalModel) -> None:
    for number in range(_FIT_SAMPLES):
        model.add_sample(_photo(number), f"class {number % _FIT_CLASSES}")


def _dataset() -> Dataset:
    rng = np.random.default_rng(0)
    features = np.maximum(rng.normal(size=(_ROWS, 1280)), 0).astype(np.float32)
    targets = np.eye(_CLASSES, dtype=np.float32)[np.arange(_ROWS) % _CLASSES]
    ones = np.ones(_ROWS, np.float32)
    return Dataset([features], targets, ones, np.arange(_ROWS), ones)


def _photo(number: int) -> np.ndarray:
    """Return a photo of a shade of its class, with noise."""
    noise = np.random.default_rng(number).integers(0, 128, (480, 640, 3))
    return (40 * (number % _FIT_CLASSES) + noise).astype(np.uint8)


if __name__ == "__main__":
    main(run)
