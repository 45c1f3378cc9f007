"""The standard TFLite metadata of a model, as the passes read and write it."""

from __future__ import annotations

from dataclasses import replace

from ..contract.manifest import LABELS_FILE, InputSpec
from ..flatbuffer.metadata import METADATA_NAME, decode_metadata
from ..flatbuffer.metadata_tables import (
    AssociatedFile,
    FileType,
    ModelMetadata,
    NormalizationOptions,
    ProcessUnit,
    TensorMetadata,
)
from ..graph import Model, Tensor
from ..modalities.image.conventions import Convention

__all__ = [
    "DEFAULT_NAME",
    "DESCRIPTION_PREFIX",
    "LABELS",
    "base_description",
    "image_scaling",
    "read_input_metadata",
    "read_metadata",
    "with_scaling",
]

DEFAULT_NAME = "Personalizable model"
"""Name of a file if its base has none."""

DESCRIPTION_PREFIX = "Can be trained on the device (sartor "
"""Start of the description that a conversion puts before that of the base."""

LABELS = AssociatedFile(
    name=LABELS_FILE, description="One class per line.", type=FileType.TENSOR_AXIS_LABELS
)
"""The file with the class names."""


def read_metadata(model: Model) -> ModelMetadata:
    """Return the metadata of a model, empty if it has none.

    Raises:
        InvalidModelError: If the metadata is damaged.
    """
    content = model.metadata.get(METADATA_NAME)
    return ModelMetadata() if content is None else decode_metadata(content)


def read_input_metadata(model: Model) -> dict[Tensor, TensorMetadata]:
    """Return the metadata of each input of the first graph.

    Raises:
        InvalidModelError: If the metadata is damaged.
    """
    subgraphs = read_metadata(model).subgraph_metadata
    if not subgraphs:
        return {}
    return dict(zip(model.main.inputs, subgraphs[0].input_tensor_metadata, strict=False))


def image_scaling(metadata: TensorMetadata | None) -> Convention | None:
    """Return the image scaling that the metadata of an input states, or None."""
    options = metadata.normalization if metadata is not None else None
    if options is None or not options.mean or not options.std:
        return None
    return Convention(options.mean, options.std)


def with_scaling(metadata: TensorMetadata, spec: InputSpec) -> TensorMetadata:
    """Return the metadata with the image scaling of `spec`."""
    scaling = ProcessUnit(options=NormalizationOptions(mean=spec.mean, std=spec.std))
    others = [
        unit
        for unit in metadata.process_units
        if not isinstance(unit.options, NormalizationOptions)
    ]
    return replace(metadata, process_units=(scaling, *others))


def base_description(metadata: ModelMetadata) -> str:
    """Return the description of the base, without what a conversion put before it."""
    text = metadata.description
    if not text.startswith(DESCRIPTION_PREFIX):
        return text
    return text.partition(").")[2].strip()
