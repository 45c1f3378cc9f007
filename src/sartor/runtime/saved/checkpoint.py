"""What a user has taught a model, as a safetensors file that outlives the model's next version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..._files import write_atomically
from ...contract.checkpoint import APP_PREFIX, HEADER_KEY, OOD_PREFIX, CheckpointHeader
from ...contract.digest import checkpoint_digest
from ...contract.fields import Fields
from ...contract.manifest import Fingerprints
from ...contract.names import VERSION
from ...errors import CheckpointError

__all__ = ["Checkpoint", "read_checkpoint", "write_checkpoint"]

_DAMAGED = "Use another copy of it, or train again."


@dataclass(frozen=True)
class Checkpoint:
    """All that a checkpoint file holds.

    Attributes:
        classes: the name of each slot, or None while it is free; as many as there is room for.
        fingerprints: of the model that it was taken from.
        state: variable → float32 array, as `save` gives them.
        samples_seen: how many samples were added before it was taken.
        ood_threshold: OOD score below which an input is "none of these"; None if no detector was
            fitted. See `sartor.runtime.confidence.out_of_distribution`.
        ood: tensors of the OOD detector; names start with `ood/`.
        app: tensors of the app's own, under names that start with `app/`; kept as they are.
    """

    classes: tuple[str | None, ...]
    fingerprints: Fingerprints
    state: Mapping[str, np.ndarray]
    samples_seen: int = 0
    ood_threshold: float | None = None
    ood: Mapping[str, np.ndarray] = field(default_factory=dict)
    app: Mapping[str, np.ndarray] = field(default_factory=dict)


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> Path:
    """Write a checkpoint, whole or not at all, and return its path.

    Raises:
        CheckpointError: a value is not finite.
        OSError: the folder is not there, not writable, or the disk is full; a file that was there
            before is left as it was.
    """
    from safetensors.numpy import save

    _check_finite(path, checkpoint.state)
    arrays = {
        name: np.ascontiguousarray(array)
        for name, array in {**checkpoint.state, **checkpoint.ood, **checkpoint.app}.items()
    }
    header = CheckpointHeader(
        contract=VERSION,
        fingerprints=checkpoint.fingerprints,
        classes=checkpoint.classes,
        samples_seen=checkpoint.samples_seen,
        ood_threshold=checkpoint.ood_threshold,
        digest=checkpoint_digest(_without(arrays, APP_PREFIX), checkpoint.classes),
    )
    return write_atomically(path, save(arrays, {HEADER_KEY: header.to_json()}))


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint; whether it fits a model is told by `sartor.runtime.saved.adapt.adapt`.

    Raises:
        CheckpointError: it is no checkpoint, damaged, of a newer contract, or has values that are
            not finite.
        OSError: it is not there, or may not be read.
    """
    content = path.read_bytes()
    arrays, text = _parse(path, content)
    fields = Fields.parse(text, f"{path}: its header", CheckpointError)
    version = fields.integer("contract")
    if version != VERSION:
        raise CheckpointError(
            f"{path} is of contract version {version}, expected {VERSION}: "
            "another version of Sartor has written it. Update Sartor."
        )
    header = CheckpointHeader.from_fields(fields)
    checkpoint = Checkpoint(
        classes=header.classes,
        fingerprints=header.fingerprints,
        state=_without(arrays, APP_PREFIX, OOD_PREFIX),
        samples_seen=header.samples_seen,
        ood_threshold=header.ood_threshold,
        ood=_with(arrays, OOD_PREFIX),
        app=_with(arrays, APP_PREFIX),
    )
    _check_classes(path, checkpoint.classes)
    _check_finite(path, _without(arrays, APP_PREFIX))
    digest = checkpoint_digest(_without(arrays, APP_PREFIX), checkpoint.classes)
    if header.digest not in (None, digest):
        raise CheckpointError(f"{path}: it is not what was written. {_DAMAGED}")
    return checkpoint


def _with(arrays: Mapping[str, np.ndarray], start: str) -> dict[str, np.ndarray]:
    return {name: array for name, array in arrays.items() if name.startswith(start)}


def _without(arrays: Mapping[str, np.ndarray], *starts: str) -> dict[str, np.ndarray]:
    return {name: array for name, array in arrays.items() if not name.startswith(starts)}


def _parse(path: Path, content: bytes) -> tuple[dict[str, np.ndarray], str]:
    """The arrays, and our text in the header."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(content)  # checks every offset and size
        size = int.from_bytes(content[:8], "little")
        text = json.loads(content[8 : 8 + size]).get("__metadata__", {}).get(HEADER_KEY)
    except SafetensorError as error:
        raise CheckpointError(
            f"{path} is no checkpoint, or a damaged one: {error}. {_DAMAGED}"
        ) from error
    except KeyError as error:
        raise CheckpointError(f"{path} has a tensor of type {error}, which NumPy lacks") from error
    if text is None:
        raise CheckpointError(
            f"{path} is a safetensors file, but not a checkpoint of Sartor: its header has no "
            f"{HEADER_KEY!r}. Give one that `sartor fit` or `PersonalModel.save` has written."
        )
    return arrays, text


def _check_classes(path: Path, classes: tuple[str | None, ...]) -> None:
    names = [name for name in classes if name is not None]
    if not classes or len(set(names)) != len(names) or not all(names):
        raise CheckpointError(f"{path}: class names must differ and not be empty, got {names}")


def _check_finite(path: Path, state: Mapping[str, np.ndarray]) -> None:
    for name, array in state.items():
        if array.dtype != np.float32:
            raise CheckpointError(f"{path}: {name} is {array.dtype}, expected float32. {_DAMAGED}")
        if not np.isfinite(array).all():
            raise CheckpointError(f"{path}: {name} has values that are not finite. {_DAMAGED}")
