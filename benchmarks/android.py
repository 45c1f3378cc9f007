"""A training step, a frame, an added sample and a training: Kotlin library and Python runtime.

The Kotlin library runs in a desktop JVM, on the genuine Android x86_64 library of TFLite and the
SQLite of Robolectric (`android/tools`).
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import mean, median
from typing import Any, TypeAlias
from unittest import mock

import numpy as np

import sartor
from sartor import PersonalModel
from sartor.litert import Engine, engine, read_personalizable
from sartor.litert.interpreter import create_interpreter
from sartor.litert.signature import signature_call
from sartor.runtime.data.dataset import Dataset
from sartor.runtime.training.control import Control
from sartor.runtime.training.schedule import Schedule
from sartor.runtime.training.trainer import Trainer

from .harness import Goal, Report, duration, main, ratio, seconds_per_call
from .kotlin import Kotlin, Times, output_of

_Results: TypeAlias = dict[tuple[str, str], list[Times]]
"""Name of the candidate, task → times, one for each round."""

_Part: TypeAlias = Callable[[Times], tuple[float, float]]
"""Returns the time and the CPU time of a part of a task."""

_TITLE = "The Kotlin library in a desktop JVM and the Python runtime, starter base, one thread"
_COLUMNS = ("", "Python", "Kotlin", "ratio", "CPU, Python", "CPU, Kotlin", "ratio")
_ROWS, _CLASSES = 320, 10
_FIT_CLASSES, _FIT_SAMPLES = 4, 80
_STEPS = 100
_ROUNDS = 5
_LIMIT = 1.3
_TASKS = {
    "step": ("a training step, 32 x 1280 → 10", 20),
    "frame": ("`predict` of a frame of 640 x 480", 40),
    "sample": ("`addSample` of a photo of 640 x 480", 30),
    "hash": ("the SHA-256 of the photo", 30),
    "fit": ("`fit` of 80 photos of 4 classes", 3),
    "open": ("`open` with 80 samples, and the first `predict`", 10),
}
"""Task → text, calls of a round."""

_WARM_UP = {"step": 60, "frame": 150, "sample": 600, "hash": 30, "fit": 5, "open": 15}
"""Task → calls before the first round: the JVM compiles what is called often."""

_ALONE = ("hash",)
"""Tasks without LiteRT."""

_GOALS = ("step", "frame", "sample")
"""Tasks whose own part has a goal."""

_MEMORY_CALLS = 100_000


class _Meter:
    """Notes the time that Python spends in LiteRT."""

    def __init__(self) -> None:
        self.seconds = self.cpu = 0.0

    def patches(self) -> ExitStack:
        """Return a context in which engines are created whose calls of LiteRT are noted."""
        stack = ExitStack()
        create, call = create_interpreter, signature_call
        stack.enter_context(mock.patch.object(engine, "create_interpreter", self._noting(create)))
        stack.enter_context(
            mock.patch.object(engine, "signature_call", lambda *each: self._noting(call(*each)))
        )
        return stack

    def _noting(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*arguments: Any, **options: Any) -> Any:
            cpu, start = time.thread_time(), time.perf_counter()
            result = call(*arguments, **options)
            self.seconds += time.perf_counter() - start
            self.cpu += time.thread_time() - cpu
            return result

        return noted


class _Python:
    """The same tasks, in this process. Create it in `meter.patches()`, and use it there."""

    def __init__(self, model: Path, folder: Path, meter: _Meter) -> None:
        self._meter = meter
        self._tasks = _python_tasks(model, folder)

    def measure(self, task: str, calls: int) -> Times:
        """Return the median times and the mean CPU times of a call."""
        meter, cpu = self._meter, time.process_time()
        cpu_before = meter.cpu
        seconds, litert = [], []
        for _ in range(calls):
            before = meter.seconds
            seconds.append(seconds_per_call(self._tasks[task], 1))
            litert.append(meter.seconds - before)
        cpu, litert_cpu = time.process_time() - cpu, meter.cpu - cpu_before
        return Times(median(seconds), cpu / calls, median(litert), litert_cpu / calls)


def run() -> Report:
    meter = _Meter()
    with tempfile.TemporaryDirectory() as temporary, meter.patches():
        folder = Path(temporary)
        model = folder / "model.tflite"
        sartor.convert("starter", classes=_CLASSES).save(model)
        try:
            kotlin = Kotlin("Workload", model, folder / "kotlin")
        except RuntimeError as error:
            return Report(_TITLE, _COLUMNS, [], notes=[f"Missing: {error}"])
        results = _measure({"Python": _Python(model, folder, meter), "Kotlin": kotlin})
        kotlin.close()
    memory = {kind: _memory(kind) for kind in ("library", "runSignature")}
    return Report(
        _TITLE,
        _COLUMNS,
        [row for task in _TASKS for row in _rows(results, task)],
        goals=[_goal(results, task) for task in _GOALS],
        notes=[
            "Each task is also shown in its two parts, measured in the same calls: the calls of "
            "LiteRT, which copy inputs and outputs too, and the rest, which is the library. The "
            "goals are those of the library's own part: the ratio of the whole depends on the "
            "builds of LiteRT. Python has LiteRT 2.3.0; Kotlin has TFLite 2.16.1 for Android, "
            "x86_64, the newest that could be had, whose kernels are older.",
            f"{_jvm(results)} A device compiles an app when it is installed, and has another "
            "garbage collector.",
            "SHA-256 is that of the JDK: a device has a fast one of its own, that of Robolectric "
            "takes ten times as long.",
            f"{_MEMORY_CALLS:,} calls of `train` grow the process by "
            f"{memory['library'] / 1e6:.1f} MB; with LiteRT's `runSignature`, which leaks, by "
            f"{memory['runSignature'] / 1e6:.0f} MB.",
            f"By turns, {_ROUNDS} rounds; times are medians, CPU times are means of the process. "
            "The JVM was warm. Both have the same photos, a store on a disk, and no thumbnails.",
            "No number is that of a phone: ART and ARM were not measured.",
        ],
        data={" ".join(key): times for key, times in results.items()},
    )


def _rows(results: _Results, task: str) -> list[list[str]]:
    """Return the rows of a task and of its two parts."""
    rows = [_row(results, task, _TASKS[task][0], _whole)]
    if task in _ALONE:
        return rows
    return [
        *rows,
        _row(results, task, "– LiteRT", _litert),
        _row(results, task, "– the library", _own),
    ]


def _row(results: _Results, task: str, text: str, part: _Part) -> list[str]:
    seconds = {
        name: [part(each)[0] for each in results[name, task]] for name in ("Python", "Kotlin")
    }
    cpu = {name: [_cpu(results, name, task, part)] for name in ("Python", "Kotlin")}
    return [
        text,
        *map(duration, seconds.values()),
        f"{ratio(seconds['Kotlin'], seconds['Python']):.2f}",
        *map(duration, cpu.values()),
        f"{ratio(cpu['Kotlin'], cpu['Python']):.2f}",
    ]


def _whole(times: Times) -> tuple[float, float]:
    return times.seconds, times.cpu


def _litert(times: Times) -> tuple[float, float]:
    return times.litert, times.litert_cpu


def _own(times: Times) -> tuple[float, float]:
    return times.seconds - times.litert, times.cpu - times.litert_cpu - times.jit


def _cpu(results: _Results, name: str, task: str, part: _Part) -> float:
    """Return the mean CPU time of a part in all rounds: that of one round is counted in 10 ms."""
    return mean(part(each)[1] for each in results[name, task])


def _jvm(results: _Results) -> str:
    """Return a sentence about the threads of the JVM."""
    shares = []
    for task in _GOALS:
        jit, gc = (
            [getattr(each, name) for each in results["Kotlin", task]] for name in ("jit", "gc")
        )
        shares.append(f"{_TASKS[task][0]}: {duration([mean(jit)])} and {duration([mean(gc)])}")
    return (
        "CPU time of the JVM's compiler, which the part of the library does not contain, and of "
        f"its garbage collector, which it contains: {'; '.join(shares)}."
    )


def _goal(results: _Results, task: str) -> Goal:
    """Return the goal, judged by the CPU time: other load changes the time."""
    own, whole, litert = (
        _cpu(results, "Kotlin", task, part) / _cpu(results, "Python", task, part)
        for part in (_own, _whole, _litert)
    )
    return Goal(
        f"{_TASKS[task][0]}: at most {_LIMIT} times the CPU time of Python, without LiteRT",
        f"{own:.2f} times; with LiteRT {whole:.2f} times, LiteRT alone {litert:.2f} times",
        own <= _LIMIT,
    )


def _memory(kind: str) -> int:
    """Return the growth of a process by many steps of a small head, in bytes."""
    model = Path(__file__).parents[1] / "contract" / "recipe" / "softmax.tflite"
    return int(output_of("leak", model, _MEMORY_CALLS, kind).splitlines()[-1])


def _measure(candidates: Mapping[str, _Python | Kotlin]) -> _Results:
    results: _Results = {(name, task): [] for name in candidates for task in _TASKS}
    for task, calls in _WARM_UP.items():
        candidates["Kotlin"].measure(task, calls)
        candidates["Python"].measure(task, 2)
    for _ in range(_ROUNDS):
        for task, (_, calls) in _TASKS.items():
            divisor = _STEPS if task == "step" else 1
            for name, candidate in candidates.items():
                times = candidate.measure(task, calls)
                results[name, task].append(Times(*(each / divisor for each in times)))
    return results


def _python_tasks(path: Path, folder: Path) -> Mapping[str, Callable[[], object]]:
    file = read_personalizable(path)
    manifest = file.manifest
    step = Engine(path, manifest, threads=1, content=file.content)
    trainer = Trainer(step, manifest, _dataset(), Control(), 0)
    batches = _ROWS // manifest.batch_size
    schedule = Schedule(_STEPS // batches, batches, 1e-4, "cosine")
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

    return {
        "hash": lambda: hashlib.sha256(changing.data).digest(),
        "step": lambda: trainer.run(schedule),
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
