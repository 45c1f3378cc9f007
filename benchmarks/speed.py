"""One training step of a head, from Python: Sartor beside the frameworks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from .contest import Result, contest
from .harness import Promise, Report, main, micros, ratio
from .steps import STEPS, Batch, Head, Settings

_RATE = 1e-4
_CHECKED = 25
_ROUNDS, _TURN = 30, 0.03
_NUMPY = "NumPy, by hand"
_SIZES = {"20 x 1280 → 4": (20, 4, 1), "the same, two threads": (20, 4, 2),
          "32 x 1280 → 100": (32, 100, 1)}  # fmt: skip


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
    results = {title: _race(*size) for title, size in _SIZES.items()}
    first = next(iter(results.values()))
    rows = [
        [name, *(cell for each in results.values() for cell in _cells(each, name))]
        for name in first
    ]
    return Report(
        "One training step of a softmax head on 1280 features, SGD: time, and as a part of NumPy's",
        ["", *(cell for title in results for cell in (title, "of NumPy's"))],
        rows,
        promises=_promises(first, [r for each in results.values() for r in each.values()]),
        notes=[
            "Each in its own process, by turns; NumPy arrays in, the loss as a float out. "
            f"Medians of {_ROUNDS} turns; ratios are medians of the rounds' ratios.",
            "Sartor is the signature `train` of a converted file as the runtime calls it, its "
            "checks included; LiteRT alone is the same by LiteRT's SignatureRunner.",
            *(f"{name}: left out ({each.missing})" for name, each in first.items()
              if each.missing),
        ],
        data={
            title: {name: vars(result) for name, result in each.items()}
            for title, each in results.items()
        },
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


def _race(rows: int, classes: int, threads: int) -> dict[str, Result]:
    settings = Settings(features=1280, classes=classes, batch=rows, threads=threads)
    entrants = {name: partial(Step, make, settings) for name, make in STEPS.items()}
    return contest(entrants, threads=threads, rounds=_ROUNDS, turn=_TURN)


def _cells(results: dict[str, Result], name: str) -> list[str]:
    result = results[name]
    if result.missing:
        return ["left out", ""]
    return [micros(result.times), f"{ratio(result.times, results[_NUMPY].times):.2f}"]


def _promises(results: dict[str, Result], everyone: list[Result]) -> list[Promise]:
    ours = results["Sartor"].times
    limits = {_NUMPY: 1.3, "ONNX Runtime Training": 1.0}
    found = [
        _promise(name, limit, ratio(ours, results[name].times))
        for name, limit in limits.items()
        if not results[name].missing
    ]
    worst = max(each.quality for each in everyone if not each.missing)
    text = f"all agree with float64 on the weights after {_CHECKED} steps, to 1e-5 of the largest"
    return [*found, Promise(text, f"{worst:.0e}", worst < 1e-5)]


def _promise(name: str, limit: float, measured: float) -> Promise:
    text = f"a step 20 x 1280 → 4 takes at most {limit} times as long as {name}, on one thread"
    return Promise(text, f"{measured:.2f} times", measured <= limit)


if __name__ == "__main__":
    main(run)
