"""What a process keeps in memory to hold 1,000 samples and learn from them."""

from __future__ import annotations

import importlib
import multiprocessing
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

# Nothing else here: each process is to load what it measures, and no more.
from .contest import environment, silence
from .harness import MOBILENET, Report, main
from .steps import STEPS, Batch, Head, OnnxRuntimeHead, Settings, make_artifacts

_SETTINGS = Settings(features=1280, classes=10, batch=32)
_SAMPLES, _EPOCHS, _RATE = 1000, 60, 1e-4
_STATUS = Path("/proc/self/status")
_NOW, _PEAK = "VmRSS", "VmHWM"
_START, _IMPORT, _OPEN, _PREDICT = "Python and NumPy", "import", "open", "predict a picture"
_HOLD, _LEARN, _ALL = f"hold {_SAMPLES:,} samples", "learn", "**the peak**"

Stages = dict[str, float]  # name → megabytes


def run() -> Report:
    title = f"Memory of a process that learns ten classes from {_SAMPLES:,} samples, MB"
    if not _STATUS.exists():
        return Report(title, [""], [], notes=["Not run: /proc/self/status is Linux's own."])
    found: dict[str, Stages] = {}
    missing: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, measure in _entrants(folder).items():
            try:
                found[name] = _alone(measure)
            except ImportError as error:
                missing[name] = str(error)
    stages = (_START, _IMPORT, _OPEN, _PREDICT, _HOLD, _LEARN, _ALL)
    return Report(
        title,
        ["after", *found],
        [
            [stage, *(f"{each[stage]:.0f}" if stage in each else "" for each in found.values())]
            for stage in stages
        ],
        notes=[
            "Resident memory of a process of its own after each stage, one after the other; MB "
            f"are millions of bytes. 1280 features: the samples are 5.1 MB as float32. {_EPOCHS} "
            f"epochs of steps of {_SETTINGS.batch}, one thread.",
            "Sartor: MobileNetV2 1.0 int8 and PersonalModel as it is; `learn` opens the file a "
            "second time and calibrates. The others have the head alone: none of them runs this "
            "base, and what makes their features would come on top. ONNX Runtime Training's "
            "Python package imports PyTorch.",
            *(f"{name}: left out ({reason})" for name, reason in missing.items()),
        ],
        data=found,
    )


def _entrants(folder: str) -> dict[str, Callable[[], Stages]]:
    return {
        "Sartor, store in a file": partial(_sartor, Path(folder, "samples.db")),
        "Sartor, store in memory": partial(_sartor, None),
        **{
            name: partial(_steps, package, STEPS[name])
            for name, package in (("NumPy, by hand", "numpy"), ("PyTorch", "torch"))
        },
        "ONNX Runtime Training": partial(_onnx_runtime, folder),
    }


def _alone(call: Callable[..., Any], *arguments: object) -> Any:
    """What a call returns, in a process of its own."""
    context = multiprocessing.get_context("spawn")
    with environment(threads=1), ProcessPoolExecutor(1, context) as pool:
        return pool.submit(_quietly, call, *arguments).result()


def _quietly(call: Callable[..., Any], *arguments: object) -> Any:
    with silence():
        return call(*arguments)


def _onnx_runtime(folder: str) -> Stages:
    """Its artifacts are made elsewhere: that takes PyTorch too, and learning does not."""
    _alone(make_artifacts, _SETTINGS, folder)
    make = partial(OnnxRuntimeHead, folder=folder)
    found: Stages = _alone(_steps, "onnxruntime.training.api", make)
    return found


def _steps(package: str, make: Callable[[Settings], Head]) -> Stages:
    """A head alone, in another framework."""
    found = {_START: _megabytes(_NOW)}
    importlib.import_module(package)
    found[_IMPORT] = _megabytes(_NOW)
    head = make(_SETTINGS)
    found[_OPEN] = _megabytes(_NOW)
    rng = np.random.default_rng(0)
    features = rng.random((_SAMPLES, _SETTINGS.features), np.float32)
    slots = np.arange(_SAMPLES) % _SETTINGS.classes
    found[_HOLD] = _megabytes(_NOW)
    targets = np.eye(_SETTINGS.classes, dtype=np.float32)
    for _ in range(_EPOCHS):
        for rows in np.array_split(rng.permutation(_SAMPLES), -(-_SAMPLES // _SETTINGS.batch)):
            head.step(Batch(features[rows], slots[rows], targets[slots[rows]]), _RATE)
    found[_LEARN] = _megabytes(_NOW)
    return {**found, _ALL: _megabytes(_PEAK)}


def _sartor(store: Path | None) -> Stages:
    """The whole model, base included."""
    found = {_START: _megabytes(_NOW)}
    import sartor.runtime  # noqa: F401

    from .photos import FeatureModel

    found[_IMPORT] = _megabytes(_NOW)
    with tempfile.TemporaryDirectory() as folder:
        file = _alone(_converted, folder)
        with FeatureModel(file, store=store, threads=1) as model:
            found[_OPEN] = _megabytes(_NOW)
            model.predict(np.zeros(model.manifest.inputs[0].shape[1:], np.uint8))
            found[_PREDICT] = _megabytes(_NOW)
            rng = np.random.default_rng(0)
            for index in range(_SAMPLES):
                row = rng.random((1, _SETTINGS.features), np.float32)
                model.add_sample(row, str(index % _SETTINGS.classes))
            found[_HOLD] = _megabytes(_NOW)
            model.fit(epochs=_EPOCHS)
            found[_LEARN] = _megabytes(_NOW)
    return {**found, _ALL: _megabytes(_PEAK)}


def _converted(folder: str) -> Path:
    from .photos import converted

    return converted(MOBILENET, Path(folder), classes=_SETTINGS.classes)


def _megabytes(key: str) -> float:
    """Resident memory of this process, now or at its peak."""
    lines = _STATUS.read_text(encoding="ascii").splitlines()
    (found,) = (line.split()[1] for line in lines if line.startswith(f"{key}:"))
    return int(found) * 1024 / 1e6


if __name__ == "__main__":
    main(run)
