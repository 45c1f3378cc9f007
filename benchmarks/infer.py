"""`infer` of a converted file, compared with the original base."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from .harness import BASES, Goal, Report, interleaved, main, millis, ratio, shared
from .samples import convert_base

_CLASSES = (10, 1000)  # the goal refers to the first
_ROUNDS = 400
_LIMIT = 1.03


def run() -> Report:
    rows, data = [], []
    for name, base in BASES.items():
        for threads in (1, 2):
            times = _timed(base, threads)
            ratios = {classes: ratio(times[classes], times[0]) for classes in _CLASSES}
            rows.append([
                name, str(threads), millis(times[0]),
                *(f"{millis(times[classes])} ({(ratios[classes] - 1) * 100:+.1f} %)"
                  for classes in _CLASSES),
            ])  # fmt: skip
            data.append({"base": name, "threads": threads, "ratios": ratios})
    return Report(
        "`infer` with a head and the original base, one image",
        ["base", "threads", "original", *(f"{n} classes" for n in _CLASSES)],
        rows,
        goals=[_goal(each) for each in data if each["base"] == next(iter(BASES))],
        notes=[
            "The same LiteRT calls for all (set the input, invoke, get the output), in one "
            f"process, by turns. Medians of {_ROUNDS} rounds; differences are medians of the "
            "ratios. The original bases have 1001 classes in int8; a head has float32 classes, "
            "because it is trained.",
        ],
        data=data,
    )


def _timed(base: str, threads: int) -> dict[int, list[float]]:
    """Return capacity → seconds per call; 0 is the original base."""
    with tempfile.TemporaryDirectory() as folder:
        files = {n: convert_base(base, Path(folder), classes=n) for n in _CLASSES}
        models = {0: shared("models", base), **files}
        calls = {n: _call(path, threads) for n, path in models.items()}
        return interleaved(calls, rounds=_ROUNDS, calls=1)


def _call(path: Path, threads: int) -> Callable[[], Any]:
    """Return a function that runs the main graph (`infer`) once, with the fewest LiteRT calls."""
    interpreter = Interpreter(model_path=str(path), num_threads=threads)
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    image = np.random.default_rng(0).integers(0, 256, source["shape"]).astype(source["dtype"])

    def call() -> Any:
        interpreter.set_tensor(source["index"], image)
        interpreter.invoke()
        return interpreter.get_tensor(target["index"])

    return call


def _goal(results: dict[str, Any]) -> Goal:
    relative = results["ratios"][_CLASSES[0]]
    return Goal(
        f"{results['base']}, {_CLASSES[0]} classes, threads: {results['threads']}: "
        "within 3 % of the original base",
        f"{(relative - 1) * 100:+.1f} %",
        relative <= _LIMIT,
    )


if __name__ == "__main__":
    main(run)
