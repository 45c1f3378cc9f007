"""One training step of a head, 20 x 1280 → 4, from Python: Sartor beside the frameworks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .contest import Result, contest
from .harness import Promise, Report, main, micros, ratio
from .steps import STEPS, Batch, Head, Settings

_RATE = 1e-4
_CHECKED = 25
_ROUNDS, _TURN = 40, 0.03


class Step:
    """One framework's step on one batch, the same for all."""

    def __init__(self, make: Callable[[Settings], Head], settings: Settings) -> None:
        self._batch = batch(settings)
        self._head = make(settings)
        self._settings = settings

    def __call__(self) -> float:
        """One step."""
        return self._head.step(self._batch, _RATE)

    def quality(self) -> float:
        """How far the weights are from those of float64 after some steps, of the largest one."""
        for _ in range(_CHECKED):
            self()
        right = reference(self._batch, self._settings.momentum)
        return float(np.abs(self._head.weights() - right).max() / np.abs(right).max())


def run() -> Report:
    results = {threads: _race(threads) for threads in (1, 2)}
    one = results[1]
    numpy = one["NumPy, by hand"].times
    rows = [[name, *_cells(each, name, results, numpy)] for name, each in one.items()]
    out = [f"{name}: left out ({each.missing})" for name, each in one.items() if each.missing]
    return Report(
        "One step of a softmax head: 20 x 1280 → 4, SGD",
        ["", "one thread", "of NumPy's time", "two threads", "error of 25 steps"],
        rows,
        promises=_promises(one),
        notes=[
            "Each in its own process, by turns; NumPy arrays in, the loss as a float out. "
            f"Median of {_ROUNDS} turns; ratios are medians of the rounds' ratios.",
            "Error: the largest of the weights, against the same steps in float64, as a part "
            "of the largest weight.",
            *out,
        ],
        data={threads: {name: _numbers(r) for name, r in rs.items()} for threads, rs in
              results.items()},
    )  # fmt: skip


def batch(settings: Settings) -> Batch:
    """Features as a MobileNetV2 gives them: not negative, many of them zero."""
    rng = np.random.default_rng(0)
    features = np.maximum(rng.normal(size=(settings.batch, settings.features)), 0)
    slots = np.arange(settings.batch) % settings.classes
    one_hot = np.eye(settings.classes, dtype=np.float32)[slots]
    return Batch(features.astype(np.float32), slots.astype(np.int64), one_hot)


def reference(given: Batch, momentum: float) -> np.ndarray:
    """The weights [C, F] after the steps that are checked, in float64."""
    x, y = given.features.astype(np.float64), given.one_hot.astype(np.float64)
    w, b = np.zeros((y.shape[1], x.shape[1])), np.zeros(y.shape[1])
    vw, vb = np.zeros_like(w), np.zeros_like(b)
    for _ in range(_CHECKED):
        e = np.exp(x @ w.T + b)
        g = (e / e.sum(1, keepdims=True) - y) / len(x)
        vw, vb = momentum * vw + g.T @ x, momentum * vb + g.sum(0)
        w, b = w - _RATE * vw, b - _RATE * vb
    return np.asarray(w)


def _race(threads: int) -> dict[str, Result]:
    settings = Settings(features=1280, classes=4, batch=20, threads=threads)
    entrants = {name: partial(Step, make, settings) for name, make in STEPS.items()}
    return contest(entrants, threads=threads, rounds=_ROUNDS, turn=_TURN)


def _cells(
    result: Result, name: str, results: dict[int, dict[str, Result]], numpy: list[float]
) -> list[str]:
    if result.missing:
        return ["not installed", "", "", ""]
    two = results[2][name].times
    return [
        micros(result.times), f"{ratio(result.times, numpy):.2f}", micros(two),
        f"{result.quality:.0e}",
    ]  # fmt: skip


def _promises(results: dict[str, Result]) -> list[Promise]:
    ours = results["Sartor"].times
    limits = {"NumPy, by hand": 1.3, "ONNX Runtime Training": 1.0}
    found = [
        _promise(name, limit, ratio(ours, results[name].times))
        for name, limit in limits.items()
        if not results[name].missing
    ]
    worst = max(each.quality for each in results.values() if not each.missing)
    right = Promise("all frameworks agree on the weights to 1e-4", f"{worst:.0e}", worst < 1e-4)
    return [*found, right]


def _promise(name: str, limit: float, measured: float) -> Promise:
    text = f"a step takes at most {limit} times as long as {name}, on one thread"
    return Promise(text, f"{measured:.2f} times", measured <= limit)


def _numbers(result: Result) -> dict[str, Any]:
    return {"missing": result.missing, "error": result.quality, "seconds": result.times}


if __name__ == "__main__":
    main(run)
