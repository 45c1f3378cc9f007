"""Manifest and byte ranges of a converted file."""

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
from metadata_base import NAMES

import sartor
from sartor import PersonalizableModel
from sartor.contract.manifest import Manifest
from sartor.contract.names import MANIFEST_FILE
from sartor.errors import NotPersonalizableError
from sartor.flatbuffer import read
from sartor.optimizers import Adam


def test_manifest_is_a_stored_zip_entry(conversion: PersonalizableModel, tmp_path: Path) -> None:
    with zipfile.ZipFile(conversion.save(tmp_path / "conversion.tflite")) as archive:
        entry = archive.getinfo(MANIFEST_FILE)
        text = archive.read(MANIFEST_FILE)
    assert entry.compress_type == zipfile.ZIP_STORED
    assert text in conversion.content
    assert Manifest.from_json(text) == conversion.manifest
    assert json.loads(text)["classes"] == [*NAMES, None, None]


def test_byte_ranges_contain_the_initial_values(conversion: PersonalizableModel) -> None:
    variables = session_of(conversion).save()
    assert set(variables) == {spec.name for spec in conversion.manifest.variables}
    for spec in conversion.manifest.variables:
        count = int(np.prod(spec.shape))
        value = np.frombuffer(conversion.content, "<f4", count, spec.offset)
        np.testing.assert_array_equal(value.reshape(spec.shape), variables[spec.name])


def test_byte_ranges_do_not_overlap(conversion: PersonalizableModel) -> None:
    sizes = {spec.offset: 4 * int(np.prod(spec.shape)) for spec in conversion.manifest.variables}
    for start, following in pairwise(sorted(sizes)):
        assert start + sizes[start] <= following


def test_adding_a_file_to_the_zip_moves_nothing(conversion: PersonalizableModel) -> None:
    stream = io.BytesIO(conversion.content)
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("note.txt", "of somebody else's")
    content = stream.getvalue()
    assert read(content).files["note.txt"] == b"of somebody else's"
    assert_keeps_the_contract(replace(conversion, content=content))


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
    parameter_names = {spec.name: spec.parameter for spec in manifest.variables}
    assert parameter_names["optimizer/v/head/bias"] == "head/bias"


WRONG: dict[str, tuple[str, object, str]] = {
    "another version": ("contract", 2, "contract version 2; this Sartor supports version 1"),
    "an unknown requirement": ("requires", ["magic"], "needs contract version 1, magic"),
    "no inputs": ("inputs", [], "inputs is empty"),
    "no features": ("features", [], "features is empty"),
    "no classes": ("classes", [], "classes is empty"),
    "no variables": ("variables", [], "no variable 'class_mask'"),
    "an empty batch": ("batch_size", 0, "batch_size must be an integer of 1 or more, got 0"),
    "a batch size in words": (
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
    "a head that is a string": ("head", "softmax", "head must be an object"),
    "fewer classes than the mask": ("classes", ["a"], "no variable 'class_mask' of shape .1."),
}


@pytest.mark.parametrize("name", WRONG)
def test_invalid_manifests_raise_an_error(name: str, conversion: PersonalizableModel) -> None:
    key, value, message = WRONG[name]
    fields = json.loads(conversion.manifest.to_json())
    with pytest.raises(NotPersonalizableError, match=message):
        Manifest.from_json(json.dumps({**fields, key: value}))


VARIABLES: dict[str, tuple[str, object, str]] = {
    "an axis of another size": ("class_axis", 1, "has no class axis 1"),
    "a missing axis": ("class_axis", 7, "has no class axis 7"),
    "a negative axis": ("class_axis", -1, "class_axis must be an integer of 0 or more"),
    "optimizer state of a missing parameter": (
        "parameter",
        "head/none",
        "belongs to 'head/none', which does not exist",
    ),
    "a duplicate name": ("name", "head/bias", "two of the variables have the same name"),
    "an offset before the file": ("offset", -4, "offset must be an integer of 0 or more"),
    "a shape without elements": ("shape", [0], "shape must be a list of positive sizes"),
}


@pytest.mark.parametrize("name", VARIABLES)
def test_invalid_variables_raise_an_error(name: str, conversion: PersonalizableModel) -> None:
    key, value, message = VARIABLES[name]
    fields = json.loads(conversion.manifest.to_json())
    fields["variables"][0][key] = value
    with pytest.raises(NotPersonalizableError, match=message):
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
