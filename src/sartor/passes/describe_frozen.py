"""Describe a frozen file in the standard metadata."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .._version import __version__
from ..contract.manifest import InputSpec
from ..contract.names import OUTPUT
from ..flatbuffer.metadata import METADATA_NAME, encode_metadata
from ..flatbuffer.metadata_tables import (
    Content,
    FeatureProperties,
    Stats,
    SubGraphMetadata,
    TensorMetadata,
)
from ..graph import Model
from ..modalities import modality_of
from .metadata import DEFAULT_NAME, LABELS, base_description, read_metadata, with_scaling

__all__ = ["describe_frozen"]

_OUTPUTS = {
    "classification": "The probability of each class.",
    "multi_label": "For each class, the probability that it applies.",
    "regression": "A number for each output.",
}


def describe_frozen(model: Model, inputs: Sequence[InputSpec], task: str) -> None:
    """Replace the metadata of a personalizable file by that of a plain classifier.

    Before: the metadata of the personalizable file. After: the same inputs, and one output with its
    labels in `labels.txt`, where MediaPipe's task libraries find them.

    Args:
        model: a frozen model; changed in place.
        inputs: its inputs.
        task: `classification`, `multi_label` or `regression`.
    """
    previous = read_metadata(model)
    subgraphs = previous.subgraph_metadata
    known_inputs = subgraphs[0].input_tensor_metadata if subgraphs else ()
    description = f"Classes learned on the device (sartor {__version__}). "
    metadata = replace(
        previous,
        name="Classifier" if previous.name == DEFAULT_NAME else previous.name,
        description=(description + base_description(previous)).strip(),
        subgraph_metadata=(
            SubGraphMetadata(
                name=model.main.name,
                input_tensor_metadata=tuple(
                    _input_metadata(spec, each)
                    for spec, each in zip(inputs, known_inputs, strict=False)
                ),
                output_tensor_metadata=(_output_metadata(task),),
            ),
        ),
    )
    model.metadata[METADATA_NAME] = encode_metadata(metadata)


def _input_metadata(spec: InputSpec, metadata: TensorMetadata) -> TensorMetadata:
    """Return the metadata of an input, with the current image scaling."""
    if metadata.normalization is None or not modality_of(spec).is_normalized(spec):
        return metadata
    return with_scaling(metadata, spec)


def _output_metadata(task: str) -> TensorMetadata:
    return TensorMetadata(
        name=OUTPUT,
        description=_OUTPUTS.get(task, ""),
        content=Content(content_properties=FeatureProperties()),
        stats=None if task == "regression" else Stats(min=(0.0,), max=(1.0,)),
        associated_files=(LABELS,),
    )
