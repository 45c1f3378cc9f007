"""Time of each operation, for several numbers of samples and classes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np

from sartor import PersonalModel
from sartor.runtime.results.records import Epoch

from .harness import MOBILENET, Goal, Report, main, seconds_per_call
from .samples import FeatureModel, convert_base
from .synthetic import synthetic_samples

_SIZES = ((4, 2), (80, 2), (80, 10), (1000, 2), (1000, 10), (1000, 100),
          (5000, 2), (5000, 10), (5000, 100))  # fmt: skip
_ROUNDS = 3
_IMAGES = 20
_GROWTH = 2.0  # the largest ratio for an operation that should not depend on the samples


@dataclass(frozen=True)
class Times:
    """Seconds of each operation, for one number of samples and of classes.

    Attributes:
        add: add a sample whose features are known, to a store on disk.
        add_image: add a decoded image of the input's size.
        train: `fit`, until its last epoch ends.
        cross_validate: the rest of `fit`.
        predict: predict one image.
        evaluate: evaluate all samples of the store.
        open: open the file with its store.
    """

    add: float
    add_image: float
    train: float
    cross_validate: float
    predict: float
    evaluate: float
    open: float


def run() -> Report:
    times = {size: [_timed(*size) for _ in range(_ROUNDS)] for size in _SIZES}
    middle = {
        size: Times(*(median(getattr(each, f.name) for each in rounds) for f in fields(Times)))
        for size, rounds in times.items()
    }
    return Report(
        "Number of samples and classes: PersonalModel, MobileNetV2 1.0 int8, 1280 features",
        ["samples, classes", "add features", "add an image", "fit: train",
         "fit: cross-validate", "predict", "evaluate all", "open"],
        [_row(size, middle[size], times[size]) for size in _SIZES],
        goals=[
            _goal("add_sample", middle, lambda each: each.add),
            _goal("predict", middle, lambda each: each.predict),
        ],
        notes=[
            f"Default options, SGD with momentum, store in a file; medians of {_ROUNDS}, "
            "± half the range for `fit`. The features are synthetic; the images are noise of the "
            "input's size, so nothing is decoded or resized.",
            "Each sample is on disk when `add_sample` returns. Cross-validation trains on two "
            "thirds of the samples: three times up to 400 samples, once above. `evaluate` reads "
            "every sample from the store. `open` opens the file and the store and imprints each "
            "class, because no checkpoint is loaded.",
        ],
        data={str(size): [vars(each) for each in rounds] for size, rounds in times.items()},
    )  # fmt: skip


def _timed(samples: int, classes: int) -> Times:
    synthetic = synthetic_samples(samples, classes)
    with tempfile.TemporaryDirectory() as folder:
        file = convert_base(MOBILENET, Path(folder), classes=classes)
        store = Path(folder, "samples.db")
        with FeatureModel(file, store=store) as model:
            add = _seconds(lambda: model.add_samples(synthetic)) / samples
            train, cross_validate = _fit(model)
            evaluate = _seconds(model.evaluate)
        opening = time.perf_counter()
        with PersonalModel(file, store=store) as model:
            open_seconds = time.perf_counter() - opening
            images = _noise(model)
            predict = median(_each(model.predict, images))
            label = model.classes[0]
            added = median(_each(lambda image: model.add_sample(image, label), images))
    return Times(add, added, train, cross_validate, predict, evaluate, open_seconds)


def _fit(model: PersonalModel) -> tuple[float, float]:
    """Return the seconds until the last epoch ends, and the seconds after it."""
    ends: list[float] = []

    def ended(_: Epoch) -> None:
        ends.append(time.perf_counter())

    start = time.perf_counter()
    model.fit(on_epoch=ended)
    return ends[-1] - start, time.perf_counter() - ends[-1]


def _noise(model: PersonalModel) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    shape = model.manifest.inputs[0].shape[1:]
    return [rng.integers(0, 256, shape, np.uint8) for _ in range(_IMAGES)]


def _each(call: Callable[[np.ndarray], object], images: list[np.ndarray]) -> list[float]:
    return [_seconds(partial(call, image)) for image in images]


def _seconds(call: Callable[[], object]) -> float:
    return seconds_per_call(call, 1)


def _row(size: tuple[int, int], middle: Times, rounds: list[Times]) -> list[str]:
    samples, classes = size
    return [
        f"{samples:,}, {classes}",
        *(f"{value * 1e3:.2f} ms" for value in (middle.add, middle.add_image)),
        *(
            _spread([getattr(each, name) for each in rounds])
            for name in ("train", "cross_validate")
        ),
        *(f"{value * 1e3:.1f} ms" for value in (middle.predict, middle.evaluate, middle.open)),
    ]


def _spread(seconds: list[float]) -> str:
    half = (max(seconds) - min(seconds)) / 2
    return f"{median(seconds) * 1e3:,.0f} ± {half * 1e3:,.0f} ms"


def _goal(text: str, middle: dict[tuple[int, int], Times], pick: Callable[[Times], float]) -> Goal:
    few, many = (1000, 10), (5000, 10)
    growth = pick(middle[many]) / pick(middle[few])
    return Goal(
        f"{text} takes at most {_GROWTH:.0f} times as long with 5,000 samples as with 1,000, "
        "ten classes",
        f"{growth:.2f} times",
        growth <= _GROWTH,
    )


if __name__ == "__main__":
    main(run)
