"""`sartor inspect`: what is in a model or a checkpoint."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .report import Json, print_json, print_table

if TYPE_CHECKING:
    from ..graph import Model, Tensor

__all__ = ["inspect"]


def inspect(
    file: Annotated[Path, typer.Argument(help="Any .tflite model, or a checkpoint.")],
    as_json: Json = False,
) -> None:
    """Show what is in a model or a checkpoint."""
    described = _checkpoint(file) if _looks_like_checkpoint(file) else _model(file)
    if as_json:
        print_json(described)
        return
    for name, value in described.items():
        if value and isinstance(value, list) and isinstance(value[0], dict):
            print_table(list(value[0]), [_cells(row) for row in value], title=name)
        else:
            typer.echo(f"{name}: {_words(value)}")


def _looks_like_checkpoint(file: Path) -> bool:
    """A safetensors file: the size of a header, then JSON."""
    with file.open("rb") as stream:
        start = stream.read(9)
    return start[4:8] != b"TFL3" and start[8:9] == b"{"


def _checkpoint(file: Path) -> dict[str, Any]:
    from ..runtime import read_checkpoint

    checkpoint = read_checkpoint(file)
    return {
        "file": str(file),
        "bytes": file.stat().st_size,
        "kind": "checkpoint",
        "classes": [name for name in checkpoint.classes if name is not None],
        "capacity": len(checkpoint.classes),
        "samples_seen": checkpoint.samples_seen,
        "threshold": checkpoint.threshold,
        "fingerprints": asdict(checkpoint.fingerprints),
        "tensors": [
            {"name": name, "dtype": str(array.dtype), "shape": list(array.shape)}
            for name, array in sorted({**checkpoint.state, **checkpoint.app}.items())
        ],
    }


def _model(file: Path) -> dict[str, Any]:
    from ..contract import MANIFEST_FILE
    from ..flatbuffer import read

    model = read(file)
    personalizable = MANIFEST_FILE in model.files
    return {
        "file": str(file),
        "bytes": file.stat().st_size,
        "kind": "personalizable model" if personalizable else "model",
        **(_personal(model) if personalizable else {}),
        "description": model.description,
        "metadata": list(model.metadata),
        "files": list(model.files),
        "inputs": [_described(tensor) for tensor in model.main.inputs],
        "outputs": [_described(tensor) for tensor in model.main.outputs],
        "signatures": [
            {
                "key": signature.key,
                "inputs": _ends(signature.inputs),
                "outputs": _ends(signature.outputs),
            }
            for signature in model.signatures
        ],
        "ops": dict(sorted(Counter(op.name for graph in model.graphs for op in graph.ops).items())),
    }


def _personal(model: Model) -> dict[str, Any]:
    from ..contract import MANIFEST_FILE
    from ..manifest import Manifest

    manifest = Manifest.from_json(model.files[MANIFEST_FILE])
    return {
        "classes": [name for name in manifest.classes if name is not None],
        "capacity": manifest.capacity,
        "batch": manifest.batch,
        "task": manifest.task,
        "head": asdict(manifest.head),
        "loss": asdict(manifest.loss),
        "optimizer": asdict(manifest.optimizer),
        "learning_rate": manifest.learning_rate,
        "generator": manifest.generator,
        "fingerprints": asdict(manifest.fingerprints),
        "takes": [asdict(spec) for spec in manifest.inputs],
        "features": [asdict(spec) for spec in manifest.features],
        "variables": [asdict(spec) for spec in manifest.variables],
    }


def _described(tensor: Tensor) -> dict[str, Any]:
    pair = tensor.quantization.per_tensor if tensor.quantization is not None else None
    return {
        "name": tensor.name,
        "dtype": tensor.dtype.name.lower(),
        "shape": list(tensor.shape),
        "scale": pair[0] if pair else None,
        "zero_point": pair[1] if pair else None,
    }


def _ends(ends: dict[str, Tensor]) -> dict[str, str]:
    return {
        name: f"{tensor.dtype.name.lower()} {list(tensor.shape)}" for name, tensor in ends.items()
    }


def _cells(row: dict[str, Any]) -> list[str]:
    return [_words(value, "\n") for value in row.values()]


def _words(value: Any, between: str = ", ") -> str:
    """A value for people."""
    if isinstance(value, dict):
        return between.join(f"{name} {_words(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return "–" if value in (None, "") else str(value)
