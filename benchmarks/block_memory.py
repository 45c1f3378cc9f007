"""Memory of a process that trains the last block of MobileNetV2 and a head."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from .harness import Goal, Report, main
from .last_block import FRAMEWORKS, Sartor, Step
from .memory import alone, megabytes

_PACKAGES = {
    "Sartor": "sartor.litert",
    "PyTorch, channels-last": "torch",
    "TensorFlow": "tensorflow",
    "ONNX Runtime Training": "onnxruntime.training.api",
}
_STEPS = 5
_NOW, _PEAK = "VmRSS", "VmHWM"
_IMPORT, _OPEN, _TRAIN, _ALL = "import", "open", f"{_STEPS} steps", "**peak**"
_OTHER = "PyTorch, channels-last"


def run() -> Report:
    results: dict[str, dict[str, float]] = {}
    missing: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "model.tflite")
        alone(Sartor.convert, file)
        for name in _PACKAGES:
            try:
                results[name] = alone(_measure, name, file)
            except ImportError as error:
                missing[name] = str(error)
    stages = (_IMPORT, _OPEN, _TRAIN, _ALL)
    added = {name: each[_TRAIN] - each[_IMPORT] for name, each in results.items()}
    return Report(
        "Memory of a process that trains MobileNetV2's last block and a head, 20 samples, MB",
        ["after", *results],
        [[stage, *(f"{each[stage]:.0f}" for each in results.values())] for stage in stages],
        goals=_goals(results),
        notes=[
            "Resident memory; each column is one process, in Python with NumPy, on one thread. "
            "1 MB is 10⁶ bytes. The step is that of the table of its time. Sartor opens a file "
            "that another process has converted.",
            "Opening and steps alone add "
            + ", ".join(f"{value:.0f} MB ({name})" for name, value in added.items()) + ".",
            *(f"{name}: missing ({reason})" for name, reason in missing.items()),
        ],
        data=results,
    )  # fmt: skip


def _goals(results: Mapping[str, Mapping[str, float]]) -> list[Goal]:
    if _OTHER not in results:
        return []
    fraction = results["Sartor"][_ALL] / results[_OTHER][_ALL]
    text = "at most a third of the peak of PyTorch"
    return [Goal(text, f"{fraction:.2f} times", fraction <= 1 / 3)]


def _measure(name: str, file: Path) -> dict[str, float]:
    """Return the memory after each stage."""
    stages = {}
    importlib.import_module(_PACKAGES[name])
    stages[_IMPORT] = megabytes(_NOW)
    make = partial(Sartor, file=file) if name == "Sartor" else FRAMEWORKS[name]
    step = Step(make, 1)
    stages[_OPEN] = megabytes(_NOW)
    for _ in range(_STEPS):
        step()
    return {**stages, _TRAIN: megabytes(_NOW), _ALL: megabytes(_PEAK)}


if __name__ == "__main__":
    main(run)
