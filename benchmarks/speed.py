"""One training step of a head from Python, in Sartor and other frameworks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from .compare import Result, compare
from .frameworks import FRAMEWORKS, Batch, Head, HeadConfig
from .harness import Goal, Report, main, micros, ratio

_RATE = 1e-4
_CHECKED = 25
_ROUNDS, _TURN = 30, 0.03
_NUMPY = "NumPy"
_SIZES = {"20 x 1280 → 4": (20, 4, 1), "two threads": (20, 4, 2),
          "32 x 1280 → 100": (32, 100, 1)}  # fmt: skip


class Step:
    """The step of one framework, on a batch that is the same for all."""

    def __init__(self, make: Callable[[HeadConfig], Head], config: HeadConfig) -> None:
        self._batch = batch(config)
        self._head = make(config)
        self._settings = config

    def __call__(self) -> float:
        """Run one step."""
        return self._head.step(self._batch, _RATE)

    def quality(self) -> float:
        """Return the largest error of the weights after some steps, by the largest weight."""
        for _ in range(_CHECKED):
            self()
        expected = reference(self._batch, self._settings.momentum)
        return float(np.abs(self._head.weights() - expected).max() / np.abs(expected).max())


def run() -> Report:
    results = {title: _compare(*size) for title, size in _SIZES.items()}
    first = next(iter(results.values()))
    rows = [
        [name, *(cell for each in results.values() for cell in _cells(each, name))]
        for name in first
    ]
    return Report(
        "One training step of a softmax head on 1280 features, SGD: time, and ratio to NumPy",
        ["", *(cell for title in results for cell in (title, "/ NumPy"))],
        rows,
        goals=_goals(first, [r for each in results.values() for r in each.values()]),
        notes=[
            "Each candidate has a process of its own, by turns. A step takes NumPy arrays and "
            f"returns the loss as a float. Medians of {_ROUNDS} turns; ratios are medians over the "
            "rounds.",
            "Sartor is the signature `train` of a converted file, called by the device library "
            "with its checks; the row below calls it by LiteRT's SignatureRunner.",
            *(f"{name}: missing ({each.missing})" for name, each in first.items()
              if each.missing),
        ],
        data={
            title: {name: vars(result) for name, result in each.items()}
            for title, each in results.items()
        },
    )  # fmt: skip


def batch(config: HeadConfig) -> Batch:
    """Return features like those of MobileNetV2: non-negative, many of them zero."""
    rng = np.random.default_rng(0)
    features = np.maximum(rng.normal(size=(config.batch_size, config.features)), 0)
    labels = np.arange(config.batch_size) % config.classes
    one_hot = np.eye(config.classes, dtype=np.float32)[labels]
    return Batch(features.astype(np.float32), labels.astype(np.int64), one_hot)


def reference(batch: Batch, momentum: float) -> np.ndarray:
    """Return the weights [C, F] after the checked steps, in float64."""
    x, y = batch.features.astype(np.float64), batch.one_hot.astype(np.float64)
    w, b = np.zeros((y.shape[1], x.shape[1])), np.zeros(y.shape[1])
    vw, vb = np.zeros_like(w), np.zeros_like(b)
    for _ in range(_CHECKED):
        e = np.exp(x @ w.T + b)
        g = (e / e.sum(1, keepdims=True) - y) / len(x)
        vw, vb = momentum * vw + g.T @ x, momentum * vb + g.sum(0)
        w, b = w - _RATE * vw, b - _RATE * vb
    return np.asarray(w)


def _compare(rows: int, classes: int, threads: int) -> dict[str, Result]:
    config = HeadConfig(features=1280, classes=classes, batch_size=rows, threads=threads)
    candidates = {name: partial(Step, make, config) for name, make in FRAMEWORKS.items()}
    return compare(candidates, threads=threads, rounds=_ROUNDS, turn=_TURN)


def _cells(results: dict[str, Result], name: str) -> list[str]:
    result = results[name]
    if result.missing:
        return ["missing", ""]
    return [micros(result.times), f"{ratio(result.times, results[_NUMPY].times):.2f}"]


def _goals(results: dict[str, Result], all_results: list[Result]) -> list[Goal]:
    ours = results["Sartor"].times
    limits = {_NUMPY: 1.3, "ONNX Runtime Training": 1.0}
    goals = [
        _goal(name, limit, ratio(ours, results[name].times))
        for name, limit in limits.items()
        if not results[name].missing
    ]
    worst = max(each.quality for each in all_results if not each.missing)
    text = f"all agree with float64 on the weights after {_CHECKED} steps, to 1e-5 of the largest"
    return [*goals, Goal(text, f"{worst:.0e}", worst < 1e-5)]


def _goal(name: str, limit: float, value: float) -> Goal:
    text = f"a step 20 x 1280 → 4 takes at most {limit} times as long as {name}, on one thread"
    return Goal(text, f"{value:.2f} times", value <= limit)


if __name__ == "__main__":
    main(run)
