"""The features of samples stay in the store while tuned layers train, and may be deleted there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tuned_layers import CLASSES, add, convert, samples

from sartor import PersonalModel
from sartor.errors import DataError
from sartor.heads import FineTune
from sartor.litert import Engine
from sartor.runtime.data.batches import Batch
from sartor.runtime.data.dataset import training_dataset
from sartor.runtime.data.head_rows import head_rows
from sartor.runtime.results.records import Epoch
from sartor.runtime.store import SampleStore, StoredFeatures
from sartor.runtime.store.codec import FeatureCodec

MOST_ROWS = 32  # of features before the layers, in memory at once


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return convert(FineTune(2), tmp_path_factory.mktemp("tuned"))


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows by the number of rows of each decoding."""
    rows: list[int] = []
    decode = FeatureCodec.decode

    def note(codec: FeatureCodec, encoding: str, data: list[bytes]) -> list[np.ndarray]:
        result = decode(codec, encoding, data)
        rows.append(len(result[0]))
        return result

    monkeypatch.setattr(FeatureCodec, "decode", note)
    read = StoredFeatures.read

    def note_read(
        features: StoredFeatures, indices: np.ndarray
    ) -> tuple[list[np.ndarray], np.ndarray]:
        rows.append(len(indices))
        return read(features, indices)

    monkeypatch.setattr(StoredFeatures, "read", note_read)
    return rows


