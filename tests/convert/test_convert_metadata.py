"""What a file says of itself: standard metadata, labels, manifest, byte ranges."""

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
def made() -> PersonalizableModel:
    return sartor.convert(described(PICTURE), classes=NAMES, capacity=5)


def metadata_of(made: PersonalizableModel) -> ModelMetadata:
    return decode_metadata(read(made.content).metadata[METADATA_NAME])


def test_the_metadata_says_what_the_file_now_is(made: PersonalizableModel) -> None:
    metadata = metadata_of(made)
    assert (metadata.name, metadata.author) == ("Things", "Somebody")
    assert metadata.description.startswith("Can be trained on the device")
    assert metadata.description.endswith("Tells things apart.")
    (graph,) = metadata.subgraph_metadata
    (taken,) = graph.input_tensor_metadata
    assert taken == PICTURE
    output, features = graph.output_tensor_metadata
    assert [each.name for each in output.label_files] == [LABELS_FILE]
    assert features.name == "features"


def test_what_the_base_carried_is_kept_but_for_its_labels(made: PersonalizableModel) -> None:
    model = read(made.content)
    assert set(model.files) == {"about.txt", LABELS_FILE, MANIFEST_FILE}
    assert model.files[LABELS_FILE].decode() == "cup\nSchlüssel\n鍵\nunused 3\nunused 4"
    assert model.metadata["own"] == b"kept"
    assert model.metadata["min_runtime_version"] == b"2.6.0".ljust(16, b"\0")


def test_the_main_graph_is_infer(made: PersonalizableModel) -> None:
    model = read(made.content)
    infer = model.signature("infer")
    assert infer is not None
    assert model.main is infer.graph
    described = metadata_of(made).subgraph_metadata[0]
    assert len(described.input_tensor_metadata) == len(model.main.inputs)
    assert [each.name for each in described.output_tensor_metadata] == [
        tensor.name for tensor in model.main.outputs
    ]


def test_a_picture_s_normalization_is_taken_from_the_metadata(made: PersonalizableModel) -> None:
    (spec,) = made.manifest.inputs
    assert (spec.modality, spec.mean, spec.std) == ("image", (127.5,), (128.0,))
    assert not made.notes


def test_what_the_user_says_goes_before_the_metadata_and_into_it() -> None:
    made = sartor.convert(described(PICTURE), classes=2, mean=[1, 2, 3], std=4)
    (spec,) = made.manifest.inputs
    assert (spec.mean, spec.std) == ((1.0, 2.0, 3.0), (4.0,))
    (taken,) = metadata_of(made).subgraph_metadata[0].input_tensor_metadata
    assert taken.normalization == NormalizationOptions(mean=(1.0, 2.0, 3.0), std=(4.0,))


def test_without_metadata_what_is_assumed_of_a_picture_is_written_down() -> None:
    made = sartor.convert(file(classifier, (1, 9, 9, 3)), classes=2)
    (taken,) = metadata_of(made).subgraph_metadata[0].input_tensor_metadata
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
def test_the_metadata_tells_pictures_from_others(
    taken: TensorMetadata, shape: tuple[int, ...], modality: str
) -> None:
    made = sartor.convert(described(taken, shape), classes=2)
    assert [spec.modality for spec in made.manifest.inputs] == [modality]


def test_converting_again_describes_only_once(made: PersonalizableModel) -> None:
    again = sartor.convert(made.content, classes=2)
    assert metadata_of(again).subgraph_metadata == metadata_of(made).subgraph_metadata
    assert set(read(again.content).files) == {"about.txt", LABELS_FILE, MANIFEST_FILE}
    assert metadata_of(again).description == metadata_of(made).description


def test_damaged_metadata_is_named() -> None:
    model = read(described(PICTURE))
    model.metadata[METADATA_NAME] = b"\x10\0\0\0M001" + b"\xff" * 40
    with pytest.raises(InvalidModelError):
        sartor.convert(write(model), classes=2)


# --- the manifest -------------------------------------------------------------------------------


def test_any_unzip_shows_the_manifest(made: PersonalizableModel, tmp_path: Path) -> None:
    with zipfile.ZipFile(made.save(tmp_path / "made.tflite")) as archive:
        entry = archive.getinfo(MANIFEST_FILE)
        text = archive.read(MANIFEST_FILE)
    assert entry.compress_type == zipfile.ZIP_STORED
    assert text in made.content
    assert Manifest.from_json(text) == made.manifest
    assert json.loads(text)["classes"] == [*NAMES, None, None]


def test_each_byte_range_holds_the_value_a_variable_starts_with(made: PersonalizableModel) -> None:
    saved = session_of(made).save()
    assert set(saved) == {spec.name for spec in made.manifest.variables}
    for spec in made.manifest.variables:
        count = int(np.prod(spec.shape))
        value = np.frombuffer(made.content, "<f4", count, spec.offset)
        np.testing.assert_array_equal(value.reshape(spec.shape), saved[spec.name])


def test_no_byte_range_touches_another(made: PersonalizableModel) -> None:
    sizes = {spec.offset: 4 * int(np.prod(spec.shape)) for spec in made.manifest.variables}
    for start, following in pairwise(sorted(sizes)):
        assert start + sizes[start] <= following


def test_a_file_put_into_the_zip_later_moves_nothing(made: PersonalizableModel) -> None:
    stream = io.BytesIO(made.content)
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("note.txt", "of somebody else's")
    again = stream.getvalue()
    assert read(again).files["note.txt"] == b"of somebody else's"
    assert_keeps_the_contract(replace(made, content=again))


def test_the_manifest_says_what_the_file_was_made_of() -> None:
    made = sartor.convert(file(classifier), classes=2, optimizer=Adam(learning_rate=0.01), batch=7)
    manifest = made.manifest
    assert (manifest.batch, manifest.task, manifest.learning_rate) == (7, "classification", 0.01)
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
    "a batch of none": ("batch", 0, "batch must be an integer of 1 or more, got 0"),
    "a batch of words": ("batch", "six", "batch must be an integer of 1 or more, got 'six'"),
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
def test_a_manifest_that_cannot_be_is_refused_in_words(
    name: str, made: PersonalizableModel
) -> None:
    key, value, words = WRONG[name]
    fields = json.loads(made.manifest.to_json())
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
def test_a_variable_that_cannot_be_is_refused_in_words(
    name: str, made: PersonalizableModel
) -> None:
    key, value, words = VARIABLES[name]
    fields = json.loads(made.manifest.to_json())
    fields["variables"][0][key] = value
    with pytest.raises(NotPersonalizableError, match=words):
        Manifest.from_json(json.dumps(fields))


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"contract": NaN}', "[" * 100_000])
def test_text_that_is_no_manifest_is_refused(text: str) -> None:
    with pytest.raises(NotPersonalizableError, match=r"sartor\.json"):
        Manifest.from_json(text)


def test_keys_that_are_not_known_are_ignored(made: PersonalizableModel) -> None:
    fields = json.loads(made.manifest.to_json())
    fields["later"] = {"any": "thing"}
    fields["variables"][0]["later"] = 1
    assert Manifest.from_json(json.dumps(fields)) == made.manifest


def test_saving_replaces_a_file_whole_and_keeps_its_permissions(
    made: PersonalizableModel, tmp_path: Path
) -> None:
    path = tmp_path / "made.tflite"
    made.save(path)
    path.chmod(0o600)
    assert made.save(str(path)) == path
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    with pytest.raises(OSError, match="missing"):
        made.save(tmp_path / "missing" / "made.tflite")
