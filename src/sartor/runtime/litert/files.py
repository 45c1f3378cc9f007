"""Opening a personalizable file: nothing reaches LiteRT that has not been checked."""

from __future__ import annotations

from pathlib import Path

from ...contract.digest import model_digest
from ...contract.manifest import Manifest
from ...contract.names import MANIFEST_FILE
from ...contract.signatures import TensorSpec
from ...errors import InvalidModelError, NotPersonalizableError
from ...flatbuffer import check_shapes, files_start, read
from ...graph import Model, Tensor

__all__ = ["check_signatures", "manifest_of", "open_model"]

_CONVERT = "Make one with `sartor convert MODEL -o OUT.tflite --classes N`."


def open_model(path: Path) -> Manifest:
    """Check a file, and return what it says of itself.

    Raises:
        InvalidModelError: it is not there, no model, or damaged.
        NotPersonalizableError: it is a model that does not keep the contract.
    """
    model = read(path)
    manifest = manifest_of(model, path)
    _check_digest(manifest, path)
    check_signatures(model, manifest, path)
    _check_pictures(manifest, path)
    try:
        check_shapes(model)
    except InvalidModelError as error:
        raise InvalidModelError(f"{path}: {error}") from error
    return manifest


def _check_digest(manifest: Manifest, path: Path) -> None:
    content = path.read_bytes()
    if manifest.digest not in (
        None,
        model_digest(content[: files_start(content)], manifest.variables),
    ):
        raise InvalidModelError(
            f"{path} is damaged, or another tool has changed it: it is not what its "
            f"{MANIFEST_FILE} was written for. Use another copy of it, or convert the base again."
        )


def manifest_of(model: Model, path: Path) -> Manifest:
    """The manifest in a model's files; raises NotPersonalizableError when there is none."""
    text = model.files.get(MANIFEST_FILE)
    if text is None:
        raise NotPersonalizableError(
            f"{path} is a model, but not a personalizable one: it carries no {MANIFEST_FILE}. "
            f"{_CONVERT}"
        )
    try:
        return Manifest.from_json(text)
    except NotPersonalizableError as error:
        raise NotPersonalizableError(f"{path}: {error}") from error


def check_signatures(model: Model, manifest: Manifest, path: Path) -> None:
    """Hold the signatures to the manifest; raises NotPersonalizableError where they differ."""
    for key, (inputs, outputs) in manifest.signatures().items():
        signature = model.signature(key)
        if signature is None:
            raise NotPersonalizableError(f"{path} has no signature {key!r}. {_CONVERT}")
        for side, wanted, found in (
            ("inputs", inputs, signature.inputs),
            ("outputs", outputs, signature.outputs),
        ):
            got = {name: _spec(tensor) for name, tensor in found.items()}
            if got != dict(wanted):
                raise NotPersonalizableError(
                    f"{path}: the {side} of {key!r} are {_words(got)}, but its {MANIFEST_FILE} "
                    f"says {_words(wanted)}. {_CONVERT}"
                )


def _check_pictures(manifest: Manifest, path: Path) -> None:
    for spec in manifest.inputs:
        if spec.kind != "image":
            continue
        channels = spec.shape[3:]
        sizes = ((1,), channels)
        fits = channels in ((1,), (3,)) and (len(spec.mean),) in sizes and (len(spec.std),) in sizes
        if not fits or min(spec.std) <= 0:
            raise NotPersonalizableError(
                f"{path}: {MANIFEST_FILE} says that {spec.name} is an image of shape "
                f"{list(spec.shape)}, with mean {list(spec.mean)} and std {list(spec.std)}, which "
                f"does not go together. {_CONVERT}"
            )


def _spec(tensor: Tensor) -> TensorSpec:
    return TensorSpec(tensor.shape, tensor.dtype.name.lower())


def _words(specs: dict[str, TensorSpec]) -> str:
    return ", ".join(f"{name} {spec.dtype} {list(spec.shape)}" for name, spec in specs.items())
