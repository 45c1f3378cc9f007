"""Descriptions of personalizable and frozen files, checkpoints, stores and projects."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

import sartor
from sartor import PersonalModel
from sartor.errors import (
    CheckpointError,
    DataError,
    InvalidModelError,
    NotPersonalizableError,
    SartorError,
    StoreError,
)
from sartor.inspection import (
    CheckpointDescription,
    ModelDescription,
    ProjectDescription,
    StoreDescription,
)
from sartor.runtime import read_checkpoint
from sartor.runtime.store import SampleStore
from sartor.runtime.store.summary import StoreSummary, summarize

Convert = Callable[..., Path]


@pytest.fixture
def model(tiny: Convert) -> Path:
    return tiny(classes=["hat", "shoes"], capacity=4)


@pytest.fixture
def user(model: Path, tmp_path: Path) -> tuple[Path, Path, Path]:
    """Return a checkpoint, a store and a project with two trained classes."""
    checkpoint, store, project = (
        tmp_path / f"mine.{end}" for end in ("safetensors", "samples", "sartor")
    )
    rng = np.random.default_rng(0)
    with PersonalModel(model, store=store) as personal:
        for index in range(8):
            label = ("hat", "shoes", "shoes")[index % 3]
            sample = rng.normal(size=(1, 8)) + 3 * (label == "hat")
            personal.add_sample(sample.astype(np.float32), label)
        personal.fit(epochs=3)
        personal.save(checkpoint)
        personal.export_project(project)
    return checkpoint, store, project


def describe_as(path: Path, description_class: type) -> ModelDescription:
    description = sartor.describe(path)
    assert isinstance(description, description_class)
    return description  # type: ignore[return-value]


def test_a_personalizable_file(model: Path, tiny_base: bytes, tmp_path: Path) -> None:
    base = tmp_path / "base.tflite"
    base.write_bytes(tiny_base)
    base_description, description = (
        describe_as(base, ModelDescription),
        describe_as(model, ModelDescription),
    )
    assert (base_description.kind, description.kind) == ("model", "personalizable model")
    assert description.manifest is not None
    assert description.manifest.classes == ("hat", "shoes", None, None)
    assert {each.key for each in description.signatures} == set(description.manifest.signatures())
    names = {spec.name: spec.shape for spec in description.manifest.variables}
    assert {each.name: each.shape for each in description.variables} == names
    assert all("restore" in each.written_by for each in description.variables)
    (default,) = (cut for cut in base_description.cuts if cut.is_default)
    first = description.cuts[0]
    assert first.is_default
    assert first.features == ("features",)
    assert (first.bytes_per_sample, first.parameters_after) == (default.bytes_per_sample, 0)
    assert [each.parameters for each in description.layers] == [16 * 8 + 16], (
        "without the classifier"
    )
    for cut in description.cuts:
        second = sartor.convert(model, classes=3, features=cut.features)
        assert second.manifest.features[0].shape[-1] == cut.tensors[0].shape[-1]


def test_quantized_features_take_one_byte_in_a_personalizable_file(
    shared_models: Path, tmp_path: Path
) -> None:
    base = shared_models / "vww_96_int8.tflite"
    path = sartor.convert(base, classes=2, normalize=False).save(tmp_path / "model.tflite")
    base_description, description = (
        describe_as(base, ModelDescription),
        describe_as(path, ModelDescription),
    )
    (default,) = (cut for cut in base_description.cuts if cut.is_default)
    assert description.cuts[0].is_default
    assert description.cuts[0].bytes_per_sample == default.bytes_per_sample == 256
    assert description.quantization == base_description.quantization
    assert description.cuts[-1].bytes_per_sample == base_description.cuts[-1].bytes_per_sample


def test_a_frozen_file(model: Path, user: tuple[Path, ...], tmp_path: Path) -> None:
    checkpoint, *_ = user
    frozen = sartor.freeze(model, tmp_path / "frozen.tflite", checkpoint).path
    description = describe_as(frozen, ModelDescription)
    assert (description.kind, description.manifest, description.variables) == ("model", None, ())
    assert sum(each.op == "FULLY_CONNECTED" for each in description.layers) == 2
    assert description.multiply_adds == 8 * 16 + 16 * 2


def test_a_checkpoint(user: tuple[Path, ...], model: Path) -> None:
    description = sartor.describe(user[0])
    assert isinstance(description, CheckpointDescription)
    assert (description.kind, description.bytes) == ("checkpoint", user[0].stat().st_size)
    assert (description.classes, description.capacity, description.samples_seen) == (
        ("hat", "shoes"),
        4,
        8,
    )
    manifest = describe_as(model, ModelDescription).manifest
    assert manifest is not None
    assert description.fingerprints == manifest.fingerprints
    checkpoint = read_checkpoint(user[0])
    assert description.ood_threshold == checkpoint.ood_threshold
    assert len(description.tensors) == len(
        {**checkpoint.variables, **checkpoint.ood, **checkpoint.app}
    )
    shapes = {each.name: each.shape for each in description.tensors}
    assert {v.name: v.shape for v in manifest.variables}.items() <= shapes.items()


def test_a_store(model: Path, tmp_path: Path) -> None:
    manifest = describe_as(model, ModelDescription).manifest
    assert manifest is not None
    path = tmp_path / "some.samples"
    with SampleStore(path, manifest) as store:
        features = [np.ones((1, 16), np.float32)]
        store.add([features], {"hat": 1.0}, thumbnail=b"small")
        store.add([features, features], {"shoes": 1.0}, photo=b"a large photo", thumbnail=b"small")
        store.add([features], {"shoes": 1.0}, held_out=True)
        open_summary = summarize(path)
    description = sartor.describe(path)
    assert isinstance(description, StoreDescription)
    assert (description.kind, description.bytes) == ("samples", path.stat().st_size)
    assert description.store == open_summary
    assert description.store == StoreSummary(
        version=4, base=manifest.fingerprints.base, samples=3, held_out=1, rows=4,
        classes={"hat": 1, "shoes": 2}, feature_bytes=4 * 16 * 2, photos=1, thumbnails=2,
        image_bytes=23,
    )  # fmt: skip


def test_describing_does_not_change_a_store(user: tuple[Path, ...]) -> None:
    store = user[1]
    os.utime(store, (1, 1))
    before = store.read_bytes(), sorted(store.parent.iterdir())
    assert sartor.describe(store).kind == "samples"
    assert (store.read_bytes(), sorted(store.parent.iterdir())) == before
    assert store.stat().st_mtime == 1


def test_a_store_of_a_killed_process_includes_its_log(
    user: tuple[Path, ...], tmp_path: Path
) -> None:
    """The commits of a killed process are in the log and stay there."""
    with closing(sqlite3.connect(user[1], isolation_level=None)) as connection:
        connection.execute("DELETE FROM target WHERE sample = 1")
        connection.execute("DELETE FROM sample WHERE id = 1")
        copy = tmp_path / "killed" / "mine.samples"
        copy.parent.mkdir()
        for end in ("", "-wal"):
            shutil.copy(f"{user[1]}{end}", f"{copy}{end}")
    log = copy.with_name("mine.samples-wal")
    before = copy.read_bytes(), log.read_bytes()
    assert summarize(copy).samples == 7
    assert (copy.read_bytes(), log.read_bytes()) == before


def test_a_project(user: tuple[Path, ...], model: Path) -> None:
    _, store, project = user
    description = sartor.describe(project)
    assert isinstance(description, ProjectDescription)
    assert (description.kind, description.bytes) == ("project", project.stat().st_size)
    assert description.model == sartor.describe(model)
    assert description.checkpoint.classes == ("hat", "shoes")
    store_description = sartor.describe(store)
    assert isinstance(store_description, StoreDescription)
    assert description.samples.store == store_description.store


def cut_off(path: Path, size: int) -> Path:
    short = path.with_name(f"cut-{path.name}")
    short.write_bytes(path.read_bytes()[:size])
    return short


@pytest.mark.parametrize("part", [0.2, 0.6, 0.99])
def test_damaged_files_raise_the_error_of_their_type(
    user: tuple[Path, ...], model: Path, part: float
) -> None:
    errors: tuple[type[SartorError], ...] = (
        CheckpointError,
        StoreError,
        DataError,
        InvalidModelError,
    )
    for path, error in zip((*user, model), errors, strict=True):
        short = cut_off(path, int(path.stat().st_size * part))
        with pytest.raises(error, match=f"cut-{path.name}"):
            sartor.describe(short)


def test_other_files_are_refused(tmp_path: Path, user: tuple[Path, ...], model: Path) -> None:
    empty, other = tmp_path / "empty", tmp_path / "other"
    empty.touch()
    with pytest.raises(InvalidModelError, match="empty"):
        sartor.describe(empty)
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE t (x)")
    with pytest.raises(StoreError, match="not a sample store"):
        sartor.describe(other)
    with pytest.raises(FileNotFoundError):
        sartor.describe(tmp_path / "nothing")
    with pytest.raises(IsADirectoryError):
        sartor.describe(tmp_path)
    content = model.read_bytes().replace(b'"contract"', b'"kontract"')
    other.write_bytes(content)
    with pytest.raises((NotPersonalizableError, InvalidModelError), match="other"):
        sartor.describe(other)


def test_overwritten_pages_of_a_store_are_detected(user: tuple[Path, ...]) -> None:
    store = user[1]
    content = bytearray(store.read_bytes())
    content[8192 * 2 : 8192 * 2 + 200] = bytes(200)
    store.write_bytes(content)
    with pytest.raises(StoreError, match="is damaged"):
        sartor.describe(store)
