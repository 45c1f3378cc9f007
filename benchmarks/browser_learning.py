"""From photos to a trained classifier in the browser: Sartor, and Teachable Machine's method."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, median
from typing import Any

import sartor
from sartor.bases import EfficientNetLite0

from .browser import measure
from .harness import Goal, Report, main, shared

_CLASSES = ("hat", "pants", "shoes", "t-shirt")
_SHOTS = 20
_DRAWS = 3
_BACKENDS = ("wasm", "cpu")
_SARTOR = "Sartor"


def run() -> Report:
    with tempfile.TemporaryDirectory() as folder:
        base = EfficientNetLite0()
        sartor.convert(base, classes=10).save(Path(folder) / "file.tflite")
        (Path(folder) / "photos").symlink_to(shared("data", "clothing"))
        photos = {split: _photos(split) for split in ("train", "validation")}
        options = {
            "file": "files/file.tflite", "threads": True, "train": photos["train"],
            "test": photos["validation"], "shots": _SHOTS, "draws": _DRAWS,
            "backends": _BACKENDS, "tasks": {f"{len(_CLASSES)}": _CLASSES},
        }  # fmt: skip
        outputs = measure(Path(folder), [("learning", options)])
    (result,), (loaded,) = outputs.results, outputs.loaded
    trials = result["trials"]
    sizes = {name: _sizes(loaded, name) for name in trials[f"{len(_CLASSES)}"]}
    rows = [
        [name, *(cell for task in trials.values() for cell in _cells(task[name])), sizes[name]]
        for name in trials[f"{len(_CLASSES)}"]
    ]
    return Report(
        "In the browser: 20 photos per class to a classifier, beside Teachable Machine's method",
        ["", *(cell for n in trials for cell in (f"{n} classes", "accuracy")), "bytes loaded"],
        rows,
        goals=[_goal(count, task) for count, task in trials.items()],
        notes=[
            f"{outputs.browser}, headless, no GPU; clothing; the features are those of the starter "
            f"base, int8, 224 x 224. {_DRAWS} draws of {_SHOTS} photos per class, by turns; median "
            "time, and mean accuracy on the validation photos of these classes.",
            "Sartor: `fit` with its defaults, which cross-validates and calibrates. TensorFlow.js: "
            "a dense layer of 100 units and a softmax, Adam with 0.001, 50 epochs, batches of 16; "
            "without validation. Its default, WebGL, needs a GPU.",
            f"Before, each photo is decoded, resized, embedded and stored, by Sartor in "
            f"{median(result['adding']):.0f} ms; Teachable Machine embeds it too.",
            "Bytes loaded: scripts and WebAssembly, compressed by gzip, without a base. Of "
            "Sartor they include LiteRT.js and SQLite; TensorFlow.js runs a base too.",
        ],
        data=result,
    )


def _photos(split: str) -> dict[str, list[str]]:
    folder = shared("data", "clothing", split)
    return {
        part.name: [f"files/photos/{split}/{part.name}/{name}" for name in sorted(os.listdir(part))]
        for part in (folder / name for name in _CLASSES)
    }


def _cells(trials: Sequence[Mapping[str, float]]) -> tuple[str, str]:
    accuracy = mean(trial["accuracy"] for trial in trials)
    return f"{_time(trials):.2f} s", f"{accuracy * 100:.1f} %"


def _time(trials: Sequence[Mapping[str, float]]) -> float:
    """Return the median time in seconds."""
    return median(trial["time"] for trial in trials) / 1000


def _sizes(loaded: Mapping[str, Mapping[str, int]], name: str) -> str:
    """Return the compressed size of the files that a candidate needs."""
    backend = name.removeprefix("TensorFlow.js, ")
    parts = [
        sizes["compressed"]
        for url, sizes in loaded.items()
        if _needs(backend, url) and not url.endswith(("/", ".html"))
    ]
    return f"{sum(parts) / 1e6:.2f} MB"


def _needs(name: str, url: str) -> bool:
    if url.startswith("/tfjs/"):
        return name == "wasm"
    return ("teachable_machine" in url) == (name != _SARTOR)


def _goal(count: str, task: Mapping[str, Any]) -> Goal:
    others = {name: _time(trials) for name, trials in task.items() if name != _SARTOR}
    fastest = min(others, key=others.__getitem__)
    ours = _time(task[_SARTOR])
    return Goal(
        f"{count} classes: learns no slower than the fastest backend of TensorFlow.js",
        f"{ours:.2f} s, {fastest} {others[fastest]:.2f} s",
        ours <= others[fastest],
    )


if __name__ == "__main__":
    main(run)
