"""One epoch, for several numbers of samples and classes: Sartor's trainer and other frameworks."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

import sartor
from sartor.litert import Engine, open_model
from sartor.runtime.data.dataset import Dataset
from sartor.runtime.training.control import Control
from sartor.runtime.training.schedule import Schedule
from sartor.runtime.training.trainer import Trainer

from .compare import Candidate, Result, compare
from .frameworks import FRAMEWORKS, Batch, Head, HeadConfig
from .harness import MOBILENET, Goal, Report, main, millis, ratio, shared
from .synthetic import FEATURES, synthetic_samples

_SIZES = ((80, 10), (1000, 10), (5000, 10), (5000, 2), (5000, 100))
_BATCH, _RATE = 32, 1e-4
_ROUNDS, _TURN = 9, 0.1
_OURS, _TORCH = "Sartor", "PyTorch"
_OTHERS = ("NumPy", "ONNX Runtime Training", _TORCH)


def run() -> Report:
    results = {size: _compare(*size) for size in _SIZES}
    first = results[_SIZES[0]]
    return Report(
        "One epoch of a softmax head on 1280 features, SGD, batches of 32: time, and ratio of "
        "Sartor's time to it",
        ["samples, classes", *(cell for name in first for cell in _titles(name))],
        [
            [f"{size[0]:,}, {size[1]}", *(cell for name in first for cell in _cells(each, name))]
            for size, each in results.items()
        ],
        goals=_goals(results),
        notes=[
            "The same batches in the same order with the same learning rate, from samples in "
            "memory. Each candidate has a process and one thread of its own, by turns. Medians of "
            f"{_ROUNDS} turns. Ratios are medians over the rounds, with their quartiles.",
            "Sartor is the trainer of the device library, which also measures the accuracy. No "
            "momentum, because ONNX Runtime Training has none.",
            *(f"{name}: missing ({r.missing})" for name, r in first.items() if r.missing),
        ],
        data={str(size): {name: vars(r) for name, r in each.items()}
              for size, each in results.items()},
    )  # fmt: skip


class SartorEpoch:
    """The trainer of Sartor's device library."""

    def __init__(self, samples: int, classes: int) -> None:
        synthetic = synthetic_samples(samples, classes)
        self._folder = tempfile.TemporaryDirectory()
        path = Path(self._folder.name, "head.tflite")
        base = shared("models", MOBILENET)
        sartor.convert(base, classes=classes, batch_size=_BATCH, optimizer=sartor.SGD()).save(path)
        self._manifest = open_model(path)
        self._engine = Engine(path, self._manifest)
        state = self._engine.initial_variables()
        self._engine.restore({**state, "class_mask": np.ones_like(state["class_mask"])})
        ones = np.ones(samples, np.float32)
        targets = np.eye(classes, dtype=np.float32)[_labels(samples, classes)]
        self._samples = Dataset([synthetic.features], targets, ones, np.arange(samples), ones)

    def __call__(self) -> object:
        """Train one epoch."""
        schedule = Schedule(1, -(-len(self._samples) // _BATCH), _RATE, "constant")
        trainer = Trainer(self._engine, self._manifest, self._samples, Control(), seed=0)
        trainer.run(schedule)
        return trainer.history

    def quality(self) -> float:
        """Return a projection of the weights after one epoch, equal for all candidates."""
        self()
        return _projection(self._engine.variables()["head/weights"])


class FrameworkEpoch:
    """The same steps in another framework."""

    def __init__(self, make: Callable[[HeadConfig], Head], samples: int, classes: int) -> None:
        self._features = synthetic_samples(samples, classes).features
        self._labels = _labels(samples, classes)
        self._targets = np.eye(classes, dtype=np.float32)
        self._head = make(HeadConfig(FEATURES, classes, _BATCH))

    def __call__(self) -> object:
        """Train one epoch."""
        loss, count = 0.0, len(self._labels)
        order = np.random.default_rng(0).permutation(count)
        for rows in np.array_split(order, -(-count // _BATCH)):
            labels = self._labels[rows]
            batch = Batch(self._features[rows], labels, self._targets[labels])
            loss += self._head.step(batch, _RATE) * len(rows)
        return loss / count

    def quality(self) -> float:
        """Return a projection of the weights after one epoch, equal for all candidates."""
        self()
        return _projection(self._head.weights())


def _labels(samples: int, classes: int) -> np.ndarray:
    return np.arange(samples, dtype=np.int64) % classes


def _projection(weights: np.ndarray) -> float:
    """Project the weights on a random direction, relative to their norm."""
    direction = np.random.default_rng(0).normal(size=weights.shape)
    return float((weights * direction).sum() / np.linalg.norm(weights.astype(np.float64)))


def _compare(samples: int, classes: int) -> dict[str, Result]:
    candidates: dict[str, Callable[[], Candidate]] = {_OURS: partial(SartorEpoch, samples, classes)}
    for name in _OTHERS:
        candidates[name] = partial(FrameworkEpoch, FRAMEWORKS[name], samples, classes)
    return compare(candidates, threads=1, rounds=_ROUNDS, turn=_TURN)


def _titles(name: str) -> list[str]:
    return [name] if name == _OURS else [name, "Sartor / it"]


def _cells(results: dict[str, Result], name: str) -> list[str]:
    if results[name].missing:
        return ["missing", ""]
    times, ours = results[name].times, results[_OURS].times
    if name == _OURS:
        return [millis(times)]
    low, high = np.quantile(np.divide(ours, times), [0.25, 0.75])
    return [millis(times), f"{ratio(ours, times):.2f} ({low:.2f}–{high:.2f})"]


def _goals(results: dict[tuple[int, int], dict[str, Result]]) -> list[Goal]:
    spread = 0.0
    for each in results.values():
        projections = [one.quality for one in each.values() if not one.missing]
        spread = max(spread, float(np.ptp(projections)))
    text = "all agree on the weights, projected on a random direction, to 1e-5 of their norm"
    goals = [Goal(text, f"{spread:.0e}", spread < 1e-5)]
    if not results[_SIZES[0]][_TORCH].missing:
        worst = max(ratio(each[_OURS].times, each[_TORCH].times) for each in results.values())
        text = "an epoch takes no longer than in PyTorch, for each of these sizes"
        goals.append(Goal(text, f"{worst:.2f} times at most", worst <= 1))
    return goals


if __name__ == "__main__":
    main(run)
