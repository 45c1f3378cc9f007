"""Time of `predict` in a live preview, with and without training in the background."""

from __future__ import annotations

import multiprocessing
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import PIL.Image

from sartor.runtime.results.records import Epoch

from .compare import environment, silence
from .frameworks import FRAMEWORKS, HeadConfig
from .harness import MOBILENET, Goal, Report, main
from .samples import FeatureModel, clothing_photos, convert_base
from .speed import batch
from .synthetic import FEATURES, synthetic_samples

_CLASSES, _SAMPLES = 10, 1000
_ROUNDS, _SECONDS = 4, 3.0
_PACES = {"30 per second": 1 / 30, "back to back": 0.0}
_THREADS = (1, 2)
_IDLE, _OURS = "nothing", "Sartor"
_OTHERS = ("ONNX Runtime Training", "PyTorch")
_LIMIT = 2.0
_EPOCHS = 10**9  # more than fit into the time


@dataclass
class Turns:
    """Measurements of one row.

    Attributes:
        seconds: time of each prediction.
        steps: training steps per second, one number per turn.
    """

    seconds: list[float] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)

    def percentile(self, part: float) -> float:
        """Return a percentile in milliseconds."""
        return 1e3 * float(np.percentile(self.seconds, part))


Key = tuple[int, str, str]  # threads, pace, what trains in the background


def run() -> Report:
    trainers = (_IDLE, _OURS, *_OTHERS)
    results: dict[Key, Turns] = {}
    missing: dict[str, str] = {}
    for threads in _THREADS:
        with _preview(threads) as pool:
            for name in _OTHERS:
                reason = pool.submit(_prepare, name).result()
                if reason:
                    missing[name] = reason
            for _ in range(_ROUNDS):
                for pace in _PACES:
                    for name in trainers:
                        if name not in missing:
                            turns = results.setdefault((threads, pace, name), Turns())
                            seconds, steps = pool.submit(_turn, name, _PACES[pace]).result()
                            turns.seconds += seconds
                            turns.steps.append(steps)
    return Report(
        "Live preview during training: time of `predict`, MobileNetV2 1.0 int8",
        ["threads, images, training", "p50", "p99", "maximum", "p50 / idle", "p99 / idle",
         "steps per second"],
        [_row(key, turns, results[(key[0], key[1], _IDLE)]) for key, turns in results.items()],
        goals=[_goal(results, threads) for threads in _THREADS],
        notes=[
            f"A decoded photo, which `predict` resizes; {_SAMPLES:,} samples of {_CLASSES} "
            f"classes. {_ROUNDS} turns of {_SECONDS:.0f} s each, alternating; one process for each "
            "number of threads per prediction.",
            "Training: Sartor with `start_training`, which hands weights over up to ten times a "
            "second. The others run steps of the same size in a thread of the process in which "
            "Sartor predicts, and hand nothing over.",
            *(f"{name}: missing ({reason})" for name, reason in missing.items()),
        ],
        data=[{"key": key, **vars(turns)} for key, turns in results.items()],
    )  # fmt: skip


@contextmanager
def _preview(threads: int) -> Iterator[ProcessPoolExecutor]:
    """Start a process that has the model open."""
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder, environment(threads=1):
        file = convert_base(MOBILENET, Path(folder), classes=_CLASSES)
        with ProcessPoolExecutor(1, context, _open, (file, threads)) as pool:
            yield pool
            pool.submit(_close).result()


class _Preview:
    """State of the process between turns."""

    model: FeatureModel
    photo: np.ndarray
    others: dict[str, Callable[[], float]]


def _open(file: Path, threads: int) -> None:
    _Preview.model = FeatureModel(file, threads=threads)
    _Preview.model.add_samples(synthetic_samples(_SAMPLES, _CLASSES))
    _Preview.model.fit(epochs=1)
    with PIL.Image.open(clothing_photos("validation")[0][0]) as photo:
        _Preview.photo = np.asarray(photo.convert("RGB"))
    _Preview.others = {}


def _prepare(name: str) -> str:
    """Create the head of another framework; return why it is missing, or an empty text."""
    config = HeadConfig(FEATURES, _CLASSES, _Preview.model.manifest.batch_size)
    try:
        with silence():
            head, rows = FRAMEWORKS[name](config), batch(config)
            head.step(rows, 0.0)
    except ImportError as error:
        return str(error)
    _Preview.others[name] = lambda: head.step(rows, 1e-4)
    return ""


def _close() -> None:
    _Preview.model.close()


def _turn(name: str, pace: float) -> tuple[list[float], float]:
    """Return the seconds of each prediction, and the training steps per second."""
    train = {_IDLE: _no_training, _OURS: _sartor}.get(name) or _framework(name)
    with train() as steps:
        before, start = steps(), time.perf_counter()
        seconds = _predictions(pace)
        return seconds, (steps() - before) / (time.perf_counter() - start)


def _predictions(pace: float) -> list[float]:
    """Predict at a pace; a late prediction starts at once. Returns the seconds of each."""
    seconds, start = [], time.perf_counter()
    due = start
    while due < start + _SECONDS:
        time.sleep(max(0.0, due - time.perf_counter()))
        begin = time.perf_counter()
        _Preview.model.predict(_Preview.photo)
        end = time.perf_counter()
        seconds.append(end - begin)
        due = max(due + pace, end)
    return seconds


Steps = Callable[[], int]  # number of steps so far


@contextmanager
def _no_training() -> Iterator[Steps]:
    yield lambda: 0


@contextmanager
def _sartor() -> Iterator[Steps]:
    epochs = [0]
    model = _Preview.model

    def ended(_: Epoch) -> None:
        epochs[0] += 1

    training = model.start_training(epochs=_EPOCHS, on_epoch=ended)
    each = -(-_SAMPLES // model.manifest.batch_size)
    try:
        yield lambda: epochs[0] * each
    finally:
        training.stop()
        training.wait()


def _framework(name: str) -> Callable[[], AbstractContextManager[Steps]]:
    step = _Preview.others[name]

    @contextmanager
    def train() -> Iterator[Steps]:
        count, ended = [0], threading.Event()

        def work() -> None:
            while not ended.is_set():
                step()
                count[0] += 1

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield lambda: count[0]
        finally:
            ended.set()
            thread.join()

    return train


def _row(key: Key, turns: Turns, idle: Turns) -> list[str]:
    threads, pace, name = key
    ratios = [turns.percentile(part) / idle.percentile(part) for part in (50, 99)]
    return [
        f"{threads}, {pace}, {name}",
        *(f"{turns.percentile(part):.1f} ms" for part in (50, 99, 100)),
        *(f"{each:.2f}" for each in ratios),
        f"{np.median(turns.steps):,.0f}",
    ]


def _goal(results: dict[Key, Turns], threads: int) -> Goal:
    pace = next(iter(_PACES))
    ours, idle = (results[(threads, pace, name)].percentile(99) for name in (_OURS, _IDLE))
    return Goal(
        f"30 images per second, threads: {threads}: p99 during training at most "
        f"{_LIMIT:.0f} times that of idle",
        f"{ours / idle:.2f} times",
        ours <= _LIMIT * idle,
    )


if __name__ == "__main__":
    main(run)
