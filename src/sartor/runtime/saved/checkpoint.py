"""Checkpoints: safetensors files with the state of a trained model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..._arguments import as_path
from ..._descriptors import read_file
from ..._files import FilePath, check_readable, write_atomically
from ...contract.checkpoint import APP_PREFIX, HEADER_KEY, OOD_PREFIX, CheckpointHeader
from ...contract.consistency import are_class_keys
from ...contract.digest import checkpoint_digest
from ...contract.fields import Fields
from ...contract.manifest import Fingerprints
from ...contract.names import VERSION
from ...errors import CheckpointError

__all__ = ["Checkpoint", "read_checkpoint", "write_checkpoint"]

_DAMAGED = "Use another copy, or train again."


@dataclass(frozen=True)
class Checkpoint:
    """The content of a checkpoint.

    Attributes:
        classes: class name of each class index, C in all; None for a free one.
        fingerprints: fingerprints of the model that it was saved from.
        variables: name → value, float32, as the signature `save` returns them.
        class_keys: key of each class index, C in all; None for a free one. A key identifies a class
            through renamings. Default: the names.
        samples_seen: number of samples added before it was saved. Default: 0.
        ood_threshold: OOD score below which an input is "none of these"; None if no detector was
            fitted. See `sartor.runtime.confidence.out_of_distribution`.
        ood: tensors of the OOD detector; names start with `ood/`.
        app: tensors of the app; names start with `app/`. Sartor does not change them.
        imprinted: names of the classes that were imprinted and not trained.
    """

    classes: tuple[str | None, ...]
    fingerprints: Fingerprints
    variables: Mapping[str, np.ndarray]
    class_keys: tuple[str | None, ...] = ()
    samples_seen: int = 0
    ood_threshold: float | None = None
    ood: Mapping[str, np.ndarray] = field(default_factory=dict)
    app: Mapping[str, np.ndarray] = field(default_factory=dict)
    imprinted: tuple[str, ...] = ()


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> Path:
    """Write a checkpoint atomically, and return its path.

    Raises:
        CheckpointError: If a value is not finite.
        OSError: If the folder does not exist or is not writable, or the disk is full. An old file
            stays.
    """
    from safetensors.numpy import save

    _check_finite(path, checkpoint.variables)
    arrays = {
        name: np.ascontiguousarray(array)
        for name, array in {**checkpoint.variables, **checkpoint.ood, **checkpoint.app}.items()
    }
    keys = checkpoint.class_keys or checkpoint.classes
    header = CheckpointHeader(
        contract=VERSION,
        fingerprints=checkpoint.fingerprints,
        classes=checkpoint.classes,
        class_keys=keys,
        imprinted=checkpoint.imprinted,
        samples_seen=checkpoint.samples_seen,
        ood_threshold=checkpoint.ood_threshold,
        digest=checkpoint_digest(_without(arrays, APP_PREFIX), checkpoint.classes, keys),
    )
    return write_atomically(path, save(arrays, {HEADER_KEY: header.to_json()}), private=True)


def read_checkpoint(path: FilePath) -> Checkpoint:
    """Read a checkpoint; see `adapt` for loading it into a model.

    Raises:
        CheckpointError: If the file is not a checkpoint, is damaged, belongs to another version of
            the contract, or has a value that is not finite.
        OSError: If the file does not exist or cannot be read.
    """
    path = check_readable(as_path(path, "the checkpoint"), CheckpointError)
    content = read_file(path)
    arrays, text = _parse(path, content)
    fields = Fields.parse(text, f"{path}: its header", CheckpointError)
    version = fields.integer("contract")
    if version != VERSION:
        raise CheckpointError(
            f"{path} has contract version {version}, expected {VERSION}: "
            "another version of Sartor wrote it. Update Sartor."
        )
    header = CheckpointHeader.from_fields(fields)
    checkpoint = Checkpoint(
        classes=header.classes,
        fingerprints=header.fingerprints,
        variables=_without(arrays, APP_PREFIX, OOD_PREFIX),
        class_keys=header.class_keys,
        samples_seen=header.samples_seen,
        ood_threshold=header.ood_threshold,
        ood=_with(arrays, OOD_PREFIX),
        app=_with(arrays, APP_PREFIX),
        imprinted=header.imprinted,
    )
    _check_classes(path, checkpoint.classes)
    _check_keys(path, checkpoint)
    _check_finite(path, _without(arrays, APP_PREFIX))
    digest = checkpoint_digest(
        _without(arrays, APP_PREFIX), checkpoint.classes, checkpoint.class_keys
    )
    if header.digest != digest:
        raise CheckpointError(f"{path} is damaged: its digest is that of other values. {_DAMAGED}")
    return checkpoint


def _with(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {name: array for name, array in arrays.items() if name.startswith(prefix)}


def _without(arrays: Mapping[str, np.ndarray], *prefixes: str) -> dict[str, np.ndarray]:
    return {name: array for name, array in arrays.items() if not name.startswith(prefixes)}


def _parse(path: Path, content: bytes) -> tuple[dict[str, np.ndarray], str]:
    """Return the tensors, and the JSON text of the header."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(content)  # checks every offset and size
        size = int.from_bytes(content[:8], "little")
        text = json.loads(content[8 : 8 + size]).get("__metadata__", {}).get(HEADER_KEY)
    except SafetensorError as error:
        raise CheckpointError(
            f"{path} is not a checkpoint, or is damaged: {error}. {_DAMAGED}"
        ) from error
    except KeyError as error:
        raise CheckpointError(f"{path} has a tensor of type {error}, expected float32") from error
    if text is None:
        raise CheckpointError(
            f"{path} is a safetensors file, but not a checkpoint of Sartor: its header has no "
            f"{HEADER_KEY!r}. Give a file from `sartor fit` or `PersonalModel.save`."
        )
    return arrays, text


def _check_classes(path: Path, classes: tuple[str | None, ...]) -> None:
    names = [name for name in classes if name is not None]
    if not classes or len(set(names)) != len(names) or not all(names):
        raise CheckpointError(f"{path}: class names must be unique and not empty, got {names}")


def _check_keys(path: Path, checkpoint: Checkpoint) -> None:
    if not are_class_keys(checkpoint.class_keys, checkpoint.classes):
        raise CheckpointError(f"{path}: each class needs a key of its own. {_DAMAGED}")


def _check_finite(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    for name, array in arrays.items():
        if array.dtype != np.float32:
            raise CheckpointError(f"{path}: {name} is {array.dtype}, expected float32. {_DAMAGED}")
        if not np.isfinite(array).all():
            raise CheckpointError(f"{path}: {name} has values that are not finite. {_DAMAGED}")
