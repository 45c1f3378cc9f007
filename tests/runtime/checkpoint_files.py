"""Read and modify the content of checkpoints."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import numpy as np
from safetensors.numpy import load, save

from sartor.contract.digest import checkpoint_digest


def header(checkpoint: Path) -> dict[str, str]:
    content = checkpoint.read_bytes()
    size = int.from_bytes(content[:8], "little")
    metadata: dict[str, str] = json.loads(content[8 : 8 + size])["__metadata__"]
    return metadata


def rewrite(checkpoint: Path, *, fields: object = None, **tensors: np.ndarray | None) -> None:
    """Change fields of the header, and tensors; None removes a tensor. The digest is correct."""
    arrays = load(checkpoint.read_bytes())
    old = json.loads(header(checkpoint)["sartor"])
    new = fields if isinstance(fields, dict) else {}
    new_arrays = {k: v for k, v in (arrays | tensors).items() if v is not None}
    merged = old | new
    own = {k: v for k, v in new_arrays.items() if not k.startswith("app/")}
    if "classes" in new:
        merged["class_keys"] = merged["classes"]
    if "digest" not in new:
        with contextlib.suppress(UnicodeEncodeError):
            merged["digest"] = checkpoint_digest(own, merged["classes"], merged["class_keys"])
    metadata = {"sartor": json.dumps(merged)}
    checkpoint.write_bytes(save(new_arrays, metadata))
