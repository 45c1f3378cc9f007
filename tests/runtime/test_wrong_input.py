"""Invalid files and samples: each raises its own error, and nothing is lost."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from blobs import LABELS, PROBE, add_samples

from sartor import PersonalModel
from sartor.contract.names import RUN
from sartor.errors import DataError, InvalidModelError, NotPersonalizableError, SartorError
from sartor.flatbuffer import append_files, read
from sartor.litert import Engine, open_model

Convert = Callable[..., Path]


def test_files_that_are_not_models_are_refused(tmp_path: Path, tiny_base: bytes) -> None:
    path = tmp_path / "x.tflite"
    with pytest.raises(InvalidModelError, match="does not exist"):
        PersonalModel(path)
    with pytest.raises(InvalidModelError, match="directory"):
        PersonalModel(tmp_path)
    for content in (b"", b"hello", bytes(100), tiny_base[: len(tiny_base) // 2]):
        path.write_bytes(content)
        with pytest.raises(InvalidModelError, match=r"x\.tflite"):
            PersonalModel(path)
    path.write_bytes(tiny_base)
    with pytest.raises(NotPersonalizableError, match="sartor convert"):
        PersonalModel(path)


def test_a_truncated_personalizable_file_is_refused(tiny: Convert) -> None:
    path = tiny()
    content = path.read_bytes()
    for size in range(len(content) - 1, 0, -(len(content) // 20)):
        path.write_bytes(content[:size])
        with pytest.raises((InvalidModelError, NotPersonalizableError)):
            PersonalModel(path)


def test_a_flipped_bit_anywhere_in_the_model_is_detected(tiny: Convert) -> None:
    """Initial values are an exception, because `bake` changes them."""
    path = tiny()
    content = path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        end = min(entry.header_offset for entry in archive.infolist())
    variables = _read_manifest(path)["variables"]
    variable_bytes = {
        byte
        for each in variables
        for byte in range(each["offset"], each["offset"] + 4 * int(np.prod(each["shape"])))
    }
    for bit in np.random.default_rng(0).integers(0, 8 * end, 300).tolist():
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        if bit // 8 not in variable_bytes:
            with pytest.raises(InvalidModelError):
                PersonalModel(path)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"contract": 2}, "contract version 2"),
        ({"requires": ["teleport"]}, "teleport"),
        ({"batch_size": 9}, r"the inputs of 'train' are .* states"),
        ({"task": "regression"}, "regression"),
        ({"weights_per_output": True}, "weights_per_output is wrong for the task"),
        ({"task": "multi_label", "weights_per_output": True}, "the inputs of 'train'"),
        ({"classes": ["a"]}, "class_mask"),
        ({"variables": []}, "class_mask"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(
    tiny: Convert, fields: dict[str, object], message: str
) -> None:
    path = tiny()
    _write_manifest(path, _read_manifest(path) | fields)
    with pytest.raises(NotPersonalizableError, match=message):
        PersonalModel(path)


@pytest.mark.parametrize("change", [{"std": [0.0]}, {"mean": [1.0, 2.0]}, {"std": []}])
def test_an_invalid_image_description_is_refused(
    image_model: Convert, change: dict[str, object]
) -> None:
    path = image_model()
    fields = _read_manifest(path)
    fields["inputs"][0] |= change
    _write_manifest(path, fields)
    with pytest.raises(NotPersonalizableError, match="do not fit together"):
        PersonalModel(path)


def _read_manifest(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        fields: dict[str, Any] = json.loads(archive.read("sartor.json"))
    return fields


def _write_manifest(path: Path, fields: dict[str, Any]) -> None:
    content = path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        end = min(entry.header_offset for entry in archive.infolist())
    path.write_bytes(append_files(content[:end], {"sartor.json": json.dumps(fields).encode()}))


def test_more_classes_than_the_capacity_are_refused(tiny: Convert) -> None:
    with PersonalModel(tiny(classes=3)) as model:
        before = add_samples(model).predict(PROBE)
        with pytest.raises(
            DataError, match=r"no free class for 'sock'.*capacity is 3 classes.*--classes 4"
        ):
            model.add_sample(PROBE, "sock")
        with pytest.raises(DataError, match=r"'sock', 'tie'.*5 are needed"):
            model.check_capacity(["sock", "hat", "tie", "sock"])
        assert model.classes == LABELS
        assert model.predict(PROBE) == before
        assert len(model.samples) == 15


@pytest.mark.parametrize("label", ["", "  ", None, 3, b"hat"])
def test_labels_are_names(tiny: Convert, label: object) -> None:
    with PersonalModel(tiny()) as model, pytest.raises(DataError, match="name of a class"):
        model.add_sample(PROBE, label)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        (
            PROBE[0][:7],
            r"input takes a .npy or .csv file, or an array float32 \[1, 8\]; got float32 \[7\]",
        ),
        (np.zeros((1, 9), np.float32), r"got float32 \[1, 9\]"),
        (np.zeros((2, 8), np.float32), r"got float32 \[2, 8\]"),
        (np.zeros((1, 8), np.complex64), r"got complex64 \[1, 8\]"),
        (np.full((1, 8), np.nan), "not finite"),
        (np.full((1, 8), np.inf), "not finite"),
        (np.full((1, 8), 1e300), "not finite"),  # infinite as float32
        ([1.0] * 8, "got list"),
        (None, "got NoneType"),
        (b"\xff\xd8", "neither an array"),
        ({"other": PROBE}, "inputs are input; got other"),
        ({}, "inputs are input; got "),
    ],
)
def test_samples_that_do_not_fit_the_model_are_refused(
    tiny: Convert, sample: object, message: str
) -> None:
    with PersonalModel(tiny()) as model:
        with pytest.raises(DataError, match=message):
            model.add_sample(sample, "hat")  # type: ignore[arg-type]
        with pytest.raises(DataError, match=message):
            model.predict(sample)  # type: ignore[arg-type]
        assert model.classes == ()
        assert model.samples == ()


def test_samples_of_any_float_dtype_and_by_name(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        add_samples(model)
        expected = model.predict(PROBE)
        assert model.predict({"input": PROBE}) == expected
        assert model.predict(PROBE.astype(np.float64)) == expected
        assert model.predict(np.asfortranarray(PROBE)) == expected
        assert model.predict(PROBE[:, ::-1])[0].label in LABELS  # not contiguous


def test_the_engine_checks_inputs_before_it_calls_litert(tiny: Convert) -> None:
    path = tiny()
    engine = Engine(path, open_model(path))
    one = np.ones(1, np.float32)
    with pytest.raises(DataError, match="save takes run; got nothing"):
        engine.run("save", {})
    with pytest.raises(DataError, match=r"run must be float32 \[1\], got float32 \[2\]"):
        engine.run("save", {RUN: np.ones(2, np.float32)})
    with pytest.raises(DataError, match="got float64"):
        engine.run("save", {RUN: np.ones(1)})
    with pytest.raises(DataError, match="save takes run; got run, x"):
        engine.run("save", {RUN: one, "x": one})
    state = engine.variables()
    with pytest.raises(DataError, match="head/bias"):
        engine.restore({**state, "head/bias": np.zeros(3, np.float32)})
    engine.restore({**state, "head/bias": np.ones(4, np.float32)})
    assert not engine.initial_variables()["head/bias"].any()
    assert engine.variables()["head/bias"].all()
    engine.close()
    with pytest.raises(SartorError, match="closed"):
        engine.variables()


def test_an_error_of_litert_is_an_error_of_sartor(tiny: Convert) -> None:
    """The manifest is valid, the file is no longer a model."""
    path = tiny()
    manifest = open_model(path)
    path.write_bytes(b"x" * 1000)
    with pytest.raises(InvalidModelError, match="LiteRT cannot load"):
        Engine(path, manifest)


def test_litert_writes_no_log_messages(tiny: Convert, capfd: pytest.CaptureFixture[str]) -> None:
    with PersonalModel(tiny()) as model:
        add_samples(model).fit(1)
    assert capfd.readouterr().err == ""


def test_the_file_is_not_changed(tiny: Convert) -> None:
    path = tiny()
    before = path.read_bytes()
    with PersonalModel(path) as model:
        add_samples(model).fit(1)
    assert path.read_bytes() == before
    assert read(path).signature("train") is not None


def test_an_output_that_is_not_finite_is_refused(tiny: Convert) -> None:
    """The numbers are finite, but their products are not."""
    with PersonalModel(tiny()) as model:
        add_samples(model)
        huge = np.where(np.arange(8) % 2, 3e38, -3e38).astype(np.float32)[np.newaxis]
        with pytest.raises(DataError, match="output has values that are not finite"):
            model.predict(huge)
        assert model.predict(PROBE).best is not None
