"""`fit` beside scikit-learn's LogisticRegression, from 20 to 10,000 samples."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from .harness import MOBILENET, Goal, Report, main
from .samples import FeatureModel, Samples, convert_base
from .synthetic import FEATURES, synthetic_samples

_SIZES = ((20, 2), (100, 5), (500, 5), (1000, 10), (1797, 10), (2000, 100), (2000, 400),
          (10_000, 500))  # fmt: skip
_ROUNDS = 5  # at most
_ENOUGH = 4.0  # seconds of a size, after which no round starts
_RATIO, _SHORT = 3.0, 0.3  # a shorter training always meets the goal, in seconds
_ADD = 1e-3  # seconds
_TESTED = 2000  # test samples


@dataclass
class Times:
    """Seconds of each round."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def measure(self, call: Callable[[], object]) -> None:
        """Time one call."""
        wall, cpu = time.perf_counter(), time.process_time()
        call()
        self.wall.append(time.perf_counter() - wall)
        self.cpu.append(time.process_time() - cpu)


@dataclass(frozen=True)
class Cell:
    """The measurements of one size.

    Attributes:
        samples, classes: size.
        ours, theirs: times of `fit`.
        add_in_memory, add_in_file: time to add all samples to a store in memory and in a file.
        steps: training steps of `fit`, those of cross-validation not included.
        accuracy: of Sartor and of scikit-learn, 0…1.
    """

    samples: int
    classes: int
    ours: Times
    theirs: Times
    add_in_memory: Times
    add_in_file: Times
    steps: int
    accuracy: tuple[float, float]

    @property
    def ratio(self) -> float:
        """The median over the rounds of the ratio of the CPU times."""
        return median(a / b for a, b in zip(self.ours.cpu, self.theirs.cpu, strict=True))

    @property
    def is_fast(self) -> bool:
        """Whether `fit` meets the goal."""
        return median(self.ours.cpu) <= _SHORT or self.ratio <= _RATIO


def run() -> Report:
    try:
        import sklearn.linear_model  # noqa: F401  # the limit counts for libraries that are loaded
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
    except ImportError:
        sys.exit("NOT RUN: scikit-learn is not installed; see benchmarks/README.md")
    with threadpool_limits(1):
        cells = [_cell(*size) for size in _SIZES]
    slow = [cell for cell in cells if not cell.is_fast]
    add = max(cell.add_in_memory.cpu[0] / cell.samples for cell in cells)
    gap = min(ours - theirs for ours, theirs in (cell.accuracy for cell in cells))
    return Report(
        f"`fit` beside scikit-learn's LogisticRegression, {FEATURES} features, one thread",
        ["samples, classes", "Sartor", "CPU", "scikit-learn", "CPU", "ratio of the CPU times",
         "accuracy: Sartor", "scikit-learn", "steps", "add, in memory: CPU", "add, in a file: CPU",
         "add, in a file"],
        [_row(cell) for cell in cells],
        goals=[
            Goal(
                f"`fit` takes at most {_RATIO:.0f} times as long as scikit-learn, or "
                f"{_SHORT} s, in CPU time",
                f"{len(slow)} of {len(cells)} sizes missed",
                not slow,
            ),
            Goal("accuracy at most 0.5 points below", f"{100 * gap:+.1f}", gap >= -0.005),
            Goal(
                f"adding a sample with known features takes at most {_ADD * 1e3:.0f} ms in CPU "
                "time, with a store in memory",
                f"{add * 1e3:.2f} ms",
                add <= _ADD,
            ),
        ],
        notes=[
            f"By turns in one process; medians of up to {_ROUNDS} rounds, as many as start within "
            f"{_ENOUGH:.0f} s. Other load on the machine changes the CPU time little.",
            "Sartor: `PersonalModel.fit` with its defaults, cross-validation and calibration "
            "included; the steps are those of the training without the folds. scikit-learn: "
            f"LogisticRegression(max_iter=1000). Accuracy on as many new samples, up to {_TESTED:,}"
            ". `benchmarks/synthetic.py` describes the features.",
            "Adding: means over all samples. With a store in a file, each sample is on disk when "
            "`add_sample` returns, so that the time depends on the disk and its other load.",
        ],
        data=[asdict(cell) for cell in cells],
    )  # fmt: skip


def _cell(samples: int, classes: int) -> Cell:
    from sklearn.linear_model import LogisticRegression

    both = synthetic_samples(2 * samples, classes)
    train = Samples(both.features[:samples], both.labels[:samples])
    test = Samples(both.features[samples:][:_TESTED], both.labels[samples:][:_TESTED])
    ours, theirs, in_memory, in_file = (Times() for _ in range(4))
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        file = convert_base(MOBILENET, Path(folder), classes=classes)
        with FeatureModel(file, store=Path(folder, "samples.db"), threads=1) as model:
            in_file.measure(lambda: model.add_samples(train))
        with FeatureModel(file, threads=1) as model:
            in_memory.measure(lambda: model.add_samples(train))
            while len(ours.wall) < _ROUNDS and sum(ours.wall + theirs.wall) < _ENOUGH:
                ours.measure(lambda: result.update(history=model.fit()))
                regression = LogisticRegression(max_iter=1000)
                theirs.measure(lambda: regression.fit(train.features, train.labels))  # noqa: B023
            accuracy = model.evaluate(test.pairs()).accuracy
    score = float(regression.score(test.features, test.labels))
    return Cell(
        samples, classes, ours, theirs, in_memory, in_file, result["history"].steps,
        (accuracy, score),
    )  # fmt: skip


def _row(cell: Cell) -> list[str]:
    ratio = f"{cell.ratio:.1f}" + " (below 0.3 s)" * (median(cell.ours.cpu) <= _SHORT)
    return [
        f"{cell.samples:,}, {cell.classes}",
        *(f"{median(each):.2f} s" for times in (cell.ours, cell.theirs)
          for each in (times.wall, times.cpu)),
        ratio,
        *(f"{100 * each:.1f} %" for each in cell.accuracy),
        str(cell.steps),
        *(f"{each / cell.samples * 1e3:.2f} ms" for each in
          (cell.add_in_memory.cpu[0], cell.add_in_file.cpu[0], cell.add_in_file.wall[0])),
    ]  # fmt: skip


if __name__ == "__main__":
    main(run)
