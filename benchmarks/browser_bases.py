"""The forms of the starter base in the browser: time of a frame, and accuracy."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import mean, median, stdev

import sartor
from sartor.bases import EfficientNetLite0

from .browser import measure, threads_name
from .datasets import draw
from .harness import Goal, Report, main, ratio
from .samples import FeatureModel, Samples, clothing_photos, embed

_SIZES = (224, 192, 160, 128)
_CLASSES = 10
_SHOTS = 20
_DRAWS = 3
_POOL = 40
"""Photos of each class to draw from."""

_ROUNDS = 8
_REFERENCE = "int8, 224"


def run() -> Report:
    train = [pair for pair in clothing_photos("train") if int(pair[0].stem) < _POOL]
    test = clothing_photos("validation")
    forms = {f"{'int8' if quantize else 'float'}, {size}": (quantize, size)
             for quantize in (True, False) for size in _SIZES}  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        files, accuracies = {}, {}
        for index, (name, (quantize, size)) in enumerate(forms.items()):
            base = EfficientNetLite0(input_size=size, quantize=quantize)
            path = sartor.convert(base, classes=_CLASSES).save(Path(folder) / f"{index}.tflite")
            files[name] = path
            accuracies[name] = _accuracies(path, embed(path, train), embed(path, test))
        urls = {name: f"files/{path.name}" for name, path in files.items()}
        outputs = measure(
            Path(folder),
            [("speed", {"threads": each, "rounds": _ROUNDS, "files": urls})
             for each in (False, True)],
        )  # fmt: skip
        megabytes = {name: path.stat().st_size / 1e6 for name, path in files.items()}
    times = [result["times"] for result in outputs.results]
    rows = [
        [
            name, f"{megabytes[name]:.1f} MB",
            *(cell for each in times for cell in (
                f"{median(each[name]):.1f} ms", f"{ratio(each[name], each[_REFERENCE]):.2f}")),
            f"{mean(accuracies[name]) * 100:.1f} ± {stdev(accuracies[name]) * 100:.1f} %",
        ]
        for name in forms
    ]  # fmt: skip
    return Report(
        "In the browser: forms of the starter base",
        ["form, pixels", "file",
         *(cell for each in (False, True) for cell in (f"threads: {threads_name(each)}", "ratio")),
         "accuracy"],
        rows,
        goals=[_goal(times[1])],
        notes=[
            f"{outputs.browser}, headless; `infer` of the personalizable file in LiteRT.js, with "
            f"relaxed SIMD, by turns; medians of {_ROUNDS} rounds. Ratios to {_REFERENCE}.",
            f"Accuracy of Sartor after `fit` on {_SHOTS} photos per class of ten kinds of clothing,"
            f" on 341 others; mean and standard deviation of {_DRAWS} draws, the same for all. "
            "Measured in Python on the same files.",
            "WebGPU: " + ("an adapter was available; not measured."
                          if outputs.results[0]["hasWebGpu"] else "no adapter; not measured."),
        ],
        data={"times": times, "accuracies": accuracies},
    )  # fmt: skip


def _accuracies(file: Path, train: Samples, test: Samples) -> list[float]:
    """Return the accuracy of each draw."""
    accuracies = []
    for seed in range(_DRAWS):
        with FeatureModel(file) as model:
            model.add_samples(train.take(draw(train, _SHOTS, seed)))
            model.fit()
            accuracies.append(model.evaluate(list(test.pairs())).accuracy or 0.0)
    return accuracies


def _goal(times: dict[str, list[float]]) -> Goal:
    frames = 1000 / median(times[_REFERENCE])
    return Goal(
        f"{_REFERENCE}, several threads: at least 15 frames per second",
        f"{frames:.0f}",
        frames >= 15,
    )


if __name__ == "__main__":
    main(run)
