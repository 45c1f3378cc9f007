"""A checkpoint is baked into a model file."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from blobs import LABELS, PROBE, add_samples, blobs
from checkpoint_files import rewrite

import sartor
from sartor import PersonalModel
from sartor.errors import CheckpointError, InvalidModelError, NotPersonalizableError
from sartor.runtime import Predictions, bake, read_checkpoint
from sartor.testing.verify import verify_contract

Convert = Callable[..., Path]


@pytest.fixture
def trained_model(tiny: Convert, tmp_path: Path) -> tuple[Path, Path, Predictions]:
    """Return a model, a checkpoint, and its predictions."""
    path = tiny()
    with PersonalModel(path) as model:
        add_samples(model).fit(epochs=20)
        checkpoint = model.save(tmp_path / "mine.safetensors")
        return path, checkpoint, model.predict(PROBE)


def test_a_baked_file_has_classes_and_can_be_trained(
    trained_model: tuple[Path, Path, Predictions], tmp_path: Path
) -> None:
    path, checkpoint, expected = trained_model
    output, notes = bake(path, checkpoint, tmp_path / "baked.tflite")
    assert notes == ()
    with PersonalModel(output) as model:
        assert model.classes == LABELS
        assert model.predict(PROBE) == expected
        history = add_samples(model).fit(epochs=100)
        assert history.epochs[-1].loss < history.epochs[0].loss
        assert model.evaluate(blobs(5)).accuracy == 1
        model.load(checkpoint)
        assert model.predict(PROBE) == expected


@pytest.mark.parametrize("is_baked", [True, False])
def test_a_training_does_not_bring_a_removed_class_of_the_file_back(
    trained_model: tuple[Path, Path, Predictions], tiny: Convert, tmp_path: Path, is_baked: bool
) -> None:
    path, checkpoint, _ = trained_model
    if is_baked:
        path, _ = bake(path, checkpoint, tmp_path / "baked.tflite")
    else:
        path = tiny("named", classes=LABELS)
    with PersonalModel(path) as model:
        model.remove_class("shoes")
        for sample, label in blobs(5):
            if label != "shoes":
                model.add_sample(sample, label)
        model.fit(epochs=20)
        predictions = model.predict(PROBE)
    assert {each.label for each in predictions} == {"hat", "dress"}
    assert sum(each.probability for each in predictions) == pytest.approx(1)


def test_only_variables_class_names_and_digest_change(
    trained_model: tuple[Path, Path, Predictions], tmp_path: Path
) -> None:
    path, checkpoint, _ = trained_model
    output, _ = bake(path, checkpoint, tmp_path / "baked.tflite")
    before, after = path.read_bytes(), output.read_bytes()
    with zipfile.ZipFile(io.BytesIO(before)) as archive:
        end = min(entry.header_offset for entry in archive.infolist())
    with PersonalModel(path) as model:
        variables = model.manifest.variables
    equal = np.frombuffer(before[:end], np.uint8) == np.frombuffer(after[:end], np.uint8)
    for spec in variables:
        equal[spec.offset : spec.offset + 4 * int(np.prod(spec.shape))] = True
    assert equal.all()
    with zipfile.ZipFile(io.BytesIO(before)) as old, zipfile.ZipFile(io.BytesIO(after)) as new:
        old_fields, new_fields = (json.loads(archive.read("sartor.json")) for archive in (old, new))
        assert new.read("labels.txt").decode().split("\n") == [*LABELS, "unused 3"]
    digest = hashlib.sha256(after[:end]).hexdigest()
    keys = list(read_checkpoint(checkpoint).class_keys)
    changes = {"classes": [*LABELS, None], "class_keys": keys, "digest": digest}
    assert new_fields == old_fields | changes


def test_a_baked_file_has_the_weight_decay_of_the_checkpoint(
    trained_model: tuple[Path, Path, Predictions], tmp_path: Path
) -> None:
    path, checkpoint, _ = trained_model
    rewrite(checkpoint, weight_decay=np.full(1, 0.25, np.float32))
    output, _ = bake(path, checkpoint, tmp_path / "baked.tflite")
    with PersonalModel(output) as model:
        saved = model.save(tmp_path / "saved.safetensors")
    assert read_checkpoint(saved).variables["weight_decay"].tolist() == [0.25]


def test_a_baked_file_can_be_a_base(
    trained_model: tuple[Path, Path, Predictions], tmp_path: Path
) -> None:
    path, checkpoint, expected = trained_model
    output, _ = bake(path, checkpoint, tmp_path / "baked.tflite")
    new_path = sartor.convert(output, classes=9).save(tmp_path / "new.tflite")
    with PersonalModel(new_path) as model:
        model.load(checkpoint)
        assert model.predict(PROBE) == expected


def test_a_file_can_be_baked_with_another_capacity(
    trained_model: tuple[Path, Path, Predictions], tiny: Convert, tmp_path: Path
) -> None:
    _, checkpoint, expected = trained_model
    larger, baked = tiny("larger", classes=6, optimizer=sartor.Adam()), tmp_path / "baked.tflite"
    _, notes = bake(larger, checkpoint, baked)
    assert "another optimizer" in notes[0]
    with PersonalModel(baked) as model:
        assert model.predict(PROBE) == expected
    report = verify_contract(baked)
    assert report.passed, report.failures


def test_files_that_do_not_match_are_refused(
    trained_model: tuple[Path, Path, Predictions],
    image_model: Convert,
    tiny_base: bytes,
    tmp_path: Path,
) -> None:
    path, checkpoint, _ = trained_model
    output = tmp_path / "baked.tflite"
    plain = tmp_path / "plain.tflite"
    plain.write_bytes(tiny_base)
    with pytest.raises(CheckpointError, match="another base"):
        bake(image_model("other"), checkpoint, output)
    with pytest.raises(NotPersonalizableError, match="sartor convert"):
        bake(plain, checkpoint, output)
    with pytest.raises(InvalidModelError):
        bake(checkpoint, checkpoint, output)
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        bake(path, path, output)
    assert not output.exists()
