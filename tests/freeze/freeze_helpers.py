"""Heads, a trained model and a runner of frozen files for the tests of `freeze`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

import sartor
from sartor.contract.manifest import InputSpec, Manifest
from sartor.contract.names import MASK, TEMPERATURE, WEIGHT_DECAY
from sartor.flatbuffer import read
from sartor.graph import Model
from sartor.heads import Head
from sartor.runtime.saved.checkpoint import Checkpoint, write_checkpoint

HEADS: dict[str, Head] = {
    "softmax": sartor.SoftmaxClassifier(),
    "cosine": sartor.CosineClassifier(),
    "mlp": sartor.MLP(hidden=(8, 6)),
    "multi-label": sartor.MultiLabelClassifier(),
    "regression": sartor.Regressor(),
}

CLASSES = ("hat", None, "shoes", None, "ünïcode")
"""Five classes, two of them free."""


@dataclass(frozen=True)
class TrainedModel:
    """A personalizable file with a checkpoint of random values."""

    path: Path
    checkpoint: Path
    manifest: Manifest
    state: dict[str, np.ndarray]


def train_randomly(
    base: str | Path | bytes,
    folder: Path,
    *,
    head: str = "softmax",
    classes: Sequence[str | None] = CLASSES,
    **settings: object,
) -> TrainedModel:
    """Convert a base and write a checkpoint of random values."""
    model = sartor.convert(base, classes=len(classes), head=HEADS[head], **settings)  # type: ignore[arg-type]
    path, rng = model.save(folder / "model.tflite"), np.random.default_rng(0)
    state = {
        spec.name: rng.normal(size=spec.shape).astype(np.float32) * np.float32(0.1)
        for spec in model.manifest.variables
    }
    state[MASK] = np.array([name is not None for name in classes], np.float32)
    state[TEMPERATURE] = np.full(1, 1.7, np.float32)
    state[WEIGHT_DECAY] = np.full(1, 0.1, np.float32)
    fingerprints = model.manifest.fingerprints
    checkpoint = Checkpoint(tuple(classes), fingerprints, state)
    write_checkpoint(folder / "mine.safetensors", checkpoint)
    return TrainedModel(path, folder / "mine.safetensors", model.manifest, state)


def samples(specs: Sequence[InputSpec], count: int, seed: int = 0) -> list[dict[str, np.ndarray]]:
    """Return random inputs."""
    rng = np.random.default_rng(seed)
    return [{spec.name: _noise(spec, rng) for spec in specs} for _ in range(count)]


def _noise(spec: InputSpec, rng: np.random.Generator) -> np.ndarray:
    if spec.dtype == "float32":
        return rng.normal(size=spec.shape).astype(np.float32)
    return rng.integers(0, 256, spec.shape).astype(spec.dtype)


def personal_outputs(
    trained_model: TrainedModel, samples: Sequence[dict[str, np.ndarray]]
) -> np.ndarray:
    """Return the outputs [N, C] of the personalizable file with the values of the checkpoint."""
    interpreter = Interpreter(str(trained_model.path))
    interpreter.get_signature_runner("restore")(**trained_model.state)
    infer = interpreter.get_signature_runner("infer")
    rows = np.concatenate([infer(**each)["output"] for each in samples])
    return rows[:, trained_model.state[MASK] > 0]


def outputs(path: Path, samples: Sequence[dict[str, np.ndarray]]) -> np.ndarray:
    """Return the dequantized outputs [N, C] of a frozen file."""
    interpreter = Interpreter(str(path))
    runner = interpreter.get_signature_runner()
    scale, zero_point = interpreter.get_output_details()[0]["quantization"]
    rows = np.concatenate([runner(**each)["output"] for each in samples])
    if rows.dtype == np.float32:
        return rows
    return np.asarray((rows.astype(np.float32) - zero_point) * scale)


def codes(model: Model | Path) -> list[str]:
    """Return the ops of a model's only graph."""
    main = (read(model) if isinstance(model, Path) else model).main
    return [op.code for op in main.ops]
