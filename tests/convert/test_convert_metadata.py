"""Standard metadata, labels, manifest and byte ranges of a converted file."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from convert_bases import classifier, file
from convert_helpers import assert_keeps_the_contract, session_of

import sartor
from sartor import PersonalizableModel
from sartor.contract.manifest import LABELS_FILE, Manifest
from sartor.contract.names import MANIFEST_FILE
from sartor.errors import InvalidModelError, NotPersonalizableError
from sartor.flatbuffer import METADATA_NAME, decode_metadata, encode_metadata, read, write
from sartor.flatbuffer.metadata_tables import (
    AssociatedFile,
    AudioProperties,
    Content,
    FileType,
    ImageProperties,
    ModelMetadata,
    NormalizationOptions,
    ProcessUnit,
    SubGraphMetadata,
    TensorMetadata,
)
from sartor.optimizers import Adam

NAMES = ["cup", "Schlüssel", "鍵"]
LABELS = AssociatedFile(name="old.txt", type=FileType.TENSOR_AXIS_LABELS)
SCALING = ProcessUnit(options=NormalizationOptions(mean=(127.5,), std=(128.0,)))
PICTURE = TensorMetadata(
    name="image", description="A photo.", content=Content(content_properties=ImageProperties(1)),
    process_units=(SCALING,),
)  # fmt: skip


def described(taken: TensorMetadata, shape: tuple[int, ...] = (1, 4, 4, 3)) -> bytes:
    """A base whose metadata describes its input, and names a file of labels for its output."""
    model = read(file(classifier, shape))
    output = TensorMetadata(name="probability", associated_files=(LABELS,))
    metadata = ModelMetadata(
        name="Things", description="Tells things apart.", author="Somebody", license="Apache-2.0",
        subgraph_metadata=(
            SubGraphMetadata(input_tensor_metadata=(taken,), output_tensor_metadata=(output,)),
        ),
    )  # fmt: skip
    model.metadata[METADATA_NAME] = encode_metadata(metadata)
    model.metadata["min_runtime_version"] = b"1.5.0".ljust(16, b"\0")
    model.metadata["own"] = b"kept"
    model.files = {"old.txt": b"1\n2", "about.txt": b"kept"}
    return write(model)


@pytest.fixture(scope="module")
def conversion() -> PersonalizableModel:
    return sartor.convert(described(PICTURE), classes=NAMES, capacity=5)


def metadata_of(conversion: PersonalizableModel) -> ModelMetadata:
    return decode_metadata(read(conversion.content).metadata[METADATA_NAME])


def test_metadata_describes_the_personalizable_file(conversion: PersonalizableModel) -> None:
    metadata = metadata_of(conversion)
    assert (metadata.name, metadata.author) == ("Things", "Somebody")
    assert metadata.description.startswith("Can be trained on the device")
    assert metadata.description.endswith("Tells things apart.")
    (graph,) = metadata.subgraph_metadata
    (taken,) = graph.input_tensor_metadata
    assert taken == PICTURE
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
    described = metadata_of(conversion).subgraph_metadata[0]
    assert len(described.input_tensor_metadata) == len(model.main.inputs)
    assert [each.name for each in described.output_tensor_metadata] == [
        tensor.name for tensor in model.main.outputs
    ]


def test_image_scaling_comes_from_the_metadata(conversion: PersonalizableModel) -> None:
    (spec,) = conversion.manifest.inputs
    assert (spec.modality, spec.mean, spec.std) == ("image", (127.5,), (128.0,))
    assert not conversion.notes


def test_stated_scaling_replaces_that_of_the_metadata() -> None:
    conversion = sartor.convert(described(PICTURE), classes=2, mean=[1, 2, 3], std=4)
    (spec,) = conversion.manifest.inputs
    assert (spec.mean, spec.std) == ((1.0, 2.0, 3.0), (4.0,))
    (taken,) = metadata_of(conversion).subgraph_metadata[0].input_tensor_metadata
    assert taken.normalization == NormalizationOptions(mean=(1.0, 2.0, 3.0), std=(4.0,))


def test_default_scaling_is_written_to_the_metadata() -> None:
    conversion = sartor.convert(file(classifier, (1, 9, 9, 3)), classes=2)
    (taken,) = metadata_of(conversion).subgraph_metadata[0].input_tensor_metadata
    assert taken.image is not None
    assert taken.normalization == NormalizationOptions(mean=(0.0,), std=(255.0,))


SOUND = Content(content_properties=AudioProperties(sample_rate=16000, channels=1))


@pytest.mark.parametrize(
    ("taken", "shape", "modality"),
    [
        (replace(PICTURE, content=SOUND, process_units=()), (1, 9, 9, 3), "tensor"),
        (replace(PICTURE, content=Content()), (1, 9, 9, 3), "image"),
        (TensorMetadata(), (1, 9, 9, 3), "image"),
        (PICTURE, (1, 4, 4, 5), "tensor"),
        (PICTURE, (1, 12), "tensor"),
    ],
    ids=["sound", "empty content", "no content", "five channels", "no map"],
)
def test_metadata_decides_the_modality(
    taken: TensorMetadata, shape: tuple[int, ...], modality: str
) -> None:
    conversion = sartor.convert(described(taken, shape), classes=2)
    assert [spec.modality for spec in conversion.manifest.inputs] == [modality]


def test_second_conversion_does_not_repeat_the_description(conversion: PersonalizableModel) -> None:
    again = sartor.convert(conversion.content, classes=2)
    assert metadata_of(again).subgraph_metadata == metadata_of(conversion).subgraph_metadata
    assert set(read(again.content).files) == {"about.txt", LABELS_FILE, MANIFEST_FILE}
    assert metadata_of(again).description == metadata_of(conversion).description


def test_damaged_metadata_raises_an_error() -> None:
    model = read(described(PICTURE))
    model.metadata[METADATA_NAME] = b"\x10\0\0\0M001" + b"\xff" * 40
    with pytest.raises(InvalidModelError):
        sartor.convert(write(model), classes=2)


# --- the manifest -------------------------------------------------------------------------------


def test_manifest_is_a_stored_zip_entry(conversion: PersonalizableModel, tmp_path: Path) -> None:
    with zipfile.ZipFile(conversion.save(tmp_path / "conversion.tflite")) as archive:
        entry = archive.getinfo(MANIFEST_FILE)
        text = archive.read(MANIFEST_FILE)
    assert entry.compress_type == zipfile.ZIP_STORED
    assert text in conversion.content
    assert Manifest.from_json(text) == conversion.manifest
    assert json.loads(text)["classes"] == [*NAMES, None, None]


def test_byte_ranges_contain_the_initial_values(conversion: PersonalizableModel) -> None:
    saved = session_of(conversion).save()
    assert set(saved) == {spec.name for spec in conversion.manifest.variables}
    for spec in conversion.manifest.variables:
        count = int(np.prod(spec.shape))
        value = np.frombuffer(conversion.content, "<f4", count, spec.offset)
        np.testing.assert_array_equal(value.reshape(spec.shape), saved[spec.name])


def test_byte_ranges_do_not_overlap(conversion: PersonalizableModel) -> None:
    sizes = {spec.offset: 4 * int(np.prod(spec.shape)) for spec in conversion.manifest.variables}
    for start, following in pairwise(sorted(sizes)):
        assert start + sizes[start] <= following


def test_adding_a_file_to_the_zip_moves_nothing(conversion: PersonalizableModel) -> None:
    stream = io.BytesIO(conversion.content)
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("note.txt", "of somebody else's")
    again = stream.getvalue()
    assert read(again).files["note.txt"] == b"of somebody else's"
    assert_keeps_the_contract(replace(conversion, content=again))


def test_manifest_lists_the_parts_of_the_file() -> None:
    conversion = sartor.convert(
        file(classifier), classes=2, optimizer=Adam(learning_rate=0.01), batch_size=7
    )
    manifest = conversion.manifest
    assert (manifest.batch_size, manifest.task, manifest.learning_rate) == (
        7,
        "classification",
        0.01,
    )
    assert (manifest.head.name, manifest.loss.name, manifest.optimizer.name) == (
        "softmax_classifier", "softmax_cross_entropy", "adam",
    )  # fmt: skip
    assert manifest.optimizer.settings["beta_2"] == 0.999
    assert manifest.generator == f"sartor {sartor.__version__}"
    parameters = {
        spec.name: spec.parameter for spec in manifest.variables if spec.role == "optimizer_state"
    }
    assert parameters["optimizer/m/head/weights"] == "head/weights"
    assert all(parameters[f"optimizer/{name}"] is None for name in Adam().shared_state)
    parts = {spec.name: spec.parameter for spec in manifest.variables}
    assert parts["optimizer/v/head/bias"] == "head/bias"


WRONG: dict[str, tuple[str, object, str]] = {
    "another version": ("contract", 2, "contract version 2; this Sartor supports version 1"),
    "what is not known": ("requires", ["magic"], "needs contract version 1, magic"),
    "no inputs": ("inputs", [], "inputs is empty"),
    "no features": ("features", [], "features is empty"),
    "no classes": ("classes", [], "classes is empty"),
    "no variables": ("variables", [], "no variable 'class_mask'"),
    "a batch of none": ("batch_size", 0, "batch_size must be an integer of 1 or more, got 0"),
    "a batch of words": (
        "batch_size",
        "six",
        "batch_size must be an integer of 1 or more, got 'six'",
    ),
    "a rate that is no number": ("learning_rate", True, "learning_rate must be a finite number"),
    "classes that are numbers": ("classes", [1], "classes must be a list of strings and nulls"),
    "a curvature of 0": (
        "loss",
        {"name": "own", "settings": {}, "curvature": 0},
        "the curvature of the loss is 0.0, not above 0",
    ),
    "a loss without a curvature": (
        "loss",
        {"name": "own", "settings": {}},
        "loss: curvature must be a finite number, got nothing",
    ),
    "a momentum of 1": (
        "optimizer",
        {
            "name": "own",
            "settings": {},
            "step": {"adaptive": False, "momentum": 1, "nesterov": False, "first": None},
        },
        "the momentum of the optimizer is 1.0, not between 0 and 1",
    ),
    "an optimizer without a step": (
        "optimizer",
        {"name": "own", "settings": {}},
        "optimizer: step must be an object",
    ),
    "a head of words": ("head", "softmax", "head must be an object"),
    "fewer classes than the mask": ("classes", ["a"], "no variable 'class_mask' of shape .1."),
}


@pytest.mark.parametrize("name", WRONG)
def test_invalid_manifests_raise_an_error(name: str, conversion: PersonalizableModel) -> None:
    key, value, words = WRONG[name]
    fields = json.loads(conversion.manifest.to_json())
    with pytest.raises(NotPersonalizableError, match=words):
        Manifest.from_json(json.dumps({**fields, key: value}))


VARIABLES: dict[str, tuple[str, object, str]] = {
    "an axis beside the classes": ("class_axis", 1, "has no class axis 1"),
    "an axis that is not there": ("class_axis", 7, "has no class axis 7"),
    "a negative axis": ("class_axis", -1, "class_axis must be an integer of 0 or more"),
    "optimizer state of no parameter": (
        "parameter",
        "head/none",
        "belongs to 'head/none', which is not there",
    ),
    "one name for two": ("name", "head/bias", "two of the variables have the same name"),
    "an offset before the file": ("offset", -4, "offset must be an integer of 0 or more"),
    "a shape without elements": ("shape", [0], "shape must be a list of positive sizes"),
}


@pytest.mark.parametrize("name", VARIABLES)
def test_invalid_variables_raise_an_error(name: str, conversion: PersonalizableModel) -> None:
    key, value, words = VARIABLES[name]
    fields = json.loads(conversion.manifest.to_json())
    fields["variables"][0][key] = value
    with pytest.raises(NotPersonalizableError, match=words):
        Manifest.from_json(json.dumps(fields))


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"contract": NaN}', "[" * 100_000])
def test_invalid_json_raises_an_error(text: str) -> None:
    with pytest.raises(NotPersonalizableError, match=r"sartor\.json"):
        Manifest.from_json(text)


def test_unknown_keys_are_ignored(conversion: PersonalizableModel) -> None:
    fields = json.loads(conversion.manifest.to_json())
    fields["later"] = {"any": "thing"}
    fields["variables"][0]["later"] = 1
    assert Manifest.from_json(json.dumps(fields)) == conversion.manifest


def test_save_is_atomic_and_keeps_permissions(
    conversion: PersonalizableModel, tmp_path: Path
) -> None:
    path = tmp_path / "conversion.tflite"
    conversion.save(path)
    path.chmod(0o600)
    assert conversion.save(str(path)) == path
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    with pytest.raises(OSError, match="missing"):
        conversion.save(tmp_path / "missing" / "conversion.tflite")
