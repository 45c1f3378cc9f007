"""Give a damaged file correct digests and offsets, as a program that writes such files would."""

from __future__ import annotations

import json

import numpy as np
from safetensors.numpy import load, save

from sartor.contract.digest import checkpoint_digest, model_digest
from sartor.contract.names import MANIFEST_FILE
from sartor.flatbuffer import append_files, files_start, read
from sartor.ops import assigned_constants

__all__ = ["sign_checkpoint", "sign_model"]


def sign_model(content: bytes) -> bytes:
    """Correct the digest and the offsets of a personalizable file.

    A file that cannot be read returns unchanged.
    """
    try:
        model = read(content)
        fields = json.loads(model.files[MANIFEST_FILE])
        flatbuffer = content[: files_start(content)]
        offsets = {
            name: constant.data.ctypes.data - np.frombuffer(content, np.uint8).ctypes.data
            for graph in model.graphs
            for name, constant in assigned_constants(graph)
            if constant.data is not None
        }
        for variable in fields["variables"]:
            variable["offset"] = offsets.get(variable["name"], variable["offset"])
        fields["digest"] = model_digest(flatbuffer)
    except Exception:  # damaged beyond reading
        return content
    text = json.dumps(fields).encode()
    return append_files(flatbuffer, {**model.files, MANIFEST_FILE: text})


def sign_checkpoint(content: bytes) -> bytes:
    """Correct the digest of a checkpoint; one that cannot be read returns unchanged."""
    try:
        size = int.from_bytes(content[:8], "little")
        fields = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["sartor"])
        arrays = load(content)
        own = {name: array for name, array in arrays.items() if not name.startswith("app/")}
        fields["digest"] = checkpoint_digest(own, fields["classes"], fields["class_keys"])
        return save(arrays, {"sartor": json.dumps(fields)})
    except Exception:  # damaged beyond reading
        return content
