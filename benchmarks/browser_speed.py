"""A frame and a training step in the browser: the library, and LiteRT.js alone."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import sartor
from sartor.bases import EfficientNetLite0

from .browser import LITERT, measure, threads_name
from .harness import Goal, Report, main, ratio

_ROUNDS = 8
_CLASSES = 10
_LIMIT = 1.25
_PLAIN = "frame: plain"
_ROWS = (
    (f"frame: {LITERT}, a plain classifier", "frame: plain", _PLAIN),
    (f"frame: {LITERT}, the personalizable file", "frame: file", _PLAIN),
    ("frame: the library, an array of pixels", "frame: array", _PLAIN),
    ("frame: the library, a canvas of 480 x 480 pixels", "frame: canvas", _PLAIN),
    (f"training step: {LITERT}", "step: file", "step: file"),
    ("training step: the library, in `fit`", "step: library", "step: file"),
)
"""Title, its times, and the times that it is divided by."""


def run() -> Report:
    with tempfile.TemporaryDirectory() as folder:
        _save_files(Path(folder))
        library = {"file": "files/file.tflite", "classifier": "files/classifier.tflite"}
        threads = (False, True)
        outputs = measure(
            Path(folder),
            [("speed", {"threads": each, "rounds": _ROUNDS, "files": {}, "library": library})
             for each in threads],
        )  # fmt: skip
    times = [result["times"] for result in outputs.results]
    rows = [
        [title, *(cell for each in times for cell in _cells(each, key, reference))]
        for title, key, reference in _ROWS
    ]
    names = [threads_name(each) for each in threads]
    return Report(
        "In the browser: a frame and a training step, beside LiteRT.js alone",
        ["", *(cell for name in names for cell in (f"threads: {name}", "ratio"))],
        rows,
        goals=[_goal(name, each) for name, each in zip(names, times, strict=True)],
        notes=[
            f"{outputs.browser}, headless; starter base, int8, 224 x 224; a softmax head of "
            f"{_CLASSES} classes. Each engine has a worker of its own. By turns; medians of "
            f"{_ROUNDS} rounds, ratios are medians over the rounds.",
            "The plain classifier is the base with a frozen head, by `sartor freeze`.",
            "A frame: of LiteRT.js, tensors are made, `infer` runs, and the outputs are read; the "
            "library also resizes, compares with the classes and sends the answer to the page.",
            "A training step: 32 samples, 1280 features; of the library, between the first and "
            "the last epoch of `fit`.",
            f"WebGPU: {_describe_gpu(outputs.results)}",
        ],
        data=times,
    )


def _save_files(folder: Path) -> None:
    """Write a personalizable file, and a plain classifier with the same base and classes."""
    base = EfficientNetLite0()
    file = sartor.convert(base, classes=_CLASSES).save(folder / "file.tflite")
    checkpoint = folder / "checkpoint.safetensors"
    with sartor.PersonalModel(file) as model:
        for index in range(_CLASSES):
            image = np.full((base.input_size, base.input_size, 3), index, np.uint8)
            model.add_sample(image, f"class {index}")
        model.save(checkpoint)
    sartor.freeze(file, folder / "classifier.tflite", checkpoint)


def _cells(times: dict[str, list[float]], key: str, reference: str) -> tuple[str, str]:
    median = sorted(times[key])[len(times[key]) // 2]
    return f"{median:.2f} ms", f"{ratio(times[key], times[reference]):.2f}"


def _goal(threads: str, times: dict[str, list[float]]) -> Goal:
    value = ratio(times["frame: canvas"], times[_PLAIN])
    return Goal(
        f"threads: {threads}: a frame of the library takes at most {_LIMIT} times as long as the "
        "plain classifier",
        f"{value:.2f} times",
        value <= _LIMIT,
    )


def _describe_gpu(results: Any) -> str:
    available = all(result["hasWebGpu"] for result in results)
    return "an adapter was available; not measured." if available else "no adapter; not measured."


if __name__ == "__main__":
    main(run)
