"""The files of each kind of fuzzing case, and their use as in an app."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_bytes import damage
from fuzz_checkpoints import mutate_checkpoint
from fuzz_images import image_seeds, mutate_image
from fuzz_projects import mutate_project
from fuzz_stores import mutate_store
from fuzz_tables import mutate_model
from signing import sign_model

import sartor
from sartor import PersonalModel
from sartor.contract.manifest import Manifest
from sartor.errors import SartorError
from sartor.flatbuffer import write
from sartor.graph import DType, Graph, Model, Op
from sartor.inspection import describe

__all__ = ["prepare", "use", "write_files"]

MODEL, CHECKPOINT, STORE = "model.tflite", "checkpoint.safetensors", "checkpoint.samples"
BASE, PROJECT, IMAGE = "base.tflite", "mine.sartor", "image"
_CASES = Path(__file__).parents[2] / "contract" / "cases"
_SAMPLES = 6


def prepare(source: Path) -> None:
    """Write the unchanged files."""
    (source / "bases").mkdir(parents=True, exist_ok=True)
    (source / "models").mkdir(exist_ok=True)
    for path in sorted(_CASES.glob("*.tflite")):
        shutil.copy(path, source / "models")
        shutil.copy(path, source / "bases" / f"contract_{path.name}")
    (source / "bases" / "images.tflite").write_bytes(_image_base())
    sartor.convert(_image_base(), classes=4, batch_size=4).save(source / MODEL)
    with PersonalModel(source / MODEL, store=source / STORE, photos=True) as model:
        _add_samples(model)
        model.fit(3)
        model.save(source / CHECKPOINT)
        model.export_project(source / PROJECT)
    (source / "images").mkdir(exist_ok=True)
    for name, content in image_seeds().items():
        (source / "images" / name).write_bytes(content)
    (source / "ready").touch()


def write_files(source: Path, kind: str, seed: int, folder: Path) -> None:
    """Write the files of a case into a folder."""
    random = np.random.default_rng([seed, len(kind)])
    if kind == "base":
        path = _choose(random, source / "bases")
        change = damage if random.random() < 0.1 else mutate_model
        (folder / BASE).write_bytes(change(_read(path), random))
        return
    if kind == "model":
        path = _choose(random, source / "models")
        (folder / MODEL).write_bytes(sign_model(mutate_model(_read(path), random)))
        return
    for name in (MODEL, CHECKPOINT, STORE, PROJECT):
        (folder / name).write_bytes(_read(source / name))
    if kind == "checkpoint":
        (folder / CHECKPOINT).write_bytes(mutate_checkpoint(_read(source / CHECKPOINT), random))
    elif kind == "store":
        mutate_store(folder / STORE, random)
    elif kind == "project":
        (folder / PROJECT).write_bytes(mutate_project(_read(source / PROJECT), random))
    else:
        path = _choose(random, source / "images")
        (folder / IMAGE).write_bytes(mutate_image(path.name, _read(path), random))


def use(folder: Path, kind: str) -> str:
    """Use the files of a case, and return the outcome."""
    try:
        return _USES[kind](folder)
    except SartorError as error:
        return f"refused {type(error).__name__} {error}"


@cache
def _read(path: Path) -> bytes:
    return path.read_bytes()


def _choose(random: np.random.Generator, folder: Path) -> Path:
    paths = _paths(folder)
    return paths[random.integers(len(paths))]


@cache
def _paths(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def _image_base() -> bytes:
    """Return a base with a convolution, for images of 8 x 10 pixels."""
    random = np.random.default_rng(0)
    model, graph = Model(), Graph("main")
    model.graphs.append(graph)
    image = graph.input("image", (1, 8, 10, 3))
    weights = random.normal(size=(4, 3, 3, 3)).astype(np.float32) / 100
    inputs = image, graph.constant(weights), graph.constant(np.zeros(4, np.float32))
    maps = graph.tensor("maps", DType.FLOAT32, (1, 4, 5, 4))
    options = {"strideW": 2, "strideH": 2, "dilationWFactor": 1, "dilationHFactor": 1,
               "fusedActivationFunction": 1}  # fmt: skip
    graph.add(Op("CONV_2D", inputs, (maps,), options=options, options_type="Conv2DOptions"))
    logits = graph.tensor("logits", DType.FLOAT32, (1, 3))
    weights = random.normal(size=(3, 80)).astype(np.float32)
    inputs = maps, graph.constant(weights), graph.constant(np.zeros(3, np.float32))
    graph.add(Op("FULLY_CONNECTED", inputs, (logits,), options_type="FullyConnectedOptions"))
    graph.outputs = [logits]
    return write(model)


# --- uses --------------------------------------------------------------------------------------


def _use_base(folder: Path) -> str:
    describe(folder / BASE)
    sartor.convert(folder / BASE, classes=3, batch_size=4).save(folder / MODEL)
    return _use_model(folder)


def _use_model(folder: Path) -> str:
    with PersonalModel(folder / MODEL) as model:
        _add_samples(model)
        model.fit(2)
        return _check_answers(model)


def _use_other_model(folder: Path) -> str:
    """Use a model that `sartor verify` would refuse if it does not compute probabilities."""
    outcome = _use_model(folder)
    return "works" if outcome.startswith("WRONG probabilities") else outcome


def _use_checkpoint(folder: Path) -> str:
    with PersonalModel(folder / MODEL, store=folder / STORE) as model:
        sample = _sample(model.manifest, 1)
        before = model.predict(sample)
        try:
            model.load(folder / CHECKPOINT)
        except SartorError:
            assert model.predict(sample) == before, "a refused checkpoint changed the model"
            raise
        outcome = _check_answers(model)
        model.fit(2, warm_start=True)
        model.save(folder / CHECKPOINT)
        return outcome if outcome != "works" else _check_answers(model)


def _use_store(folder: Path) -> str:
    with PersonalModel(folder / MODEL, store=folder / STORE) as model:
        model.load(folder / CHECKPOINT)
        list(map(str, model.samples))
        model.add_sample(_sample(model.manifest, 77), "hat")
        model.fit(2)
        model.evaluate()
        outcome = _check_answers(model)
        model.forget(*(sample.id for sample in model.samples[:2]))
        model.export_project(folder / "new.sartor")
        return outcome


def _use_project(folder: Path) -> str:
    with PersonalModel(folder / MODEL, store=folder / STORE) as model:
        model.load(folder / CHECKPOINT)
        before = model.samples
        try:
            model.import_project(folder / PROJECT)
        except SartorError:
            assert model.samples == before, "a refused project changed the samples"
            raise
        model.fit(2)
        return _check_answers(model)


def _use_image(folder: Path) -> str:
    with PersonalModel(folder / MODEL, store=folder / STORE, thumbnails=True, photos=True) as model:
        model.load(folder / CHECKPOINT)
        model.predict(folder / IMAGE)
        model.add_sample(folder / IMAGE, "hat", augment=1)
        return _check_answers(model)


_USES = {
    "base": _use_base,
    "model": _use_other_model,
    "checkpoint": _use_checkpoint,
    "store": _use_store,
    "project": _use_project,
    "image": _use_image,
}


def _sample(manifest: Manifest, seed: int) -> dict[str, np.ndarray]:
    """Return a sample of noise."""
    random = np.random.default_rng(seed)
    return {
        spec.name: random.integers(0, 2 if spec.modality == "tensor" else 255, spec.shape).astype(
            spec.dtype
        )
        for spec in manifest.inputs
    }


def _add_samples(model: PersonalModel) -> None:
    names = [name for name in model.manifest.classes if name] or ["hat", "shoes", "dress"]
    for number in range(_SAMPLES):
        name = names[number % min(len(names), 2)]
        labels: dict[str, Any] = {
            "classification": name,
            "multi_label": {name: True},
            "regression": {name: float(number)},
        }
        model.add_sample(_sample(model.manifest, number), labels[model.manifest.task])


def _check_answers(model: PersonalModel) -> str:
    predictions = model.predict(_sample(model.manifest, 99))
    values = np.array([each.probability for each in predictions])
    if not np.isfinite(values).all():
        return f"WRONG answers {values.tolist()}"
    if model.manifest.task == "classification" and len(values) and abs(values.sum() - 1) > 1e-3:
        return f"WRONG probabilities, which sum to {values.sum()}"
    return "works"
