"""The metadata of a model's inputs and outputs, for users and tools.

These are the tables of the public `metadata_schema.fbs`, version 1.5. The fields have the order and
the names of the schema, so one description serves for reading, writing and in memory.
"""

# ruff: noqa: RUF009 (`_stored` is `dataclasses.field`, with the default that its type implies)

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

__all__ = [
    "AssociatedFile",
    "AudioProperties",
    "BertTokenizerOptions",
    "BoundingBoxProperties",
    "ColorSpace",
    "Content",
    "CustomMetadata",
    "FeatureProperties",
    "FileType",
    "ImageProperties",
    "ImageSize",
    "ModelMetadata",
    "NormalizationOptions",
    "ProcessUnit",
    "RegexTokenizerOptions",
    "ScoreCalibrationOptions",
    "ScoreThresholdingOptions",
    "SentencePieceTokenizerOptions",
    "Stats",
    "SubGraphMetadata",
    "TensorGroup",
    "TensorMetadata",
    "ValueRange",
]


def _stored(type_name: str) -> Any:
    """Return a field of the schema's type `type_name`. Default: empty, zero or None."""
    if type_name == "string":
        default: object = ""
    elif type_name == "[ubyte]":
        default = b""
    elif type_name.startswith("["):
        default = ()
    elif type_name in ("byte", "int", "uint", "float"):
        default = 0.0 if type_name == "float" else 0
    else:
        default = None
    return field(default=default, metadata={"type": type_name})


class FileType(IntEnum):
    """The type of an associated file."""

    UNKNOWN = 0
    DESCRIPTIONS = 1
    TENSOR_AXIS_LABELS = 2
    TENSOR_VALUE_LABELS = 3
    TENSOR_AXIS_SCORE_CALIBRATION = 4
    VOCABULARY = 5
    SCANN_INDEX_FILE = 6


class ColorSpace(IntEnum):
    """The channels of an image."""

    UNKNOWN = 0
    RGB = 1
    GRAYSCALE = 2


@dataclass(frozen=True)
class AssociatedFile:
    """An associated file, such as a list of labels; `type` is a `FileType`."""

    name: str = _stored("string")
    description: str = _stored("string")
    type: int = _stored("byte")
    locale: str = _stored("string")
    version: str = _stored("string")


@dataclass(frozen=True)
class FeatureProperties:
    """The properties of a tensor of features."""


@dataclass(frozen=True)
class ImageSize:
    """The size of an image if the shape does not state it."""

    width: int = _stored("uint")
    height: int = _stored("uint")


@dataclass(frozen=True)
class ImageProperties:
    """The properties of a tensor of images; `color_space` is a `ColorSpace`."""

    color_space: int = _stored("byte")
    default_size: ImageSize | None = _stored("ImageSize")


@dataclass(frozen=True)
class BoundingBoxProperties:
    """The properties of a tensor of bounding boxes."""

    index: tuple[int, ...] = _stored("[uint]")
    type: int = _stored("byte")
    coordinate_type: int = _stored("byte")


@dataclass(frozen=True)
class AudioProperties:
    """The properties of a tensor of audio."""

    sample_rate: int = _stored("uint")
    channels: int = _stored("uint")


@dataclass(frozen=True)
class ValueRange:
    """The axes of a content, including both ends."""

    min: int = _stored("int")
    max: int = _stored("int")


@dataclass(frozen=True)
class Content:
    """The content of a tensor."""

    content_properties: (
        FeatureProperties | ImageProperties | BoundingBoxProperties | AudioProperties | None
    ) = _stored("ContentProperties")
    range: ValueRange | None = _stored("ValueRange")


@dataclass(frozen=True)
class NormalizationOptions:
    """`(x − mean) / std`, with one value for each channel or for all."""

    mean: tuple[float, ...] = _stored("[float]")
    std: tuple[float, ...] = _stored("[float]")


@dataclass(frozen=True)
class ScoreCalibrationOptions:
    """Calibration of scores by a sigmoid, with parameters in an associated file."""

    score_transformation: int = _stored("byte")
    default_score: float = _stored("float")


@dataclass(frozen=True)
class ScoreThresholdingOptions:
    """The threshold below which scores are low."""

    global_score_threshold: float = _stored("float")


@dataclass(frozen=True)
class BertTokenizerOptions:
    """Options of the BERT tokenizer."""

    vocab_file: tuple[AssociatedFile, ...] = _stored("[AssociatedFile]")


