"""What the file tells people and other tools of its inputs and outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .._version import __version__
from ..contract.manifest import LABELS_FILE, InputSpec, Manifest
from ..contract.names import OUTPUT
from ..errors import ConversionError
from ..flatbuffer.metadata import METADATA_NAME, decode_metadata, encode_metadata
from ..flatbuffer.metadata_tables import (
    AssociatedFile,
    ColorSpace,
    Content,
    FeatureProperties,
    FileType,
    ImageProperties,
    ModelMetadata,
    NormalizationOptions,
    ProcessUnit,
    SubGraphMetadata,
    TensorMetadata,
)
from ..graph import DType, Graph, Model, Tensor
from ..modalities import modality_of
from ..modalities.image.conventions import Convention
from .plan import Plan

__all__ = [
    "UNNAMED",
    "describe_inputs",
    "input_metadata",
    "own_description",
    "rewrite_metadata",
    "stated_scaling",
]

UNNAMED = "Personalizable model"
"""What a file is called whose base has no name."""

_MIN_RUNTIME = "min_runtime_version"
_MIN_RUNTIME_OF_VARIABLES = b"2.6.0"
_SMALLEST_PICTURE = 8
_LEARNS = "Learns its user's classes on the device (sartor "
_NO_PREPROCESSING = "says nothing of how pictures are to be scaled: pixels are fed as 0…1. "
_SAY_SO = "preprocessing, or mean and std"


def input_metadata(model: Model) -> dict[Tensor, TensorMetadata]:
    """What the standard metadata says of each input of the model's first graph.

    Raises:
        InvalidModelError: the metadata is damaged.
    """
    content = model.metadata.get(METADATA_NAME)
    metadata = ModelMetadata() if content is None else decode_metadata(content)
    if not metadata.subgraph_metadata:
        return {}
    described = metadata.subgraph_metadata[0].input_tensor_metadata
    return dict(zip(model.main.inputs, described, strict=False))


def describe_inputs(
    graph: Graph,
    described: Sequence[TensorMetadata | None],
    before: Manifest | None,
    told: Convention | None,
) -> tuple[list[InputSpec], list[str]]:
    """Say how each input is made from what a user has.

    Args:
        graph: the base, its inputs of types that cross a signature.
        described: the standard metadata of each input.
        before: what the base says of itself, where it is personalizable already.
        told: how pictures are scaled as the user says, which goes before all else.

    Returns:
        What each input is, and notes for the user.
    """
    own = {spec.name: spec for spec in before.inputs} if before else {}
    specs, notes = [], []
    for tensor, metadata in zip(graph.inputs, described, strict=True):
        kind = "image" if _is_picture(tensor, metadata) else "tensor"
        plain = InputSpec(tensor.name, tensor.shape, tensor.dtype.name.lower(), kind)
        kept = own.get(tensor.name, plain)
        spec = kept if kept.dtype == plain.dtype else plain
        if modality_of(spec).is_normalized(spec) and (told or spec is plain):
            spec, note = _scaled(spec, metadata, told)
            notes += note
        specs.append(spec)
    if told and not any(map(_can_be_scaled, specs, graph.inputs)):
        raise ConversionError(
            "preprocessing, mean and std are for pictures fed as float32, or quantized; the base "
            f"takes {', '.join(map(repr, graph.inputs))}"
        )
    return specs, notes


def stated_scaling(described: TensorMetadata | None) -> Convention | None:
    """How the metadata say that a picture is scaled, or None."""
    found = described.normalization if described is not None else None
    return Convention(found.mean, found.std) if found and found.mean and found.std else None


def rewrite_metadata(plan: Plan, described: Sequence[TensorMetadata | None]) -> None:
    """Let the standard metadata describe what the file now is, and keep what it says of inputs."""
    metadata = plan.model.metadata
    old = decode_metadata(metadata[METADATA_NAME]) if METADATA_NAME in metadata else ModelMetadata()
    new = replace(
        old,
        name=old.name or UNNAMED,
        description=f"{_LEARNS}{__version__}). {own_description(old)}".strip(),
        subgraph_metadata=(_signature_metadata(plan, described),),
        associated_files=(),
    )
    _drop_label_files(plan.model, old)
    plan.model.metadata = {
        **metadata,
        METADATA_NAME: encode_metadata(new),
        _MIN_RUNTIME: _newer(metadata.get(_MIN_RUNTIME, b"")),
    }


def own_description(metadata: ModelMetadata) -> str:
    """What the base said of itself before it was personalizable."""
    text = metadata.description
    return text.partition(").")[2].strip() if text.startswith(_LEARNS) else text


def _is_picture(tensor: Tensor, described: TensorMetadata | None) -> bool:
    if tensor.dtype not in (DType.FLOAT32, DType.UINT8) or tensor.rank != 4:
        return False
    _, height, width, channels = tensor.shape
    content = described.content if described is not None else None
    if content is not None and content.content_properties is not None:
        return isinstance(content.content_properties, ImageProperties) and channels in (1, 3)
    large = min(height, width) >= _SMALLEST_PICTURE
    return large and (channels == 3 or (channels == 1 and height == width))


def _can_be_scaled(spec: InputSpec, tensor: Tensor) -> bool:
    is_scalable = spec.dtype == "float32" or tensor.quantization is not None
    return modality_of(spec).has_normalization and is_scalable


def _scaled(
    spec: InputSpec, described: TensorMetadata | None, told: Convention | None
) -> tuple[InputSpec, list[str]]:
    """With mean and deviation as told, else as the metadata says, else a guess and a note."""
    stated = told or stated_scaling(described)
    if stated is None:
        note = f"the base {_NO_PREPROCESSING}If it was trained otherwise, say so with {_SAY_SO}."
        return replace(spec, mean=(0.0,), std=(255.0,)), [note]
    for values in (stated.mean, stated.std):
        if len(values) not in (1, spec.shape[-1]):
            raise ConversionError(
                f"mean and std take one finite value, or one for each of the {spec.shape[-1]} "
                f"channels; got {list(values)}"
            )
    return replace(spec, mean=stated.mean, std=stated.std), []


def _signature_metadata(plan: Plan, described: Sequence[TensorMetadata | None]) -> SubGraphMetadata:
    """The metadata of `infer`, the graph that runs without a signature."""
    labels = AssociatedFile(
        name=LABELS_FILE, description="One class a line.", type=FileType.TENSOR_AXIS_LABELS
    )
    output = TensorMetadata(
        name=OUTPUT,
        description="What the personalized classes get.",
        content=Content(content_properties=FeatureProperties()),
        associated_files=(labels,),
    )
    features = [
        TensorMetadata(
            name=spec.name,
            description="What the base sees: the input of `train`.",
            content=Content(content_properties=FeatureProperties()),
        )
        for spec in plan.features
    ]
    inputs = [_input(*pair) for pair in zip(plan.inputs, described, strict=True)]
    return SubGraphMetadata(
        name="infer",
        input_tensor_metadata=tuple(inputs),
        output_tensor_metadata=(output, *features),
    )


def _image_content(spec: InputSpec) -> Content:
    color = ColorSpace.RGB if spec.shape[-1] == 3 else ColorSpace.GRAYSCALE
    return Content(content_properties=ImageProperties(color_space=color))


_CONTENT = {"image": _image_content}
"""Modality → function that returns the content properties of an input."""


def _input(spec: InputSpec, described: TensorMetadata | None) -> TensorMetadata:
    metadata = described or TensorMetadata(name=spec.name)
    create_content = _CONTENT.get(spec.modality)
    if create_content is None:
        return metadata
    content = metadata.content or create_content(spec)
    if spec.dtype != "float32":
        return replace(metadata, content=content)
    scaling = ProcessUnit(options=NormalizationOptions(mean=spec.mean, std=spec.std))
    others = [u for u in metadata.process_units if not isinstance(u.options, NormalizationOptions)]
    return replace(metadata, content=content, process_units=(scaling, *others))


def _drop_label_files(model: Model, old: ModelMetadata) -> None:
    """The labels of the base's own classes are no longer true."""
    for graph in old.subgraph_metadata:
        for tensor in graph.output_tensor_metadata:
            for file in tensor.associated_files:
                model.files.pop(file.name, None)


def _newer(stated: bytes) -> bytes:
    """The later of two versions, padded to 16 bytes as the runtime expects."""

    def order(version: bytes) -> list[int]:
        return [int(part) for part in version.strip(b"\0 ").split(b".") if part.isdigit()]

    later = max(stated.strip(b"\0"), _MIN_RUNTIME_OF_VARIABLES, key=order)
    return later.ljust(16, b"\0")
