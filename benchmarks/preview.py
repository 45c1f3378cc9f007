"""How long a picture takes in a live preview while the model learns, and while it does not."""

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

from .contest import environment, silence
from .features import FEATURES, made_up
from .harness import MOBILENET, Promise, Report, main
from .photos import FeatureModel, converted, paths
from .speed import batch
from .steps import STEPS, Settings

_CLASSES, _SAMPLES = 10, 1000
_ROUNDS, _SECONDS = 4, 3.0
_PACES = {"30 a second": 1 / 30, "back to back": 0.0}
_THREADS = (1, 2)
_IDLE, _OURS = "nothing", "Sartor"
_OTHERS = ("ONNX Runtime Training", "PyTorch")
_LIMIT = 2.0
_EPOCHS = 10**9  # more than there is time for


@dataclass
class Turns:
    """What the turns of one preview gave.

    Attributes:
        seconds: of each picture.
        steps: training steps a second, one number a turn.
    """

    seconds: list[float] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)

    def percentile(self, part: float) -> float:
        """In milliseconds."""
        return 1e3 * float(np.percentile(self.seconds, part))


Key = tuple[int, str, str]  # threads, pace, what learns meanwhile


def run() -> Report:
    learners = (_IDLE, _OURS, *_OTHERS)
    found: dict[Key, Turns] = {}
    missing: dict[str, str] = {}
    for threads in _THREADS:
        with _preview(threads) as pool:
            for name in _OTHERS:
                reason = pool.submit(_prepare, name).result()
                if reason:
                    missing[name] = reason
            for _ in range(_ROUNDS):
                for pace in _PACES:
                    for name in learners:
                        if name not in missing:
                            turns = found.setdefault((threads, pace, name), Turns())
                            seconds, steps = pool.submit(_turn, name, _PACES[pace]).result()
                            turns.seconds += seconds
                            turns.steps.append(steps)
    return Report(
        "A live preview while something learns: time of `predict`, MobileNetV2 1.0 int8",
        ["threads, pictures, learning meanwhile", "p50", "p99", "longest", "p50, of idle",
         "p99, of idle", "steps a second"],
        [_row(key, turns, found[(key[0], key[1], _IDLE)]) for key, turns in found.items()],
        promises=[_promise(found, threads) for threads in _THREADS],
        notes=[
            f"A photo, decoded, resized by `predict`; {_SAMPLES:,} samples of {_CLASSES} classes. "
            f"Turns of {_SECONDS:.0f} s one after the other, {_ROUNDS} of each; one process for "
            "each number of threads that a prediction may use.",
            "Learning: Sartor by `start_training`, which publishes its weights up to ten times a "
            "second; the others do steps of the same size in a thread of the same process, while "
            "Sartor predicts, and hand nothing over.",
            *(f"{name}: left out ({reason})" for name, reason in missing.items()),
        ],
        data=[{"key": key, **vars(turns)} for key, turns in found.items()],
    )  # fmt: skip


@contextmanager
def _preview(threads: int) -> Iterator[ProcessPoolExecutor]:
    """A process that has the model open."""
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder, environment(threads=1):
        file = converted(MOBILENET, Path(folder), classes=_CLASSES)
        with ProcessPoolExecutor(1, context, _open, (file, threads)) as pool:
            yield pool
            pool.submit(_close).result()


class _Preview:
    """What the process keeps from turn to turn."""

    model: FeatureModel
    photo: np.ndarray
    others: dict[str, Callable[[], float]]


def _open(file: Path, threads: int) -> None:
    _Preview.model = FeatureModel(file, threads=threads)
    _Preview.model.teach(made_up(_SAMPLES, _CLASSES))
    _Preview.model.fit(epochs=1)
    with PIL.Image.open(paths("validation")[0][0]) as photo:
        _Preview.photo = np.asarray(photo.convert("RGB"))
    _Preview.others = {}


def _prepare(name: str) -> str:
    """Make another framework's head; says why it is missing."""
    settings = Settings(FEATURES, _CLASSES, _Preview.model.manifest.batch)
    try:
        with silence():
            head, rows = STEPS[name](settings), batch(settings)
            head.step(rows, 0.0)
    except ImportError as error:
        return str(error)
    _Preview.others[name] = lambda: head.step(rows, 1e-4)
    return ""


def _close() -> None:
    _Preview.model.close()


def _turn(name: str, pace: float) -> tuple[list[float], float]:
    """Seconds of each picture, and steps a second of who learns meanwhile."""
    learning = {_IDLE: _nobody, _OURS: _sartor}.get(name) or _another(name)
    with learning() as steps:
        before, start = steps(), time.perf_counter()
        seconds = _pictures(pace)
        return seconds, (steps() - before) / (time.perf_counter() - start)


def _pictures(pace: float) -> list[float]:
    """Predict at this pace; a picture that comes too late starts at once."""
    taken, start = [], time.perf_counter()
    due = start
    while due < start + _SECONDS:
        time.sleep(max(0.0, due - time.perf_counter()))
        begin = time.perf_counter()
        _Preview.model.predict(_Preview.photo)
        end = time.perf_counter()
        taken.append(end - begin)
        due = max(due + pace, end)
    return taken


Steps = Callable[[], int]  # how many were done so far


@contextmanager
def _nobody() -> Iterator[Steps]:
    yield lambda: 0


@contextmanager
def _sartor() -> Iterator[Steps]:
    epochs = [0]
    model = _Preview.model

    def ended(_: Epoch) -> None:
        epochs[0] += 1

    training = model.start_training(epochs=_EPOCHS, on_epoch=ended)
    each = -(-_SAMPLES // model.manifest.batch)
    try:
        yield lambda: epochs[0] * each
    finally:
        training.stop()
        training.wait()


def _another(name: str) -> Callable[[], AbstractContextManager[Steps]]:
    step = _Preview.others[name]

    @contextmanager
    def learning() -> Iterator[Steps]:
        done, ended = [0], threading.Event()

        def work() -> None:
            while not ended.is_set():
                step()
                done[0] += 1

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield lambda: done[0]
        finally:
            ended.set()
            thread.join()

    return learning


def _row(key: Key, turns: Turns, idle: Turns) -> list[str]:
    threads, pace, name = key
    ratios = [turns.percentile(part) / idle.percentile(part) for part in (50, 99)]
    return [
        f"{threads}, {pace}, {name}",
        *(f"{turns.percentile(part):.1f} ms" for part in (50, 99, 100)),
        *(f"{each:.2f}" for each in ratios),
        f"{np.median(turns.steps):,.0f}",
    ]


def _promise(found: dict[Key, Turns], threads: int) -> Promise:
    pace = next(iter(_PACES))
    ours, idle = (found[(threads, pace, name)].percentile(99) for name in (_OURS, _IDLE))
    return Promise(
        f"30 pictures a second, threads: {threads}: p99 while Sartor learns at most "
        f"{_LIMIT:.0f} times that of idle",
        f"{ours / idle:.2f} times",
        ours <= _LIMIT * idle,
    )


if __name__ == "__main__":
    main(run)
