"""Read and modify the content of checkpoints."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import load, save


def header(checkpoint: Path) -> dict[str, str]:
    content = checkpoint.read_bytes()
    size = int.from_bytes(content[:8], "little")
    metadata: dict[str, str] = json.loads(content[8 : 8 + size])["__metadata__"]
    return metadata


def rewrite(checkpoint: Path, *, fields: object = None, **tensors: np.ndarray | None) -> None:
    """Change fields of the header, and tensors; None removes a tensor."""
    arrays = load(checkpoint.read_bytes())
    old = json.loads(header(checkpoint)["sartor"])
    new = fields if isinstance(fields, dict) else {}
    if new or not all(name.startswith("app/") for name in tensors):
        old["digest"] = None  # optional: other writers omit it
    metadata = {"sartor": json.dumps(old | new)}
    new_arrays = {k: v for k, v in (arrays | tensors).items() if v is not None}
    checkpoint.write_bytes(save(new_arrays, metadata))
