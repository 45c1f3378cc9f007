"""Memory of a process that trains on 1,000 samples."""

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

# No other imports here: each process loads only what it measures.
from .compare import environment, silence
from .frameworks import FRAMEWORKS, Batch, Head, HeadConfig, OnnxRuntimeHead, make_artifacts
from .harness import MOBILENET, Report, main

_CONFIG = HeadConfig(features=1280, classes=10, batch_size=32)
_SAMPLES, _EPOCHS, _RATE = 1000, 60, 1e-4
_STATUS = Path("/proc/self/status")
_NOW, _PEAK = "VmRSS", "VmHWM"
_START, _IMPORT, _OPEN, _PREDICT = "Python and NumPy", "import", "open", "predict an image"
_HOLD, _TRAIN, _ALL = f"hold {_SAMPLES:,} samples", "train", "**peak**"

Stages = dict[str, float]  # name → megabytes


def run() -> Report:
    title = f"Memory of a process that trains ten classes on {_SAMPLES:,} samples, MB"
    if not _STATUS.exists():
        return Report(title, [""], [], notes=["Not run: only Linux has /proc/self/status."])
    stages_of: dict[str, Stages] = {}
    missing: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, measure in _candidates(folder).items():
            try:
                stages_of[name] = alone(measure)
            except ImportError as error:
                missing[name] = str(error)
    stages = (_START, _IMPORT, _OPEN, _PREDICT, _HOLD, _TRAIN, _ALL)
    return Report(
        title,
        ["after", *stages_of],
        [
            [stage, *(f"{each[stage]:.0f}" if stage in each else "" for each in stages_of.values())]
            for stage in stages
        ],
        notes=[
            "Resident memory after each stage; each column is one process. 1 MB is 10⁶ bytes. The "
            f"samples of 1280 features are 5.1 MB in float32. {_EPOCHS} epochs with batches of "
            f"{_CONFIG.batch_size}, one thread.",
            "Sartor: PersonalModel with MobileNetV2 1.0 int8; `train` opens the file a second time "
            "and runs cross-validation. The others have the head only, without a base that "
            "computes features. The Python package of ONNX Runtime Training imports PyTorch.",
            *(f"{name}: missing ({reason})" for name, reason in missing.items()),
        ],
        data=stages_of,
    )


def _candidates(folder: str) -> dict[str, Callable[[], Stages]]:
    return {
        "Sartor, store in a file": partial(_sartor, Path(folder, "samples.db")),
        "Sartor, store in memory": partial(_sartor, None),
        **{
            name: partial(_steps, package, FRAMEWORKS[name])
            for name, package in (("NumPy", "numpy"), ("PyTorch", "torch"))
        },
        "ONNX Runtime Training": partial(_onnx_runtime, folder),
    }


def alone(call: Callable[..., Any], *arguments: object) -> Any:
    """Return the result of a call in a process of its own."""
    context = multiprocessing.get_context("spawn")
    with environment(threads=1), ProcessPoolExecutor(1, context) as pool:
        return pool.submit(_quietly, call, *arguments).result()


def _quietly(call: Callable[..., Any], *arguments: object) -> Any:
    with silence():
        return call(*arguments)


def _onnx_runtime(folder: str) -> Stages:
    """Measure ONNX Runtime Training. Another process makes its artifacts with PyTorch."""
    alone(make_artifacts, _CONFIG, folder)
    make = partial(OnnxRuntimeHead, folder=folder)
    stages: Stages = alone(_steps, "onnxruntime.training.api", make)
    return stages


def _steps(package: str, make: Callable[[HeadConfig], Head]) -> Stages:
    """Measure a head in another framework."""
    stages = {_START: megabytes(_NOW)}
    importlib.import_module(package)
    stages[_IMPORT] = megabytes(_NOW)
    head = make(_CONFIG)
    stages[_OPEN] = megabytes(_NOW)
    rng = np.random.default_rng(0)
    features = rng.random((_SAMPLES, _CONFIG.features), np.float32)
    labels = np.arange(_SAMPLES) % _CONFIG.classes
    stages[_HOLD] = megabytes(_NOW)
    targets = np.eye(_CONFIG.classes, dtype=np.float32)
    for _ in range(_EPOCHS):
        for rows in np.array_split(rng.permutation(_SAMPLES), -(-_SAMPLES // _CONFIG.batch_size)):
            head.step(Batch(features[rows], labels[rows], targets[labels[rows]]), _RATE)
    stages[_TRAIN] = megabytes(_NOW)
    return {**stages, _ALL: megabytes(_PEAK)}


def _sartor(store: Path | None) -> Stages:
    """Measure PersonalModel, base included."""
    stages = {_START: megabytes(_NOW)}
    import sartor.runtime  # noqa: F401

    from .samples import FeatureModel

    stages[_IMPORT] = megabytes(_NOW)
    with tempfile.TemporaryDirectory() as folder:
        file = alone(_converted, folder)
        with FeatureModel(file, store=store, threads=1) as model:
            stages[_OPEN] = megabytes(_NOW)
            model.predict(np.zeros(model.manifest.inputs[0].shape[1:], np.uint8))
            stages[_PREDICT] = megabytes(_NOW)
            rng = np.random.default_rng(0)
            for index in range(_SAMPLES):
                row = rng.random((1, _CONFIG.features), np.float32)
                model.add_sample(row, str(index % _CONFIG.classes))
            stages[_HOLD] = megabytes(_NOW)
            model.fit(epochs=_EPOCHS)
            stages[_TRAIN] = megabytes(_NOW)
    return {**stages, _ALL: megabytes(_PEAK)}


def _converted(folder: str) -> Path:
    from .samples import convert_base

    return convert_base(MOBILENET, Path(folder), classes=_CONFIG.classes)


def megabytes(key: str) -> float:
    """Return the resident memory of this process, now or at its peak."""
    lines = _STATUS.read_text(encoding="ascii").splitlines()
    (kilobytes,) = (line.split()[1] for line in lines if line.startswith(f"{key}:"))
    return int(kilobytes) * 1024 / 1e6


if __name__ == "__main__":
    main(run)
