"""Shared by the tests of `freeze`: heads, a trained model, and a runner of frozen files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

import sartor
from sartor.contract.manifest import InputSpec, Manifest
from sartor.contract.names import MASK, TEMPERATURE
from sartor.flatbuffer import read
from sartor.graph import Model
from sartor.heads import Head
from sartor.runtime.saved.checkpoint import Checkpoint, write_checkpoint

HEADS: dict[str, Head] = {
    "softmax": sartor.SoftmaxClassifier(),
    "softmax of directions": sartor.SoftmaxClassifier(normalize=True),
    "cosine": sartor.CosineClassifier(),
    "mlp": sartor.MLP(hidden=(8, 6)),
    "mlp of directions": sartor.MLP(hidden=(8,), normalize=True),
    "multi-label": sartor.MultiLabelClassifier(),
    "regression": sartor.Regressor(normalize=True),
}

CLASSES = ("hat", None, "shoes", None, "ünïcode")
"""Five slots, two of them free."""


@dataclass(frozen=True)
class Learned:
    """A personalizable file, and a checkpoint with values drawn at random."""

    path: Path
    checkpoint: Path
    manifest: Manifest
    state: dict[str, np.ndarray]


def learned(
    base: str | Path | bytes,
    folder: Path,
    *,
    head: str = "softmax",
    classes: Sequence[str | None] = CLASSES,
    **settings: object,
) -> Learned:
    """Convert a base, and pretend that it was taught."""
    model = sartor.convert(base, classes=len(classes), head=HEADS[head], **settings)  # type: ignore[arg-type]
    path, rng = model.save(folder / "model.tflite"), np.random.default_rng(0)
    state = {
        spec.name: rng.normal(size=spec.shape).astype(np.float32) * np.float32(0.1)
        for spec in model.manifest.variables
    }
    state[MASK] = np.array([name is not None for name in classes], np.float32)
    state[TEMPERATURE] = np.full(1, 1.7, np.float32)
    marks = model.manifest.fingerprints
    checkpoint = Checkpoint(tuple(classes), marks, state)
    write_checkpoint(folder / "mine.safetensors", checkpoint)
    return Learned(path, folder / "mine.safetensors", model.manifest, state)


def samples(specs: Sequence[InputSpec], count: int, seed: int = 0) -> list[dict[str, np.ndarray]]:
    """Noise, as the inputs take it."""
    rng = np.random.default_rng(seed)
    return [{spec.name: _noise(spec, rng) for spec in specs} for _ in range(count)]


def _noise(spec: InputSpec, rng: np.random.Generator) -> np.ndarray:
    if spec.dtype == "float32":
        return rng.normal(size=spec.shape).astype(np.float32)
    return rng.integers(0, 256, spec.shape).astype(spec.dtype)


def personal_outputs(made: Learned, given: Sequence[dict[str, np.ndarray]]) -> np.ndarray:
    """What the personalizable file answers with the checkpoint's values, of the named slots."""
    interpreter = Interpreter(str(made.path))
    interpreter.get_signature_runner("restore")(**made.state)
    infer = interpreter.get_signature_runner("infer")
    rows = np.concatenate([infer(**each)["output"] for each in given])
    return rows[:, made.state[MASK] > 0]


def outputs(path: Path, given: Sequence[dict[str, np.ndarray]]) -> np.ndarray:
    """What a frozen file answers, as reals: [N, C]."""
    interpreter = Interpreter(str(path))
    runner = interpreter.get_signature_runner()
    scale, zero_point = interpreter.get_output_details()[0]["quantization"]
    rows = np.concatenate([runner(**each)["output"] for each in given])
    if rows.dtype == np.float32:
        return rows
    return np.asarray((rows.astype(np.float32) - zero_point) * scale)


def codes(model: Model | Path) -> list[str]:
    """The ops of a model's only graph."""
    found = read(model) if isinstance(model, Path) else model
    return [op.code for op in found.main.ops]
