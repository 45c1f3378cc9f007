"""Check personalizable files. LiteRT loads no file that has not passed these checks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..contract.digest import model_digest
from ..contract.manifest import Manifest
from ..contract.names import MANIFEST_FILE
from ..contract.signatures import TensorSpec
from ..errors import InvalidModelError, NotPersonalizableError
from ..flatbuffer import check_shapes, files_start, read
from ..graph import Model, Tensor
from ..modalities import modality_of

__all__ = ["check_signatures", "manifest_of", "open_model"]

_CONVERT = "Make one with `sartor convert MODEL -o OUT.tflite --classes N`."


def open_model(path: Path) -> Manifest:
    """Check a file and return its manifest.

    Raises:
        InvalidModelError: If the file does not exist, is not a model, or is damaged.
        NotPersonalizableError: If the model does not fulfil the contract.
    """
    model = read(path)
    manifest = manifest_of(model, path)
    _check_digest(manifest, path)
    check_signatures(model, manifest, path)
    _check_inputs(manifest, path)
    try:
        check_shapes(model)
    except InvalidModelError as error:
        raise InvalidModelError(f"{path}: {error}") from error
    return manifest


def manifest_of(model: Model, path: Path) -> Manifest:
    """Return the manifest of a model; raise NotPersonalizableError if there is none."""
    text = model.files.get(MANIFEST_FILE)
    if text is None:
        raise NotPersonalizableError(
            f"{path} is a model, but not a personalizable one: it contains no {MANIFEST_FILE}. "
            f"{_CONVERT}"
        )
    try:
        return Manifest.from_json(text)
    except NotPersonalizableError as error:
        raise NotPersonalizableError(f"{path}: {error}") from error


def check_signatures(model: Model, manifest: Manifest, path: Path) -> None:
    """Compare the signatures of a model with its manifest.

    Raises:
        NotPersonalizableError: If a signature is missing or differs from the manifest.
    """
    for key, (inputs, outputs) in manifest.signatures().items():
        signature = model.signature(key)
        if signature is None:
            raise NotPersonalizableError(f"{path} has no signature {key!r}. {_CONVERT}")
        for side, expected, tensors in (
            ("inputs", inputs, signature.inputs),
            ("outputs", outputs, signature.outputs),
        ):
            specs = {name: _spec(tensor) for name, tensor in tensors.items()}
            if specs != dict(expected):
                raise NotPersonalizableError(
                    f"{path}: the {side} of {key!r} are {_format_specs(specs)}, but its "
                    f"{MANIFEST_FILE} states {_format_specs(expected)}. {_CONVERT}"
                )


def _check_digest(manifest: Manifest, path: Path) -> None:
    if manifest.digest is None:
        return
    content = path.read_bytes()
    if manifest.digest != model_digest(content[: files_start(content)], manifest.variables):
        raise InvalidModelError(
            f"{path} is damaged or was changed by another tool: it does not match the digest in "
            f"its {MANIFEST_FILE}. Use another copy, or convert the base again."
        )


def _check_inputs(manifest: Manifest, path: Path) -> None:
    for spec in manifest.inputs:
        problem = modality_of(spec).check(spec)
        if problem is not None:
            raise NotPersonalizableError(
                f"{path}: {MANIFEST_FILE} describes {spec.name} as {spec.modality}, but {problem}. "
                f"{_CONVERT}"
            )


def _spec(tensor: Tensor) -> TensorSpec:
    return TensorSpec(tensor.shape, tensor.dtype.name.lower())


def _format_specs(specs: Mapping[str, TensorSpec]) -> str:
    return ", ".join(f"{name} {spec.dtype} {list(spec.shape)}" for name, spec in specs.items())