@dataclass(frozen=True)
class SentencePieceTokenizerOptions:
    """Options of the SentencePiece tokenizer."""

    sentencePiece_model: tuple[AssociatedFile, ...] = _stored("[AssociatedFile]")  # noqa: N815 (the schema's)
    vocab_file: tuple[AssociatedFile, ...] = _stored("[AssociatedFile]")


@dataclass(frozen=True)
class RegexTokenizerOptions:
    """Options of a tokenizer with a regular expression."""

    delim_regex_pattern: str = _stored("string")
    vocab_file: tuple[AssociatedFile, ...] = _stored("[AssociatedFile]")


@dataclass(frozen=True)
class ProcessUnit:
    """A processing step before an input or after an output."""

    options: (
        NormalizationOptions
        | ScoreCalibrationOptions
        | ScoreThresholdingOptions
        | BertTokenizerOptions
        | SentencePieceTokenizerOptions
        | RegexTokenizerOptions
        | None
    ) = _stored("ProcessUnitOptions")


@dataclass(frozen=True)
class Stats:
    """The range of values, for each channel or for all."""

    max: tuple[float, ...] = _stored("[float]")
    min: tuple[float, ...] = _stored("[float]")


@dataclass(frozen=True)
class TensorGroup:
    """Tensors that belong together."""

    name: str = _stored("string")
    tensor_names: tuple[str, ...] = _stored("[string]")


@dataclass(frozen=True)
class TensorMetadata:
    """The metadata of an input or output."""

    name: str = _stored("string")
    description: str = _stored("string")
    dimension_names: tuple[str, ...] = _stored("[string]")
    content: Content | None = _stored("Content")
    process_units: tuple[ProcessUnit, ...] = _stored("[ProcessUnit]")
    stats: Stats | None = _stored("Stats")
    associated_files: tuple[AssociatedFile, ...] = _stored("[AssociatedFile]")

    @property
    def normalization(self) -> NormalizationOptions | None:
        """The normalization of the values, or None if the metadata does not state it."""
        options = (unit.options for unit in self.process_units)
        return next((each for each in options if isinstance(each, NormalizationOptions)), None)

    @property
    def image(self) -> ImageProperties | None:
        """The properties of the images, or None if the metadata does not state them."""
        properties = self.content.content_properties if self.content else None
        return properties if isinstance(properties, ImageProperties) else None

    @property
    def label_files(self) -> tuple[AssociatedFile, ...]:
        """The files with the labels along an axis, one for each locale."""
        files = self.associated_files
        return tuple(each for each in files if each.type == FileType.TENSOR_AXIS_LABELS)


@dataclass(frozen=True)
class CustomMetadata:
    """Metadata of other tools."""

    name: str = _stored("string")
    data: bytes = _stored("[ubyte]")


@dataclass(frozen=True)
class SubGraphMetadata:
    """The metadata of the inputs and outputs of a subgraph, in the subgraph's order."""

    name: str = _stored("string")
    description: str = _stored("string")
    input_tensor_metadata: tuple[TensorMetadata, ...] = _stored("[TensorMetadata]")
    output_tensor_metadata: tuple[TensorMetadata, ...] = _stored("[TensorMetadata]")
    associated_files: tuple[AssociatedFile, ...] = _stored("[AssociatedFile]")
    input_process_units: tuple[ProcessUnit, ...] = _stored("[ProcessUnit]")
    output_process_units: tuple[ProcessUnit, ...] = _stored("[ProcessUnit]")
    input_tensor_groups: tuple[TensorGroup, ...] = _stored("[TensorGroup]")
    output_tensor_groups: tuple[TensorGroup, ...] = _stored("[TensorGroup]")
    custom_metadata: tuple[CustomMetadata, ...] = _stored("[CustomMetadata]")


@dataclass(frozen=True)
class ModelMetadata:
    """The root table: the metadata of a model."""

    name: str = _stored("string")
    description: str = _stored("string")
    version: str = _stored("string")
    subgraph_metadata: tuple[SubGraphMetadata, ...] = _stored("[SubGraphMetadata]")
    author: str = _stored("string")
    license: str = _stored("string")
    associated_files: tuple[AssociatedFile, ...] = _stored("[AssociatedFile]")
    min_parser_version: str = _stored("string")
