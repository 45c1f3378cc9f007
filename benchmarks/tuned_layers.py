"""A head, and the last blocks of the base with a head: accuracy, time, memory."""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeAlias

import numpy as np

import sartor
from sartor import PersonalModel
from sartor.heads import FineTune

from .datasets import Dataset, dataset, draw
from .harness import Report, main

Depths: TypeAlias = Mapping[str, int]

_HEAD = "head"
_STARTER: Depths = {_HEAD: 0, "1 block": 4, "3 blocks": 10, "5 blocks": 16}
_KEYWORDS: Depths = {_HEAD: 0, "1 block": 2, "3 blocks": 6, "5 blocks": 9}
"""Text → number of layers with weights.

A block of the starter base has three, and one more is behind the last. A block of the DS-CNN has
two; it has four blocks and a convolution before them, the fifth.
"""

_DATASETS = {
    "clothing of 32 x 32 pixels, starter of 96": _STARTER,
    "spoken digits, DS-CNN": _KEYWORDS,
    "8x8 digits, starter": _STARTER,
    "clothing, starter": _STARTER,
}
_SHOTS = (5, 20, 50)

_DRAWS = 3


@dataclass(frozen=True)
class Result:
    """One training.

    Attributes:
        accuracy, calibration_error: on the test samples, 0…1.
        depth: `History.depth`.
        seconds: CPU time of `fit`.
        memory: growth of the peak memory of the process by `fit`, in bytes.
    """

    accuracy: float
    calibration_error: float
    depth: str
    seconds: float
    memory: int


@dataclass(frozen=True)
class Cell:
    """The trainings of one row of the table: depth → a result for each draw."""

    dataset: str
    shots: int
    results: dict[str, list[Result]]


def run(draws: int = _DRAWS) -> Report:
    with tempfile.TemporaryDirectory() as folder:
        cells = [
            cell
            for name, depths in _DATASETS.items()
            for cell in _cells(dataset(name), depths, Path(folder), draws)
        ]
    return _report(cells, draws)


def _cells(data: Dataset, depths: Depths, folder: Path, draws: int) -> Iterator[Cell]:
    files = {text: _convert(data, folder, last) for text, last in depths.items()}
    for shots in _SHOTS:
        results: dict[str, list[Result]] = {text: [] for text in files}
        for seed in range(draws):
            rows = draw(data.train, shots, seed)
            for text, file in files.items():
                with get_context("fork").Pool(1) as process:  # its own peak memory
                    results[text].append(process.apply(_train, (data, file, rows)))
        yield Cell(data.name, shots, results)


def _convert(data: Dataset, folder: Path, last: int) -> Path:
    head = FineTune(last) if last else None
    model = sartor.convert(data.base, classes=10, head=head)
    return model.save(folder / f"{data.name}-{last}.tflite".replace(" ", "-"), force=True)


def _train(data: Dataset, file: Path, rows: np.ndarray) -> Result:
    with PersonalModel(file, threads=1) as model:
        for row in rows:
            model.add_sample(data.inputs[row], str(data.train.labels[row]))
        peak, start = _peak(), time.process_time()
        history = model.fit()
        seconds, memory = time.process_time() - start, _peak() - peak
        pairs = zip(data.test_inputs, map(str, data.test.labels), strict=True)
        result = model.evaluate(pairs)
    error = result.calibration_error or 0.0
    return Result(result.accuracy, error, history.depth, seconds, memory)


def _peak() -> int:
    """Return the peak memory of this process, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def _report(cells: list[Cell], draws: int) -> Report:
    depths = [text for text in _STARTER if text != _HEAD]
    return Report(
        "Tuned layers of the base, ten classes",
        ["samples and base", "per class", _HEAD, *depths, "CPU time", "memory"],
        [_row(cell, depths) for cell in cells],
        notes=[
            f"Means of {draws} draws: accuracy of a head, and paired difference to it in points ± "
            "its standard error; in brackets, trainings that kept the layers. CPU time of `fit` "
            "on one thread and growth of the peak memory, for a head and each depth.",
            "One block of the starter base is `FineTune(4)`, three are `FineTune(10)`, five are "
            "`FineTune(16)`; of the DS-CNN `FineTune(2)`, `FineTune(6)`, and `FineTune(9)`: all "
            'layers but the last. Each with `fit(depth="auto")`.',
        ],
        data=[
            {
                "dataset": cell.dataset,
                "shots": cell.shots,
                "results": {text: [vars(x) for x in each] for text, each in cell.results.items()},
            }
            for cell in cells
        ],
    )


def _row(cell: Cell, depths: list[str]) -> list[str]:
    head = np.array([100 * each.accuracy for each in cell.results[_HEAD]])
    texts = []
    for text in depths:
        results = cell.results[text]
        gains = np.array([100 * each.accuracy for each in results]) - head
        several = len(gains) > 1
        error = f" ± {gains.std(ddof=1) / np.sqrt(len(gains)):.1f}" if several else ""
        kept = sum(each.depth == "layers" for each in results)
        texts.append(f"{gains.mean():+.1f}{error} ({kept})")
    seconds, memory = (
        " / ".join(f"{np.mean([getattr(x, name) for x in each]) / scale:.{digits}f}"
                   for each in cell.results.values())
        for name, scale, digits in (("seconds", 1, 1), ("memory", 1e6, 0))
    )  # fmt: skip
    return [cell.dataset, str(cell.shots), f"{head.mean():.1f} %", *texts,
            f"{seconds} s", f"{memory} MB"]  # fmt: skip


if __name__ == "__main__":
    main(run)
