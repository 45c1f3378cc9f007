"""From a personalizable file to the plain classifier that it has become."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ._files import write_atomically
from .contract.manifest import Manifest
from .contract.names import MASK, OUTPUT
from .errors import ConversionError
from .flatbuffer import read, write
from .graph import DType, Model, Signature
from .litert import check_signatures, manifest_of
from .passes import (
    cut,
    describe_frozen,
    fold_constants,
    fold_variables,
    initial_values,
    merge_dense,
)
from .quantization import RepresentativeData, quantize_frozen, scale_pixels_inside
from .runtime.saved.adapt import Adapted, adapt
from .runtime.saved.checkpoint import Checkpoint, read_checkpoint

__all__ = ["Frozen", "freeze"]

_SIGNATURE = "serving_default"
_INTEGER = "full-integer"
_TEACH = "Give the checkpoint of a model that was taught (`sartor fit`)."


@dataclass(frozen=True)
class Frozen:
    """A file that was written.

    Attributes:
        path: where it is.
        classes: the names of its outputs, in their order.
        notes: what the user should know.
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
    ends: str = "uint8",
) -> Frozen:
    """Write the plain classifier that a personalizable file has become.

    It has one signature, from the base's inputs to the probabilities (or numbers) of the classes
    that have a name, no variable and no training, and standard metadata with the labels.

    Args:
        model: a personalizable file.
        output: where to write; not `model` itself.
        checkpoint: of this model, or of one with other room for classes; what is baked into the
            file unless told.
        quantize: `none`: the base as it is, the rest float32. `full-integer`: int8 throughout,
            for microcontrollers, by ai-edge-quantizer (the extra `quantize`).
        representative: for `full-integer`, what shows the values that the model sees: a folder of
            pictures, an array [N, …], or samples as `PersonalModel` takes them. For a base that is
            quantized already, stored features do: `{"features": rows}`, float32 [N, F].
        ends: for `full-integer`, the bytes that go in and come out: `uint8`, as MediaPipe and the
            browser want them (pixels as they are), or `int8`, for TFLite Micro (pixels less 128).

    Returns:
        The path, the classes and notes.

    Raises:
        InvalidModelError: the model is not there, or damaged.
        NotPersonalizableError: it cannot learn.
        CheckpointError: the checkpoint is damaged, or belongs to another model.
        ConversionError: there is no class, or of a classifier only one; `output` is the model; or
            it cannot be quantized.
        DataError: a representative sample is not what the model takes.
        OSError: a file cannot be read or written.
    """
    _check_choices(quantize, representative, ends)
    path, target = Path(model), Path(output)
    parsed = read(path)
    manifest = manifest_of(parsed, path)
    check_signatures(parsed, manifest, path)
    if target.exists() and target.samefile(path):
        raise ConversionError(
            f"{target} is the model itself, which would not learn any more: choose another output"
        )
    learned = _learned(parsed, manifest, checkpoint)
    slots = _slots(learned, manifest, path if checkpoint is None else Path(checkpoint))
    classifier = _frozen(parsed, _of_slots(learned.state, manifest, slots))
    manifest, notes = _with_pixels(classifier, manifest)
    labels = tuple(str(learned.classes[slot]) for slot in slots)
    if representative is not None:
        quantize_frozen(classifier, manifest, representative, DType[ends.upper()])
    describe_frozen(classifier, manifest, labels)
    written = write_atomically(target, write(classifier))
    return Frozen(written, labels, notes)


def _check_choices(quantize: str, representative: object, ends: str) -> None:
    if quantize not in ("none", _INTEGER):
        raise ConversionError(f"quantize must be 'none' or {_INTEGER!r}, got {quantize!r}")
    if ends not in ("uint8", "int8"):
        raise ConversionError(f"ends must be 'uint8' or 'int8', got {ends!r}")
    if (quantize == _INTEGER) != (representative is not None):
        raise ConversionError(
            f"quantize={_INTEGER!r} and representative samples go together: some dozens show what "
            "values the model sees"
        )


def _learned(
    model: Model, manifest: Manifest, checkpoint: str | os.PathLike[str] | None
) -> Adapted:
    """The variables and classes."""
    initialize = model.signature("initialize")
    initial = initial_values(initialize.graph) if initialize is not None else {}
    if checkpoint is None:
        own = Checkpoint(manifest.classes, manifest.fingerprints, initial)
        return adapt(own, manifest, initial, "the file")
    return adapt(read_checkpoint(Path(checkpoint)), manifest, initial, str(checkpoint))


def _slots(learned: Adapted, manifest: Manifest, source: Path) -> list[int]:
    """The slots of the classes that have a name and are active."""
    active = learned.state[MASK] > 0
    slots = [i for i, name in enumerate(learned.classes) if name is not None and active[i]]
    if not slots:
        raise ConversionError(f"{source} knows no class yet. {_TEACH}")
    if len(slots) == 1 and manifest.task == "classification":
        raise ConversionError(
            f"{source} knows one class, {learned.classes[slots[0]]!r}, and would call everything "
            f"that: teach it another. {_TEACH}"
        )
    return slots


def _of_slots(
    state: Mapping[str, np.ndarray], manifest: Manifest, slots: list[int]
) -> dict[str, np.ndarray]:
    """The variables without what belongs to other slots."""
    axes = {spec.name: spec.class_axis for spec in manifest.variables}
    return {
        name: value if axes[name] is None else value.take(slots, axes[name])
        for name, value in state.items()
    }


def _frozen(model: Model, state: Mapping[str, np.ndarray]) -> Model:
    """The model with `infer` alone, and constants for variables."""
    infer = next(signature for signature in model.signatures if signature.key == "infer")
    graph, inputs = infer.graph, infer.inputs
    fold_variables(graph, state)
    cut(model, [OUTPUT])
    fold_constants(graph)
    merge_dense(graph)
    fold_constants(graph)
    graph.name, graph.outputs[0].name = "main", OUTPUT
    model.signatures = [Signature(_SIGNATURE, graph, inputs, {OUTPUT: graph.outputs[0]})]
    return model


def _with_pixels(model: Model, manifest: Manifest) -> tuple[Manifest, tuple[str, ...]]:
    """Scale pictures inside where each channel is scaled by itself, which MediaPipe cannot do."""
    specs = tuple(scale_pixels_inside(model.main, manifest.inputs))
    (signature,) = model.signatures
    signature.inputs = dict(zip(signature.inputs, model.main.inputs, strict=True))
    notes = tuple(
        f"{spec.name} now takes pixels as they are, 0…255: they are scaled inside"
        for spec, before in zip(specs, manifest.inputs, strict=True)
        if spec != before
    )
    return replace(manifest, inputs=specs), notes
