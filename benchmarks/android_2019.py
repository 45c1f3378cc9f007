"""A training step, a frame and a sample: the Kotlin library, and the way of the 2019 library.

The 2019 library of TensorFlow Lite's model personalization kept the weights in buffers of the app
and called five files by turns. Both ways run here on the same TFLite for Android, base and
features.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import sartor

from .harness import Report, main, millis, ratio
from .kotlin import Kotlin, Times
from .tfltransfer import save_files

_TITLE = "The Kotlin library and the way of the 2019 library, on the same TFLite for Android"
_BATCH, _CLASSES, _FEATURES, _MAP = 20, 4, 1280, 49 * 1280
_STEPS = 100
_ROUNDS = 5
_ROWS = (
    ("a training step, 20 x 1280 → 4", "step", "former step", 10),
    ("– on its own features, 20 x 62,720 → 4", "step", "former step wide", 1),
    ("`predict` of 224 x 224 pixels", "frame", "former frame", 15),
    ("`addSample` of 224 x 224 pixels", "sample", "former sample", 15),
)
"""Text, task of the Kotlin library, task of 2019, calls of a round."""

_WARM_UP = 4
"""Rounds before the first one that counts."""


def run() -> Report:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = folder / "model.tflite"
        sartor.convert("starter", classes=_CLASSES, batch_size=_BATCH).save(model)
        try:
            for features in (_FEATURES, _MAP):
                save_files(
                    folder / f"kotlin/{features}", model,
                    features=features, classes=_CLASSES, batch_size=_BATCH,
                )  # fmt: skip
            kotlin = Kotlin("FormerWorkload", model, folder / "kotlin")
        except (ImportError, RuntimeError) as error:
            return Report(_TITLE, ["", "2019", "Sartor"], [], notes=[f"Missing: {error}"])
        for _ in range(_WARM_UP):
            _measure(kotlin)
        rounds = [_measure(kotlin) for _ in range(_ROUNDS)]
        kotlin.close()
    return Report(
        _TITLE,
        ["", "2019", "Sartor", "ratio", "of CPU times"],
        [_row(rounds, text, ours, former) for text, ours, former, _ in _ROWS],
        notes=[
            "The 2019 side is rebuilt: the present TensorFlow converts its graphs of a softmax "
            "head and of SGD, and Kotlin code repeats its calls, buffers and order of work. "
            "Its converter and its app do not run here. Its bottleneck is the base of the "
            "same Sartor file, with its 1280 features; the 2019 converter kept 7 x 7 x 1280 "
            "numbers of an image, so its real step is the one on 62,720 features, beside Sartor's "
            "on 1280.",
            "A step of Sartor also has momentum, weight decay, masked classes and sample weights. "
            '`predict` also decides on "none of these", and returns the features. `addSample` '
            "also stores the sample on the disk and imprints its class, which 2019 did not: there, "
            "a sample lives in memory, and nothing is recognized before a training.",
            f"By turns, {_ROUNDS} rounds in one JVM, after {_WARM_UP} rounds; medians. One thread. "
            "A ratio is Sartor's time divided by that of 2019.",
        ],
        data=rounds,
    )


def _measure(kotlin: Kotlin) -> dict[str, Times]:
    """Return the times of one round."""
    calls: dict[str, int] = {}
    for _, ours, former, count in _ROWS:
        calls.setdefault(former, count)
        calls.setdefault(ours, count)
    return {task: kotlin.measure(task, count) for task, count in calls.items()}


def _row(rounds: list[dict[str, Times]], text: str, ours: str, former: str) -> list[str]:
    divisor = _STEPS if "step" in ours else 1
    times = {
        task: [[each[task][kind] / divisor for each in rounds] for kind in (0, 1)]
        for task in (ours, former)
    }
    return [
        text,
        millis(times[former][0]),
        millis(times[ours][0]),
        *(f"{ratio(times[ours][kind], times[former][kind]):.2f}" for kind in (0, 1)),
    ]


if __name__ == "__main__":
    main(run)
