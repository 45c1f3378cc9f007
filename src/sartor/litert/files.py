"""Read model files. LiteRT loads no personalizable file that has not passed these checks.

Every command that reads one reads it here: opening, baking, freezing, inspecting, and converting
again. `sartor verify` makes its own checks, and reports each.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .._arguments import as_path
from ..contract.digest import model_digest
from ..contract.manifest import Manifest
from ..contract.names import MANIFEST_FILE
from ..contract.signatures import TensorSpec
from ..errors import InvalidModelError, NotPersonalizableError
from ..flatbuffer import check_shapes, files_start, load_file, read
from ..graph import Model, Tensor
from ..modalities import modality_of
from ..ops import assigned_constants

__all__ = [
    "PersonalizableFile",
    "digest_error",
    "manifest_of",
    "open_model",
    "read_model",
    "read_personalizable",
]

_CONVERT = "Make one with `sartor convert MODEL -o OUT.tflite --classes N`."


@dataclass(frozen=True)
class PersonalizableFile:
    """A personalizable file that has passed all checks.

    Attributes:
        content: bytes of the file.
        model: its graphs and signatures.
        manifest: its manifest.
    """

    content: bytes
    model: Model
    manifest: Manifest


def open_model(path: Path) -> Manifest:
    """Check a personalizable file and return its manifest; see `read_personalizable`."""
    return read_personalizable(path).manifest


def read_personalizable(path: Path) -> PersonalizableFile:
    """Read a personalizable file and check it.

    Raises:
        InvalidModelError: If the file does not exist, is not a model, or is damaged.
        NotPersonalizableError: If the model does not fulfil the contract.
    """
    content = load_file(path)
    model = _read(content, str(path))
    return PersonalizableFile(content, model, _check(content, model, str(path)))


def read_model(source: str | Path | bytes) -> Model:
    """Read any model; a personalizable one is checked as by `read_personalizable`.

    Args:
        source: path, or content of a file.

    Raises:
        InvalidModelError, NotPersonalizableError: See `read_personalizable`.
    """
    if isinstance(source, bytes):
        content, name = source, "the file"
    else:
        content = load_file(as_path(source, "the model", InvalidModelError))
        name = str(source)
    model = _read(content, name)
    if MANIFEST_FILE in model.files:
        _check(content, model, name)
    return model


def manifest_of(model: Model, name: str) -> Manifest:
    """Return the manifest of a model.

    Args:
        model: the model.
        name: name of the file, for messages.

    Raises:
        NotPersonalizableError: If there is no manifest, or it is damaged.
    """
    text = model.files.get(MANIFEST_FILE)
    if text is None:
        raise NotPersonalizableError(
            f"{name} is a model, but not a personalizable one: it contains no {MANIFEST_FILE}. "
            f"{_CONVERT}"
        )
    try:
        return Manifest.from_json(text)
    except NotPersonalizableError as error:
        raise NotPersonalizableError(f"{name}: {error}") from error


def digest_error(content: bytes, manifest: Manifest) -> str | None:
    """Return a message if the digest in the manifest is not that of the file, or None."""
    if manifest.digest == model_digest(content[: files_start(content)]):
        return None
    return (
        f"damaged, or changed by another tool: its bytes do not match the digest in {MANIFEST_FILE}"
    )


def _read(content: bytes, name: str) -> Model:
    try:
        return read(content)
    except InvalidModelError as error:
        raise InvalidModelError(f"{name}: {error}") from error


def _check(content: bytes, model: Model, name: str) -> Manifest:
    """Return the manifest of a model that fulfils the contract."""
    manifest = manifest_of(model, name)
    error = digest_error(content, manifest)
    if error is not None:
        raise InvalidModelError(f"{name} is {error}. Use another copy, or convert the base again.")
    _check_offsets(content, model, manifest, name)
    _check_signatures(model, manifest, name)
    _check_inputs(manifest, name)
    try:
        check_shapes(model)
    except InvalidModelError as error:
        raise InvalidModelError(f"{name}: {error}") from error
    return manifest


def _check_offsets(content: bytes, model: Model, manifest: Manifest, name: str) -> None:
    """Check that each offset is that of a constant which the model assigns to the variable."""
    start = _address(np.frombuffer(content, np.uint8))
    places = {
        (variable, _address(constant.data) - start, constant.data.nbytes)
        for graph in model.graphs
        for variable, constant in assigned_constants(graph)
        if constant.data is not None
    }
    for spec in manifest.variables:
        if (spec.name, spec.offset, 4 * math.prod(spec.shape)) not in places:
            raise InvalidModelError(
                f"{name}: {MANIFEST_FILE} places the initial value of {spec.name} at byte "
                f"{spec.offset}, where the model has another value. Convert the base again."
            )


def _address(array: np.ndarray) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def _check_signatures(model: Model, manifest: Manifest, name: str) -> None:
    """Compare the signatures of a model with its manifest.

    Raises:
        NotPersonalizableError: If a signature is missing or differs from the manifest.
    """
    for key, (inputs, outputs) in manifest.signatures().items():
        signature = model.signature(key)
        if signature is None:
            raise NotPersonalizableError(f"{name} has no signature {key!r}. {_CONVERT}")
        for side, expected, tensors in (
            ("inputs", inputs, signature.inputs),
            ("outputs", outputs, signature.outputs),
        ):
            specs = {name: _spec(tensor) for name, tensor in tensors.items()}
            if specs != dict(expected):
                raise NotPersonalizableError(
                    f"{name}: the {side} of {key!r} are {_format_specs(specs)}, but its "
                    f"{MANIFEST_FILE} states {_format_specs(expected)}. {_CONVERT}"
                )


def _check_inputs(manifest: Manifest, name: str) -> None:
    for spec in manifest.inputs:
        problem = modality_of(spec).check(spec)
        if problem is not None:
            raise NotPersonalizableError(
                f"{name}: {MANIFEST_FILE} describes {spec.name} as {spec.modality}, but {problem}. "
                f"{_CONVERT}"
            )


def _spec(tensor: Tensor) -> TensorSpec:
    return TensorSpec(tensor.shape, tensor.dtype.name.lower())


def _format_specs(specs: Mapping[str, TensorSpec]) -> str:
    return ", ".join(f"{name} {spec.dtype} {list(spec.shape)}" for name, spec in specs.items())
