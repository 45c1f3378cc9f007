"""What samples and classes cost: adding, learning, predicting, opening, evaluating."""

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

from .features import made_up
from .harness import MOBILENET, Promise, Report, main, seconds_per_call
from .photos import FeatureModel, converted

_SIZES = ((4, 2), (80, 2), (80, 10), (1000, 2), (1000, 10), (1000, 100),
          (5000, 2), (5000, 10), (5000, 100))  # fmt: skip
_ROUNDS = 3
_PICTURES = 20
_GROWTH = 2.0  # as many times as long, at most, where it should not grow at all


@dataclass(frozen=True)
class Times:
    """Seconds of each thing, with so many samples of so many classes.

    Attributes:
        add: one more sample whose features are there, to a store on the disk.
        add_photo: one more decoded picture of the input's size, base and all.
        train: `fit`, up to the end of its last epoch.
        calibrate: the rest of `fit`: learning again without each part in turn.
        predict: one picture.
        evaluate: all samples, from the store.
        open: the file with its store.
    """

    add: float
    add_photo: float
    train: float
    calibrate: float
    predict: float
    evaluate: float
    open: float


def run() -> Report:
    times = {size: [_timed(*size) for _ in range(_ROUNDS)] for size in _SIZES}
    middle = {
        size: Times(*(median(getattr(each, f.name) for each in taken) for f in fields(Times)))
        for size, taken in times.items()
    }
    return Report(
        "What samples and classes cost: PersonalModel, MobileNetV2 1.0 int8, 1280 features",
        ["samples, classes", "add, features given", "add, a picture", "fit: train",
         "fit: calibrate", "predict", "evaluate all", "open"],
        [_row(size, middle[size], times[size]) for size in _SIZES],
        promises=[
            _promise("to add a sample", middle, lambda each: each.add),
            _promise("to predict", middle, lambda each: each.predict),
        ],
        notes=[
            f"All defaults, SGD with momentum, the store a file; medians of {_ROUNDS}, "
            "± half the range for `fit`. Features are made up; pictures are noise of the input's "
            "size, so nothing is decoded or resized.",
            "Each sample is on the disk when `add_sample` returns. Calibration learns again "
            "from two thirds of up to 400 samples three times, of more once. `evaluate` reads "
            "every sample from the store; `open` is the file, its store, and imprinting each "
            "class anew, as no checkpoint is loaded.",
        ],
        data={str(size): [vars(each) for each in taken] for size, taken in times.items()},
    )  # fmt: skip


def _timed(samples: int, classes: int) -> Times:
    photos = made_up(samples, classes)
    with tempfile.TemporaryDirectory() as folder:
        file = converted(MOBILENET, Path(folder), classes=classes)
        store = Path(folder, "samples.db")
        with FeatureModel(file, store=store) as model:
            add = _seconds(lambda: model.teach(photos)) / samples
            train, calibrate = _fitted(model)
            evaluate = _seconds(model.evaluate)
        opening = time.perf_counter()
        with PersonalModel(file, store=store) as model:
            opened = time.perf_counter() - opening
            pictures = _noise(model)
            predict = median(_each(model.predict, pictures))
            label = model.classes[0]
            added = median(_each(lambda picture: model.add_sample(picture, label), pictures))
    return Times(add, added, train, calibrate, predict, evaluate, opened)


def _fitted(model: PersonalModel) -> tuple[float, float]:
    """Seconds until the last epoch ends, and from then on."""
    ends: list[float] = []

    def ended(_: Epoch) -> None:
        ends.append(time.perf_counter())

    start = time.perf_counter()
    model.fit(on_epoch=ended)
    return ends[-1] - start, time.perf_counter() - ends[-1]


def _noise(model: PersonalModel) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    shape = model.manifest.inputs[0].shape[1:]
    return [rng.integers(0, 256, shape, np.uint8) for _ in range(_PICTURES)]


def _each(call: Callable[[np.ndarray], object], pictures: list[np.ndarray]) -> list[float]:
    return [_seconds(partial(call, picture)) for picture in pictures]


def _seconds(call: Callable[[], object]) -> float:
    return seconds_per_call(call, 1)


def _row(size: tuple[int, int], middle: Times, taken: list[Times]) -> list[str]:
    samples, classes = size
    return [
        f"{samples:,}, {classes}",
        *(f"{value * 1e3:.2f} ms" for value in (middle.add, middle.add_photo)),
        *(_spread([getattr(each, name) for each in taken]) for name in ("train", "calibrate")),
        *(f"{value * 1e3:.1f} ms" for value in (middle.predict, middle.evaluate, middle.open)),
    ]


def _spread(seconds: list[float]) -> str:
    half = (max(seconds) - min(seconds)) / 2
    return f"{median(seconds) * 1e3:,.0f} ± {half * 1e3:,.0f} ms"


def _promise(
    text: str, middle: dict[tuple[int, int], Times], pick: Callable[[Times], float]
) -> Promise:
    few, many = (1000, 10), (5000, 10)
    growth = pick(middle[many]) / pick(middle[few])
    return Promise(
        f"{text} takes at most {_GROWTH:.0f} times as long with 5,000 samples as with 1,000, "
        "ten classes",
        f"{growth:.2f} times",
        growth <= _GROWTH,
    )


if __name__ == "__main__":
    main(run)
