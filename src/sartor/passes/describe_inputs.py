"""Describe the inputs of a base: their modality and image scaling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..contract.manifest import InputSpec, Manifest
from ..contract.names import IMAGE, TENSOR
from ..errors import ConversionError
from ..flatbuffer.metadata_tables import ImageProperties, TensorMetadata
from ..graph import DType, Graph, Tensor
from ..modalities import modality_of
from ..modalities.image.conventions import Convention
from .metadata import image_scaling

__all__ = ["describe_inputs", "is_image"]

_MIN_IMAGE_SIZE = 8
_DEFAULT_SCALING = Convention((0.0,), (255.0,))
_SCALING_NOTE = (
    "the base has no metadata on image scaling: pixels are scaled to 0…1. If it was trained with "
    "another scaling, state it with preprocessing, or with mean and std."
)


def describe_inputs(
    graph: Graph,
    metadata: Sequence[TensorMetadata | None],
    manifest: Manifest | None,
    scaling: Convention | None,
) -> tuple[list[InputSpec], list[str]]:
    """Return the spec of each input, and notes for the user.

    The image scaling comes from the user, else from the manifest, else from the metadata, else it
    is 0…1 with a note.

    Args:
        graph: the base; its inputs have dtypes that a signature allows.
        metadata: the standard metadata of each input, or None.
        manifest: manifest of the base if it is a personalizable file, or None.
        scaling: the image scaling that the user states, or None.

    Raises:
        ConversionError: If the user states a scaling, and no input can be scaled.
    """
    previous_specs = {spec.name: spec for spec in manifest.inputs} if manifest else {}
    specs, notes = [], []
    for tensor, tensor_metadata in zip(graph.inputs, metadata, strict=True):
        spec = _plain_spec(tensor, tensor_metadata)
        previous = previous_specs.get(tensor.name)
        if previous is not None and previous.dtype != spec.dtype:
            previous = None
        spec = previous or spec
        if modality_of(spec).is_normalized(spec) and (scaling is not None or previous is None):
            choice = scaling or image_scaling(tensor_metadata)
            notes += [] if choice is not None else [_SCALING_NOTE]
            spec = _scaled(spec, choice or _DEFAULT_SCALING)
        specs.append(spec)
    if scaling is not None and not any(map(_can_be_scaled, specs, graph.inputs)):
        raise ConversionError(
            "preprocessing, mean and std need an image input, float32 or quantized; the inputs of "
            f"the base are {', '.join(map(repr, graph.inputs))}"
        )
    return specs, notes


def _plain_spec(tensor: Tensor, metadata: TensorMetadata | None) -> InputSpec:
    """Return the spec of an input without image scaling."""
    modality = IMAGE if is_image(tensor, metadata) else TENSOR
    return InputSpec(tensor.name, tensor.shape, tensor.dtype.name.lower(), modality)


def is_image(tensor: Tensor, metadata: TensorMetadata | None) -> bool:
    """Return True for [1, H, W, C] that the metadata, or else the sizes, show to be an image."""
    if tensor.dtype not in (DType.FLOAT32, DType.UINT8) or tensor.rank != 4:
        return False
    _, height, width, channels = tensor.shape
    content = metadata.content if metadata is not None else None
    if content is not None and content.content_properties is not None:
        return isinstance(content.content_properties, ImageProperties) and channels in (1, 3)
    is_large = min(height, width) >= _MIN_IMAGE_SIZE
    return is_large and (channels == 3 or (channels == 1 and height == width))


def _can_be_scaled(spec: InputSpec, tensor: Tensor) -> bool:
    is_scalable = spec.dtype == "float32" or tensor.quantization is not None
    return modality_of(spec).has_normalization and is_scalable


def _scaled(spec: InputSpec, scaling: Convention) -> InputSpec:
    """Return the spec with an image scaling.

    Raises:
        ConversionError: If the scaling has another number of channels.
    """
    for values in (scaling.mean, scaling.std):
        if len(values) not in (1, spec.shape[-1]):
            raise ConversionError(
                f"mean and std take one finite value, or one for each of the {spec.shape[-1]} "
                f"channels; got {list(values)}"
            )
    return replace(spec, mean=scaling.mean, std=scaling.std)