@pytest.mark.parametrize("store", [None, "samples.db"])
def test_the_features_of_a_batch_only_are_in_memory(
    file: Path, store: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = None if store is None else tmp_path / store
    with PersonalModel(file, store=path) as model:
        add(model, count=2 * MOST_ROWS + 2)
        rows = counted(monkeypatch)
        assert model.fit(depth="layers").depth == "layers"
        model.evaluate()
        assert len(rows) > 100
        assert max(rows) <= MOST_ROWS
        model.forget(1)
        assert max(rows) <= MOST_ROWS
    if path is not None:
        with PersonalModel(file, store=path) as model:  # imprints all classes
            assert len(model.samples) == 2 * MOST_ROWS + 1
            assert max(rows) <= MOST_ROWS


def deleting(path: Path, model: PersonalModel, ids: list[int]) -> Callable[[Epoch], None]:
    """Return a callback that deletes samples as another process, once the layers train."""

    def on_epoch(epoch: Epoch) -> None:
        if epoch.epoch == epoch.epochs - 2:
            with SampleStore(path, model.manifest) as store:
                kept = {sample.id for sample in store.samples()}
                store.forget(set(ids) & kept)

    return on_epoch


@pytest.mark.parametrize("count", [5, 24])
def test_a_training_goes_on_without_samples_that_another_process_deletes(
    file: Path, count: int, tmp_path: Path
) -> None:
    path = tmp_path / "samples.db"
    with PersonalModel(file, store=path) as model:
        add(model)
        head = len(model.fit(None, lambda _: None, depth="head").epochs)
        epochs = [1] * head
        on_delete = deleting(path, model, list(range(1, count + 1)))

        def on_epoch(epoch: Epoch) -> None:
            epochs.append(epoch.epoch)
            if epoch.epoch > head:
                on_delete(epoch)

        history = model.fit(None, on_epoch, depth="layers")
        assert history.depth == "layers"
        assert np.isfinite([each.loss for each in history.epochs]).all()
        values = model._state.engine.variables()
        assert all(np.isfinite(value).all() for value in values.values())
        assert len(model.samples) == 24 - count


def test_a_full_store_may_evict_samples_of_a_training(file: Path, tmp_path: Path) -> None:
    with PersonalModel(file, max_samples=24) as model:
        add(model)
        new = samples(40, seed=5)

        def on_epoch(_: Epoch) -> None:
            if new:
                model.add_sample(*new.pop())

        assert model.fit(None, on_epoch, depth="layers").depth == "layers"
        assert model.evaluate().samples == 24


def test_samples_that_are_deleted_before_the_training_starts(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All rows vanish after they were selected."""
    path = tmp_path / "samples.db"
    with PersonalModel(file, store=path) as model:
        add(model)

        def delete_and_compute(head: Engine, features: StoredFeatures) -> list[np.ndarray]:
            with SampleStore(path, model.manifest) as other:
                other.forget(sample.id for sample in other.samples())
            return head_rows(head, features)

        monkeypatch.setattr("sartor.runtime.training.layers.head_rows", delete_and_compute)
        with pytest.raises(DataError, match="all training samples were deleted"):
            model.fit()


def test_held_out_samples_that_are_deleted_before_the_training_starts(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "samples.db"
    with PersonalModel(file, store=path) as model:
        add(model)
        held_out = [model.add_sample(x, y, held_out=True) for x, y in samples(3, seed=8)]

        def compute_and_delete(head: Engine, features: StoredFeatures) -> list[np.ndarray]:
            result = head_rows(head, features)
            with SampleStore(path, model.manifest) as other:
                other.forget({each.id for each in other.samples()}.intersection(held_out))
            return result

        monkeypatch.setattr("sartor.runtime.training.layers.head_rows", compute_and_delete)
        with pytest.raises(DataError, match="all held-out samples were deleted"):
            model.fit(patience=2)


def test_damaged_features_end_the_training_with_the_head(file: Path, tmp_path: Path) -> None:
    path = tmp_path / "samples.db"
    with PersonalModel(file, store=path) as model:
        add(model)
        head = len(model.fit(None, lambda _: None, depth="head").epochs)

        def on_epoch(epoch: Epoch) -> None:
            if epoch.epoch == head + 1:
                database = model._samples.store._database
                with database.writing():
                    database.run("UPDATE features SET data = substr(data, 2) WHERE sample = 3")

        history = model.fit(None, on_epoch, depth="layers")
        assert history.depth == "head"
        (warning,) = (each for each in history.warnings if "tuned layers were not" in each)
        assert "the features of sample 3 have changed" in warning


def test_rows_keep_their_places_when_others_are_deleted_and_added(
    file: Path, tmp_path: Path
) -> None:
    path = tmp_path / "samples.db"
    with PersonalModel(file, store=path) as model, SampleStore(path, model.manifest) as other:
        rng = np.random.default_rng(1)
        spec = model.manifest.features[0]
        values = np.round(rng.normal(size=(3, 2, 1, *spec.shape)).astype(np.float32), 1)
        values = values.astype(np.float16).astype(np.float32)
        for row, label in zip(values, CLASSES, strict=True):
            model._samples.add_features([[each] for each in row], {label: 1.0})
        selected = model._samples.select(held_out=False)
        features, expected = selected.features, values.reshape(6, *spec.shape)
        assert isinstance(features, StoredFeatures)
        np.testing.assert_array_equal(features[0], expected)
        order = np.array([5, 0, 3, 3, 2])
        np.testing.assert_array_equal(features.read(order)[0][0], expected[order])
        np.testing.assert_array_equal(features.take(order)[0], expected[order])

        other.forget([2])
        other.add([[values[0, 0]]], {CLASSES[0]: 1.0})
        read, found = features.read(order)
        assert found.tolist() == [True, True, False, False, False]
        np.testing.assert_array_equal(read[0], expected[order] * found.reshape(-1, 1, 1, 1))
        np.testing.assert_array_equal(selected.present(), [True, True, False, False, True, True])
        dataset = training_dataset(model.manifest, selected, model._state.class_indices)
        inputs = Batch(model.manifest).labelled_inputs(dataset, np.array([2, 1]))
        assert inputs["sample_weights"][0] == 0 < inputs["sample_weights"][1]
        np.testing.assert_array_equal(inputs["features"][0], 0)
