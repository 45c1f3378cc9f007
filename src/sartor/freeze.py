"""Freeze a personalizable file into a plain classifier."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ._arguments import as_path
from ._files import write_atomically
from ._outputs import MODEL, check_output
from .contract.manifest import Manifest
from .contract.names import LABELS_FILE, MANIFEST_FILE, MASK
from .errors import ConversionError
from .flatbuffer import write
from .graph import DType, Model
from .litert import read_personalizable
from .passes import describe_frozen, freeze_infer, initial_values, scale_pixels_inside
from .quantization import RepresentativeData, quantize_frozen
from .runtime.saved.adapt import Adapted, adapt
from .runtime.saved.checkpoint import Checkpoint, read_checkpoint

__all__ = ["FrozenModel", "freeze"]

_FULL_INTEGER = "full-integer"
_HINT = "Give the checkpoint of a trained model (`sartor fit` writes one)."


@dataclass(frozen=True)
class FrozenModel:
    """A frozen file on disk.

    Attributes:
        path: path of the file.
        classes: names of its outputs, in order.
        notes: messages for the user.
    """

    path: Path
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()


def freeze(
    model: str | os.PathLike[str],
    output: str | os.PathLike[str],
    checkpoint: str | os.PathLike[str] | None = None,
    *,
    quantize: str = "none",
    representative: RepresentativeData | None = None,
    io_dtype: str = "uint8",
    force: bool = False,
) -> FrozenModel:
    """Write a personalizable file as a plain classifier.

    The result has one signature, from the inputs of the base to the output of each named class. It
    has no variables, cannot be trained, and carries standard metadata with the class names.

    Args:
        model: path of a personalizable file.
        output: path of the file to write.
        checkpoint: path of a checkpoint of this model, or of one with another capacity. Default:
            the values in the file (see `sartor bake`).
        quantize: `none` (the base keeps its dtype, the head is float32) or `full-integer` (int8
            throughout, for microcontrollers; needs the extra `quantize`).
        representative: representative samples for `full-integer`: a folder of images, an array
            [N, …], or samples as `PersonalModel` takes them. For a base that is quantized already,
            stored features: `{"features": rows}` with float32 [N, F].
        io_dtype: dtype of input and output for `full-integer`: `uint8` (images are pixels, as
            MediaPipe and browsers expect) or `int8` (pixels minus 128, for TFLite Micro).
        force: whether to replace a file of another type. Default: False.

    Returns:
        The path, the classes and notes.

    Raises:
        InvalidModelError: If the model does not exist or is damaged.
        NotPersonalizableError: If the model is not a personalizable file.
        CheckpointError: If the checkpoint is damaged or belongs to another model.
        ConversionError: If there are too few classes, or the model cannot be quantized.
        OutputError: If `output` is the model or the checkpoint, is not a regular file, or is a
            file of another type.
        DataError: If a representative sample does not fit the model.
        OSError: If a file cannot be read or written.
    """
    _check_options(quantize, representative, io_dtype)
    target = check_output(output, MODEL, inputs=(model, checkpoint), force=force)
    path = as_path(model, "model")
    file = read_personalizable(path)
    parsed, manifest = file.model, file.manifest
    trained = _load_variables(parsed, manifest, checkpoint)
    indices = _used_class_indices(trained, manifest, checkpoint or path)
    labels = tuple(str(trained.classes[index]) for index in indices)
    freeze_infer(parsed, _select_classes(trained.variables, manifest, indices))
    manifest, notes = _scale_pixels(parsed, manifest)
    if representative is not None:
        quantize_frozen(parsed, manifest, representative, DType[io_dtype.upper()])
    describe_frozen(parsed, manifest.inputs, manifest.task)
    parsed.files = {name: file for name, file in parsed.files.items() if name != MANIFEST_FILE}
    parsed.files[LABELS_FILE] = "\n".join(labels).encode()
    return FrozenModel(write_atomically(target, write(parsed)), labels, notes)


def _check_options(quantize: str, representative: object, io_dtype: str) -> None:
    if not isinstance(quantize, str) or quantize not in ("none", _FULL_INTEGER):
        raise ConversionError(f"quantize must be 'none' or {_FULL_INTEGER!r}, got {quantize!r}")
    if not isinstance(io_dtype, str) or io_dtype not in ("uint8", "int8"):
        raise ConversionError(f"io_dtype must be 'uint8' or 'int8', got {io_dtype!r}")
    if quantize == "none" and io_dtype != "uint8":
        raise ConversionError(f"io_dtype={io_dtype!r} needs quantize={_FULL_INTEGER!r}")
    if (quantize == _FULL_INTEGER) != (representative is not None):
        raise ConversionError(
            f"quantize={_FULL_INTEGER!r} and representative samples go together: give both or "
            "neither (a few dozen samples suffice)"
        )


def _load_variables(
    model: Model, manifest: Manifest, checkpoint: str | os.PathLike[str] | None
) -> Adapted:
    """Return variables and class names of the checkpoint, or else of the file."""
    initialize = model.signature("initialize")
    initial = initial_values(initialize.graph) if initialize is not None else {}
    if checkpoint is None:
        baked = Checkpoint(manifest.classes, manifest.fingerprints, initial)
        return adapt(baked, manifest, initial, "the file")
    return adapt(read_checkpoint(checkpoint), manifest, initial, str(checkpoint))


def _used_class_indices(
    trained: Adapted, manifest: Manifest, source: str | os.PathLike[str]
) -> list[int]:
    """Return the indices of the classes that have a name and are active."""
    active = trained.variables[MASK] > 0
    indices = [i for i, name in enumerate(trained.classes) if name is not None and active[i]]
    if not indices:
        raise ConversionError(f"{os.fspath(source)} has no class. {_HINT}")
    if len(indices) == 1 and manifest.task == "classification":
        raise ConversionError(
            f"{os.fspath(source)} has only one class, {trained.classes[indices[0]]!r}, and a "
            f"classifier needs two. {_HINT}"
        )
    return indices


def _select_classes(
    variables: Mapping[str, np.ndarray], manifest: Manifest, indices: Sequence[int]
) -> dict[str, np.ndarray]:
    """Return the variables with the given classes only."""
    axes = {spec.name: spec.class_axis for spec in manifest.variables}
    return {
        name: value if axes[name] is None else value.take(indices, axes[name])
        for name, value in variables.items()
    }


def _scale_pixels(model: Model, manifest: Manifest) -> tuple[Manifest, tuple[str, ...]]:
    """Move image scaling with a mean or std per channel into the graph: MediaPipe has none."""
    specs = scale_pixels_inside(model, manifest.inputs)
    notes = tuple(
        f"input {spec.name!r} now takes pixels 0…255: the model scales them itself"
        for spec, previous in zip(specs, manifest.inputs, strict=True)
        if spec != previous
    )
    return replace(manifest, inputs=specs), notes
