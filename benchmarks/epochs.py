"""One epoch against samples and classes: the trainer of Sartor beside loops in the frameworks."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

import sartor
from sartor.litert import Engine, open_model
from sartor.runtime.data.dataset import TrainingSet
from sartor.runtime.training.control import Control
from sartor.runtime.training.schedule import Schedule
from sartor.runtime.training.trainer import Trainer

from .contest import Entrant, Result, contest
from .features import FEATURES, made_up
from .harness import MOBILENET, Promise, Report, main, millis, ratio, shared
from .steps import STEPS, Batch, Head, Settings

_SIZES = ((80, 10), (1000, 10), (5000, 10), (5000, 2), (5000, 100))
_BATCH, _RATE = 32, 1e-4
_ROUNDS, _TURN = 9, 0.1
_OURS, _TORCH = "Sartor", "PyTorch"
_OTHERS = ("NumPy, by hand", "ONNX Runtime Training", _TORCH)


def run() -> Report:
    found = {size: _race(*size) for size in _SIZES}
    first = found[_SIZES[0]]
    return Report(
        "One epoch of a softmax head on 1280 features, SGD, batches of 32: time, and Sartor's as "
        "a part of it",
        ["samples, classes", *(cell for name in first for cell in _titles(name))],
        [
            [f"{size[0]:,}, {size[1]}", *(cell for name in first for cell in _cells(each, name))]
            for size, each in found.items()
        ],
        promises=_promises(found),
        notes=[
            "The same batches in the same order at the same rate, gathered from samples in "
            "memory; each in its own process on one thread, by turns. Medians of "
            f"{_ROUNDS} turns; ratios are medians of the rounds' ratios, and the range that the "
            "middle half of them lies in.",
            "Sartor is the runtime's own trainer, which counts what was right besides. No "
            "momentum, as ONNX Runtime Training has none.",
            *(f"{name}: left out ({r.missing})" for name, r in first.items() if r.missing),
        ],
        data={str(size): {name: vars(r) for name, r in each.items()}
              for size, each in found.items()},
    )  # fmt: skip


class OurEpoch:
    """The trainer of Sartor's runtime."""

    def __init__(self, samples: int, classes: int) -> None:
        photos = made_up(samples, classes)
        self._folder = tempfile.TemporaryDirectory()
        path = Path(self._folder.name, "head.tflite")
        base = shared("models", MOBILENET)
        sartor.convert(base, classes=classes, batch=_BATCH, optimizer=sartor.SGD()).save(path)
        self._manifest = open_model(path)
        self._engine = Engine(path, self._manifest)
        state = self._engine.initial_variables()
        self._engine.restore({**state, "class_mask": np.ones_like(state["class_mask"])})
        ones = np.ones(samples, np.float32)
        targets = np.eye(classes, dtype=np.float32)[_slots(samples, classes)]
        self._samples = TrainingSet([photos.features], targets, ones, np.arange(samples), ones)

    def __call__(self) -> object:
        """Learn from all samples once."""
        schedule = Schedule(1, -(-len(self._samples) // _BATCH), _RATE, "constant")
        return Trainer(self._engine, self._manifest, self._samples, schedule, Control()).run(0)

    def quality(self) -> float:
        """A shadow of the weights after one epoch: the same for all."""
        self()
        return _shadow(self._engine.variables()["head/weights"])


class TheirEpoch:
    """The same steps in another framework."""

    def __init__(self, make: Callable[[Settings], Head], samples: int, classes: int) -> None:
        self._features = made_up(samples, classes).features
        self._slots = _slots(samples, classes)
        self._targets = np.eye(classes, dtype=np.float32)
        self._head = make(Settings(FEATURES, classes, _BATCH))

    def __call__(self) -> object:
        """Learn from all samples once."""
        loss, count = 0.0, len(self._slots)
        order = np.random.default_rng(0).permutation(count)
        for rows in np.array_split(order, -(-count // _BATCH)):
            slots = self._slots[rows]
            batch = Batch(self._features[rows], slots, self._targets[slots])
            loss += self._head.step(batch, _RATE) * len(rows)
        return loss / count

    def quality(self) -> float:
        """A shadow of the weights after one epoch: the same for all."""
        self()
        return _shadow(self._head.weights())


def _slots(samples: int, classes: int) -> np.ndarray:
    return np.arange(samples, dtype=np.int64) % classes


def _shadow(weights: np.ndarray) -> float:
    """The weights in a direction drawn at random, by their length."""
    direction = np.random.default_rng(0).normal(size=weights.shape)
    return float((weights * direction).sum() / np.linalg.norm(weights.astype(np.float64)))


def _race(samples: int, classes: int) -> dict[str, Result]:
    entrants: dict[str, Callable[[], Entrant]] = {_OURS: partial(OurEpoch, samples, classes)}
    for name in _OTHERS:
        entrants[name] = partial(TheirEpoch, STEPS[name], samples, classes)
    return contest(entrants, threads=1, rounds=_ROUNDS, turn=_TURN)


def _titles(name: str) -> list[str]:
    return [name] if name == _OURS else [name, "Sartor's of it"]


def _cells(results: dict[str, Result], name: str) -> list[str]:
    if results[name].missing:
        return ["left out", ""]
    times, ours = results[name].times, results[_OURS].times
    if name == _OURS:
        return [millis(times)]
    low, high = np.quantile(np.divide(ours, times), [0.25, 0.75])
    return [millis(times), f"{ratio(ours, times):.2f} ({low:.2f}–{high:.2f})"]


def _promises(found: dict[tuple[int, int], dict[str, Result]]) -> list[Promise]:
    apart = 0.0
    for results in found.values():
        shadows = [each.quality for each in results.values() if not each.missing]
        apart = max(apart, float(np.ptp(shadows)))
    text = "all agree on the weights, in a direction drawn at random, to 1e-5 of their length"
    promises = [Promise(text, f"{apart:.0e}", apart < 1e-5)]
    if not found[_SIZES[0]][_TORCH].missing:
        worst = max(ratio(each[_OURS].times, each[_TORCH].times) for each in found.values())
        text = "an epoch takes no longer than PyTorch's, at any of these sizes"
        promises.append(Promise(text, f"{worst:.2f} times at most", worst <= 1))
    return promises


if __name__ == "__main__":
    main(run)
