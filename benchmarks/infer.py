"""`infer` of a converted file beside the untouched base."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from .harness import BASES, Promise, Report, interleaved, main, millis, ratio, shared
from .photos import converted

_CLASSES = (10, 1000)  # promised for the first
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
        "`infer` with a head beside the untouched base, one picture",
        ["base", "threads", "untouched", *(f"{n} classes" for n in _CLASSES)],
        rows,
        promises=[_promise(each) for each in data if each["base"] == next(iter(BASES))],
        notes=[
            "Both by the same calls of LiteRT (set the input, invoke, get the output), in one "
            f"process, by turns, one call each; medians of {_ROUNDS} rounds, the differences of "
            "the rounds' ratios. The bases bring their own 1001 classes, in int8; "
            "those of a head are float32, as they are trained.",
        ],
        data=data,
    )


def _timed(base: str, threads: int) -> dict[int, list[float]]:
    """Capacity → seconds a call; 0 is the untouched base."""
    with tempfile.TemporaryDirectory() as folder:
        files = {n: converted(base, Path(folder), classes=n) for n in _CLASSES}
        models = {0: shared("models", base), **files}
        calls = {n: _call(path, threads) for n, path in models.items()}
        return interleaved(calls, rounds=_ROUNDS, calls=1)


def _call(path: Path, threads: int) -> Callable[[], Any]:
    """One inference, as short as LiteRT's Python allows: the main graph is `infer`."""
    interpreter = Interpreter(model_path=str(path), num_threads=threads)
    interpreter.allocate_tensors()
    into, out = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    image = np.random.default_rng(0).integers(0, 256, into["shape"]).astype(into["dtype"])

    def call() -> Any:
        interpreter.set_tensor(into["index"], image)
        interpreter.invoke()
        return interpreter.get_tensor(out["index"])

    return call


def _promise(measured: dict[str, Any]) -> Promise:
    found = measured["ratios"][_CLASSES[0]]
    return Promise(
        f"{measured['base']}, {_CLASSES[0]} classes, threads: {measured['threads']}: "
        "within 3 % of the untouched base",
        f"{(found - 1) * 100:+.1f} %",
        found <= _LIMIT,
    )


if __name__ == "__main__":
    main(run)
