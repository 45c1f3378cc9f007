"""Standard metadata and labels of a converted file."""

from __future__ import annotations

from dataclasses import replace

import pytest
from convert_bases import classifier, file
from metadata_base import IMAGE, base_with_metadata

import sartor
from sartor import PersonalizableModel
from sartor.contract.manifest import LABELS_FILE
from sartor.contract.names import MANIFEST_FILE
from sartor.errors import InvalidModelError
from sartor.flatbuffer import METADATA_NAME, decode_metadata, read, write
from sartor.flatbuffer.metadata_tables import (
    AudioProperties,
    Content,
    ModelMetadata,
    NormalizationOptions,
    TensorMetadata,
)


def metadata_of(conversion: PersonalizableModel) -> ModelMetadata:
    return decode_metadata(read(conversion.content).metadata[METADATA_NAME])


def test_metadata_describes_the_personalizable_file(conversion: PersonalizableModel) -> None:
    metadata = metadata_of(conversion)
    assert (metadata.name, metadata.author) == ("Things", "Somebody")
    assert metadata.description.startswith("Can be trained on the device")
    assert metadata.description.endswith("Tells things apart.")
    (graph,) = metadata.subgraph_metadata
    (image,) = graph.input_tensor_metadata
    assert image == IMAGE
    output, features = graph.output_tensor_metadata
    assert [each.name for each in output.label_files] == [LABELS_FILE]
    assert features.name == "features"


def test_files_of_the_base_are_kept_except_its_labels(conversion: PersonalizableModel) -> None:
    model = read(conversion.content)
    assert set(model.files) == {"about.txt", LABELS_FILE, MANIFEST_FILE}
    assert model.files[LABELS_FILE].decode() == "cup\nSchlüssel\n鍵\nunused 3\nunused 4"
    assert model.metadata["own"] == b"kept"
    assert model.metadata["min_runtime_version"] == b"2.6.0".ljust(16, b"\0")


def test_the_main_graph_is_infer(conversion: PersonalizableModel) -> None:
    model = read(conversion.content)
    infer = model.signature("infer")
    assert infer is not None
    assert model.main is infer.graph
    graph = metadata_of(conversion).subgraph_metadata[0]
    assert len(graph.input_tensor_metadata) == len(model.main.inputs)
    assert [each.name for each in graph.output_tensor_metadata] == [
        tensor.name for tensor in model.main.outputs
    ]


def test_image_scaling_comes_from_the_metadata(conversion: PersonalizableModel) -> None:
    (spec,) = conversion.manifest.inputs
    assert (spec.modality, spec.mean, spec.std) == ("image", (127.5,), (128.0,))
    assert not conversion.notes


def test_stated_scaling_replaces_that_of_the_metadata() -> None:
    conversion = sartor.convert(base_with_metadata(IMAGE), classes=2, mean=[1, 2, 3], std=4)
    (spec,) = conversion.manifest.inputs
    assert (spec.mean, spec.std) == ((1.0, 2.0, 3.0), (4.0,))
    (image,) = metadata_of(conversion).subgraph_metadata[0].input_tensor_metadata
    assert image.normalization == NormalizationOptions(mean=(1.0, 2.0, 3.0), std=(4.0,))


def test_default_scaling_is_written_to_the_metadata() -> None:
    conversion = sartor.convert(file(classifier, (1, 9, 9, 3)), classes=2)
    (image,) = metadata_of(conversion).subgraph_metadata[0].input_tensor_metadata
    assert image.image is not None
    assert image.normalization == NormalizationOptions(mean=(0.0,), std=(255.0,))


AUDIO = Content(content_properties=AudioProperties(sample_rate=16000, channels=1))


@pytest.mark.parametrize(
    ("tensor", "shape", "modality"),
    [
        (replace(IMAGE, content=AUDIO, process_units=()), (1, 9, 9, 3), "tensor"),
        (replace(IMAGE, content=Content()), (1, 9, 9, 3), "image"),
        (TensorMetadata(), (1, 9, 9, 3), "image"),
        (IMAGE, (1, 4, 4, 5), "tensor"),
        (IMAGE, (1, 12), "tensor"),
    ],
    ids=["sound", "empty content", "no content", "five channels", "a vector"],
)
def test_metadata_decides_the_modality(
    tensor: TensorMetadata, shape: tuple[int, ...], modality: str
) -> None:
    conversion = sartor.convert(base_with_metadata(tensor, shape), classes=2)
    assert [spec.modality for spec in conversion.manifest.inputs] == [modality]


def test_second_conversion_does_not_repeat_the_description(conversion: PersonalizableModel) -> None:
    second = sartor.convert(conversion.content, classes=2)
    assert metadata_of(second).subgraph_metadata == metadata_of(conversion).subgraph_metadata
    assert set(read(second.content).files) == {"about.txt", LABELS_FILE, MANIFEST_FILE}
    assert metadata_of(second).description == metadata_of(conversion).description


def test_damaged_metadata_raises_an_error() -> None:
    model = read(base_with_metadata(IMAGE))
    model.metadata[METADATA_NAME] = b"\x10\0\0\0M001" + b"\xff" * 40
    with pytest.raises(InvalidModelError):
        sartor.convert(write(model), classes=2)
