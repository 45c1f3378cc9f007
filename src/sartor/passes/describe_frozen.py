"""What a frozen file tells people and other tools of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .._version import __version__
from ..contract.manifest import LABELS_FILE, InputSpec, Manifest
from ..contract.names import MANIFEST_FILE, OUTPUT
from ..flatbuffer.metadata import METADATA_NAME, decode_metadata, encode_metadata
from ..flatbuffer.metadata_tables import (
    AssociatedFile,
    Content,
    FeatureProperties,
    FileType,
    ModelMetadata,
    NormalizationOptions,
    ProcessUnit,
    Stats,
    SubGraphMetadata,
    TensorMetadata,
)
from ..graph import Model
from ..modalities import modality_of
from .describe import UNNAMED, own_description

__all__ = ["describe_frozen"]

_SAYS = {
    "classification": "The probability of each class.",
    "multi_label": "For each class, the probability that it applies.",
    "regression": "A number for each output.",
}


def describe_frozen(model: Model, manifest: Manifest, labels: Sequence[str]) -> None:
    """Let the standard metadata, and the files behind the model, describe a plain model.

    What they say of the inputs stays. The labels become a file of their own, which the output
    names: MediaPipe's task libraries find them there.

    Args:
        model: frozen; its metadata are still those of the personalizable file.
        manifest: of that file, with the inputs as they are now.
        labels: the names of the outputs, in their order.
    """
    old = _decoded(model)
    known = old.subgraph_metadata[0].input_tensor_metadata if old.subgraph_metadata else ()
    inputs = [_input(*pair) for pair in zip(manifest.inputs, known, strict=False)]
    described = f"Classes learned on the device (sartor {__version__}). {own_description(old)}"
    new = replace(
        old,
        name="Classifier" if old.name == UNNAMED else old.name,
        description=described.strip(),
        subgraph_metadata=(
            SubGraphMetadata(
                name=model.main.name,
                input_tensor_metadata=tuple(inputs),
                output_tensor_metadata=(_output(manifest.task),),
            ),
        ),
    )
    model.metadata[METADATA_NAME] = encode_metadata(new)
    model.files = {name: file for name, file in model.files.items() if name != MANIFEST_FILE}
    model.files[LABELS_FILE] = "\n".join(labels).encode()


def _decoded(model: Model) -> ModelMetadata:
    content = model.metadata.get(METADATA_NAME)
    return ModelMetadata() if content is None else decode_metadata(content)


def _input(spec: InputSpec, known: TensorMetadata) -> TensorMetadata:
    """What was said of an input, with the scaling that it has now."""
    if known.normalization is None or not modality_of(spec).is_normalized(spec):
        return known
    scaling = ProcessUnit(options=NormalizationOptions(mean=spec.mean, std=spec.std))
    others = [u for u in known.process_units if not isinstance(u.options, NormalizationOptions)]
    return replace(known, process_units=(scaling, *others))


def _output(task: str) -> TensorMetadata:
    labels = AssociatedFile(
        name=LABELS_FILE, description="One class a line.", type=FileType.TENSOR_AXIS_LABELS
    )
    return TensorMetadata(
        name=OUTPUT,
        description=_SAYS.get(task, ""),
        content=Content(content_properties=FeatureProperties()),
        stats=None if task == "regression" else Stats(min=(0.0,), max=(1.0,)),
        associated_files=(labels,),
    )
