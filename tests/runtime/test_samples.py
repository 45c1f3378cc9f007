"""Samples of a model: duplicates, held-out samples, augmentations, forgetting, stores."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from blobs import LABELS, PROBE, add_samples, blobs

from sartor import PersonalModel
from sartor.errors import DataError, StoreError
from sartor.runtime import read_checkpoint

Convert = Callable[..., Path]
NEW = np.full((1, 8), 5, np.float32)


def test_a_sample_is_not_added_twice(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        first = model.add_sample(PROBE, "hat")
        assert model.add_sample(PROBE.copy(), "hat") == first
        assert len(model.samples) == 1
        with pytest.raises(DataError, match=rf"number {first}.*hat 1.*forget it first"):
            model.add_sample(PROBE, "shoes")
        assert list(model.classes) == ["hat"]
        sample = model.find(PROBE)
        assert sample is not None
        assert (sample.id, sample.label, sample.held_out) == (first, "hat", False)
        assert model.find(NEW) is None


def test_a_source_name_identifies_a_sample(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        first = model.add_sample(PROBE, "hat", source="photo 7")
        assert model.add_sample(NEW, "hat", source="photo 7") == first
        assert model.add_sample(PROBE, "hat", source="photo 8") != first
        sample = model.find(NEW, source="photo 7")
        assert sample is not None
        assert sample.id == first


def test_the_content_of_a_file_identifies_a_sample(image_model: Convert, tmp_path: Path) -> None:
    image = PIL.Image.effect_noise((30, 30), 90).convert("RGB")
    for name in ("a.png", "b.png"):
        image.save(tmp_path / name)
    with PersonalModel(image_model()) as model:
        first = model.add_sample(tmp_path / "a.png", "hat")
        assert model.add_sample(tmp_path / "b.png", "hat") == first


def test_held_out_samples_measure_and_do_not_train(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        add_samples(model)
        for sample, label in blobs(4, seed=3):
            model.add_sample(sample, label, held_out=True)
        assert model.fit().samples == 15
        assert model.evaluate().samples == 12


def test_augmentations_count_as_one_sample(image_model: Convert) -> None:
    images = [np.full((20, 20, 3), (30 + i, 200 * (i % 2), 90), np.uint8) for i in range(6)]
    with PersonalModel(image_model()) as model:
        for index, image in enumerate(images):
            model.add_sample(image, LABELS[index % 2], augment=index)
        assert [sample.rows for sample in model.samples] == [1, 2, 3, 4, 5, 6]
        assert model.fit().samples == 6
        assert model.evaluate().samples == 6
        assert model.evaluate().accuracy == 1


def test_augmenting_a_tensor_is_refused(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        with pytest.raises(DataError, match="only images can be augmented"):
            model.add_sample(PROBE, "hat", augment=2)
        assert model.samples == ()


def test_a_store_outlives_the_process(tiny: Convert, tmp_path: Path) -> None:
    path, store = tiny(), tmp_path / "mine.samples"
    with PersonalModel(path, store=store) as model:
        add_samples(model).fit(seed=3)
        expected = model.predict(PROBE)
    with PersonalModel(path, store=store) as model:
        assert model.classes == LABELS  # imprinted from the samples
        assert len(model.samples) == 15
        model.fit(seed=3)
        assert model.predict(PROBE) == expected


def test_a_store_can_have_more_classes_than_a_checkpoint(tiny: Convert, tmp_path: Path) -> None:
    """An app was killed between adding a sample and saving."""
    path, store = tiny(), tmp_path / "mine.samples"
    with PersonalModel(path, store=store) as model:
        add_samples(model).fit()
        model.save(tmp_path / "mine.safetensors")
        model.add_sample(NEW, "sock")
    with PersonalModel(path, store=store) as model:
        model.load(tmp_path / "mine.safetensors")
        assert list(model.classes) == [*LABELS, "sock"]
        assert model.predict(NEW)[0].label == "sock"


def test_training_after_forgetting_equals_training_without_the_sample(tiny: Convert) -> None:
    path = tiny()
    with PersonalModel(path) as model, PersonalModel(path) as reference:
        add_samples(reference).fit()
        extra = []
        for sample, label in blobs(2, seed=8):
            extra.append(model.add_sample(sample, label))
        add_samples(model).fit()
        model.forget(*extra)
        model.fit()
        assert model.predict(PROBE) == reference.predict(PROBE)


def test_forgetting_the_last_sample_removes_the_class(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        add_samples(model)
        number = model.add_sample(NEW, "sock")
        model.fit()
        model.forget(number)
        assert list(model.classes) == [*LABELS]
        assert not model._state.engine.variables()["head/weights"][3].any()
        model.add_sample(PROBE, "tie")
        assert list(model.classes) == [*LABELS, "tie"]


def test_no_file_contains_a_forgotten_sample(tiny: Convert, tmp_path: Path) -> None:
    """Neither its features nor their direction, which imprinted weights have, remain."""
    store, checkpoint = tmp_path / "mine.samples", tmp_path / "mine.safetensors"
    path, log = tiny(), Path(f"{store}-wal")
    for fit in (False, True):
        with PersonalModel(path, store=store) as model:
            features = [model._state.features({"input": sample})[0][0] for sample in (PROBE, NEW)]
            numbers = [model.add_sample(NEW, "sock"), model.add_sample(PROBE, "hat")]
            model.save(checkpoint)
            # the check can fail
            assert all(_contains_features(each, store, log) for each in features)
            assert any(_has_direction(each, checkpoint) for each in features)
            add_samples(model)
            model.add_sample(NEW * np.array([1, 1, 1, 1, 0, 0, 0, 0], np.float32), "sock")
            if fit:
                model.fit()
            model.save(checkpoint)
            model.forget(*numbers)
            if fit:
                model.fit()
            model.save(checkpoint)
            assert set(model.classes) == {*LABELS, "sock"}
            assert not any(_contains_features(each, store, log, checkpoint) for each in features)
            assert not any(_has_direction(each, checkpoint) for each in features)
            model.forget(*(sample.id for sample in model.samples))


def _contains_features(features: np.ndarray, *files: Path) -> bool:
    content = b"".join(file.read_bytes() for file in files if file.exists())
    encodings = (features, features.astype(np.float16), features / np.linalg.norm(features))
    return any(array[:6].tobytes() in content for array in encodings)


def _has_direction(features: np.ndarray, checkpoint: Path) -> bool:
    """Return whether weights or prototypes of a checkpoint have the direction of the features."""
    state = read_checkpoint(checkpoint)
    rows = [state.variables["head/weights"], *state.ood.values()]
    rows = [each for each in rows if each.shape[-1] == len(features) and each.ndim == 2]
    lengths = [np.linalg.norm(each, axis=1) + 1e-30 for each in rows]
    cosines = [each @ features / size for each, size in zip(rows, lengths, strict=True)]
    return bool(max(map(np.max, cosines)) > (1 - 1e-6) * np.linalg.norm(features))


def test_forgetting_an_unknown_sample_is_refused(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        add_samples(model)
        with pytest.raises(DataError, match="999"):
            model.forget(model.samples[0].id, 999)
        assert len(model.samples) == 15


def test_removing_a_class_frees_its_index(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        add_samples(model).fit()
        model.remove_class("shoes")
        assert list(model.classes) == ["hat", "dress"]
        assert {sample.label for sample in model.samples} == {"hat", "dress"}
        assert {each.label for each in model.predict(PROBE)} == {"hat", "dress"}
        model.add_sample(NEW, "sock")
        assert list(model.classes) == ["hat", "sock", "dress"]
        with pytest.raises(DataError, match="no class 'shoes'"):
            model.remove_class("shoes")


def test_renaming_a_class_changes_only_its_name(tiny: Convert, tmp_path: Path) -> None:
    with PersonalModel(tiny()) as model:
        add_samples(model).fit()
        before = model.predict_values(PROBE)
        model.rename_class("hat", "Hut")
        assert list(model.classes) == ["Hut", "shoes", "dress"]
        assert list(model.predict_values(PROBE).values()) == list(before.values())
        assert model.samples[0].label == "Hut"
        model.save(tmp_path / "mine.safetensors")
        model.load(tmp_path / "mine.safetensors")
        assert list(model.classes) == ["Hut", "shoes", "dress"]
        for old, new, message in (
            ("hat", "cap", "no class 'hat'"),
            ("Hut", "shoes", "'shoes' already"),
            ("Hut", " ", "name of a class"),
        ):
            with pytest.raises(DataError, match=message):
                model.rename_class(old, new)


def test_a_store_of_another_base_is_refused(
    tiny: Convert, image_model: Convert, tmp_path: Path
) -> None:
    store = tmp_path / "mine.samples"
    with PersonalModel(tiny(), store=store) as model:
        add_samples(model)
    with pytest.raises(StoreError, match="another base"):
        PersonalModel(image_model("other"), store=store)


def test_a_store_with_too_many_classes_is_refused(tiny: Convert, tmp_path: Path) -> None:
    store = tmp_path / "mine.samples"
    with PersonalModel(tiny(), store=store) as model:
        add_samples(model)
    with pytest.raises(DataError, match="no free class for 'hat', 'shoes', 'dress'"):
        PersonalModel(tiny("small", classes=2), store=store)


def test_refused_samples_change_nothing(tiny: Convert, tmp_path: Path) -> None:
    """Samples that do not fit the model are not stored."""
    store = tmp_path / "mine.samples"
    with PersonalModel(tiny(), store=store) as model:
        add_samples(model, 1)
        for sample, label in ((np.full((1, 8), np.nan), "hat"), (PROBE[:, 1:], "hat"), (PROBE, "")):
            with pytest.raises(DataError):
                model.add_sample(sample, label)
        assert len(model.samples) == 3
