"""Describe a personalizable file in the standard metadata."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .._version import __version__
from ..contract.manifest import InputSpec
from ..contract.names import HEAD_FEATURES, IMAGE, OUTPUT
from ..flatbuffer.metadata import METADATA_NAME, encode_metadata
from ..flatbuffer.metadata_tables import (
    ColorSpace,
    Content,
    FeatureProperties,
    ImageProperties,
    ModelMetadata,
    SubGraphMetadata,
    TensorMetadata,
)
from ..graph import Model
from .metadata import (
    DEFAULT_NAME,
    DESCRIPTION_PREFIX,
    LABELS,
    base_description,
    read_metadata,
    with_scaling,
)
from .plan import Plan

__all__ = ["describe_model"]

_MIN_RUNTIME = "min_runtime_version"
_MIN_RUNTIME_OF_VARIABLES = b"2.6.0"
_MIN_RUNTIME_BYTES = 16  # the runtime expects this size


def describe_model(plan: Plan, inputs: Sequence[TensorMetadata | None]) -> None:
    """Replace the standard metadata of the base by that of the personalizable file.

    Before: the metadata of the base. After: the same inputs, the outputs of `infer`, and the new
    class labels. The label files of the base are removed.

    Args:
        plan: the parts of the model.
        inputs: the metadata of each input, or None.
    """
    model, base = plan.model, read_metadata(plan.model)
    description = f"{DESCRIPTION_PREFIX}{__version__}). {base_description(base)}"
    metadata = replace(
        base,
        name=base.name or DEFAULT_NAME,
        description=description.strip(),
        subgraph_metadata=(_infer_metadata(plan, inputs),),
        associated_files=(),
    )
    _remove_label_files(model, base)
    model.metadata = {
        **model.metadata,
        METADATA_NAME: encode_metadata(metadata),
        _MIN_RUNTIME: _min_runtime(model.metadata.get(_MIN_RUNTIME, b"")),
    }


def _infer_metadata(plan: Plan, inputs: Sequence[TensorMetadata | None]) -> SubGraphMetadata:
    """Return the metadata of `infer`, the graph that runs without a signature."""
    output = TensorMetadata(
        name=OUTPUT,
        description="One value per class.",
        content=Content(content_properties=FeatureProperties()),
        associated_files=(LABELS,),
    )
    features = [
        TensorMetadata(
            name=spec.name,
            description="Features of the base: the input of `train`.",
            content=Content(content_properties=FeatureProperties()),
        )
        for spec in plan.features
    ]
    if plan.tuned_head is not None:
        features.append(
            TensorMetadata(
                name=HEAD_FEATURES,
                description="Features behind the tuned layers: the input of `train_head`.",
                content=Content(content_properties=FeatureProperties()),
            )
        )
    return SubGraphMetadata(
        name="infer",
        input_tensor_metadata=tuple(
            _input_metadata(spec, metadata)
            for spec, metadata in zip(plan.inputs, inputs, strict=True)
        ),
        output_tensor_metadata=(output, *features),
    )


def _input_metadata(spec: InputSpec, metadata: TensorMetadata | None) -> TensorMetadata:
    metadata = metadata or TensorMetadata(name=spec.name)
    create_content = _CONTENT.get(spec.modality)
    if create_content is None:
        return metadata
    metadata = replace(metadata, content=metadata.content or create_content(spec))
    return with_scaling(metadata, spec) if spec.dtype == "float32" else metadata


def _image_content(spec: InputSpec) -> Content:
    color = ColorSpace.RGB if spec.shape[-1] == 3 else ColorSpace.GRAYSCALE
    return Content(content_properties=ImageProperties(color_space=color))


_CONTENT = {IMAGE: _image_content}
"""Modality → function that returns the content properties of an input."""


def _remove_label_files(model: Model, base: ModelMetadata) -> None:
    for subgraph in base.subgraph_metadata:
        for tensor in subgraph.output_tensor_metadata:
            for file in tensor.associated_files:
                model.files.pop(file.name, None)


def _min_runtime(version: bytes) -> bytes:
    """Return the later of the stated version and the first one with variables, padded."""

    def numbers(text: bytes) -> list[int]:
        return [int(part) for part in text.strip(b"\0 ").split(b".") if part.isdigit()]

    later = max(version.strip(b"\0"), _MIN_RUNTIME_OF_VARIABLES, key=numbers)
    return later.ljust(_MIN_RUNTIME_BYTES, b"\0")
