"""None of these: known inputs are accepted, and what was never taught is mostly not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import sartor
from sartor.contract.manifest import Manifest
from sartor.errors import CheckpointError, DataError
from sartor.litert import Engine, open_model
from sartor.modalities import prepare
from sartor.runtime.confidence.out_of_distribution import OODDetector
from sartor.runtime.confidence.temperature import folds

F, C = 24, 6


def world(seed: int = 0, classes: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(classes, F))


def draw(centres: np.ndarray, each: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    slots = np.repeat(np.arange(len(centres)), each)
    noise = np.random.default_rng(seed).normal(size=(len(slots), F))
    return (centres[slots] + 0.6 * noise).astype(np.float32), slots


def outputs_of(features: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """What a head would say: [N, C], the last slot not active."""
    logits = features @ centres.T / 4
    powers = np.exp(logits - logits.max(1, keepdims=True))
    rows = np.zeros((len(features), C), np.float32)
    rows[:, : len(centres)] = powers / powers.sum(1, keepdims=True)
    return rows


def parts_of(slots: np.ndarray) -> np.ndarray:
    return folds(slots, np.arange(len(slots)), 5, np.random.default_rng(0))


def scores(model: OODDetector, features: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    pairs = zip(features, outputs, strict=True)
    return np.array([model.score([row[None]], output[None]) for row, output in pairs])


def fitted(each: int, *, trained: bool = True, seed: int = 1, recall: float = 0.95) -> OODDetector:
    features, slots = draw(world(), each, seed)
    outputs = outputs_of(features, world()) if trained else None
    model = OODDetector.fit([features], slots, parts_of(slots), outputs, recall=recall)
    assert model is not None
    return model


@pytest.mark.parametrize("trained", [True, False])
@pytest.mark.parametrize(("each", "near"), [(4, 0.04), (10, 0.02), (100, 0.02)])
def test_accepts_as_many_known_ones_as_was_asked(each: int, near: float, trained: bool) -> None:
    known: list[float] = []
    unknown: list[float] = []
    for seed in range(8):
        model = fitted(each, trained=trained, seed=seed)
        for kept, features in (
            (known, draw(world(), 40, 100 + seed)[0]),
            (unknown, draw(world(seed=9), 40, 200 + seed)[0]),
        ):
            told = scores(model, features, outputs_of(features, world()))
            kept.append((told >= model.threshold).mean())
    assert np.mean(known) == pytest.approx(0.95, abs=near)
    assert np.mean(unknown) < 0.2
    assert fitted(each, trained=trained, recall=0.99).threshold < fitted(each).threshold


def test_one_sample_a_class_still_tells_what_is_far_away() -> None:
    features, slots = draw(world(), 1, 1)
    model = OODDetector.fit([features], slots, parts_of(slots), outputs_of(features, world()))
    assert model is not None
    assert model.scale[3] == 0  # nothing was held out, so the head's certainty says nothing
    known, _ = draw(world(), 100, 2)
    assert (scores(model, known, outputs_of(known, world())) >= model.threshold).mean() > 0.9
    opposite = -world().mean(0, keepdims=True).astype(np.float32)
    assert model.score([opposite], outputs_of(opposite, world())) < model.threshold


def test_nothing_to_compare() -> None:
    features, slots = draw(world(classes=1), 1, 1)
    assert OODDetector.fit([features], slots, np.zeros(1, int)) is None
    pair, same = draw(world(classes=1), 2, 1)
    assert OODDetector.fit([pair], same, np.zeros(2, int)) is None
    assert OODDetector.fit([pair], same, np.array([0, 1])) is not None


def test_a_class_of_one_sample_among_others_is_not_held_against_the_rest() -> None:
    features, slots = draw(world(), 20, 1)
    kept = np.r_[0:81]  # the last class has one sample
    said = outputs_of(features, world())
    model = OODDetector.fit([features[kept]], slots[kept], parts_of(slots[kept]), said[kept])
    four = np.r_[0:80]
    without = OODDetector.fit(
        [features[four]], slots[four], parts_of(slots[kept])[four], said[four]
    )
    assert model is not None
    assert without is not None
    assert model.threshold == pytest.approx(without.threshold, rel=0.1)
    assert 4 in model.slots


@pytest.mark.parametrize("trained", [True, False])
def test_a_class_that_was_just_made_is_known_too(trained: bool) -> None:
    """Most of its samples are accepted, though it has one where the others have thirty."""
    known, before = [], []
    for seed in range(12):
        features, slots = draw(world(), 30, seed)
        said = outputs_of(features, world()) if trained else None
        old, one = slots < 4, np.flatnonzero(slots == 4)[:1]
        model = OODDetector.fit(
            [features[old]], slots[old], parts_of(slots)[old], None if said is None else said[old]
        )
        assert model is not None
        fresh, of = draw(world(), 30, 100 + seed)
        fresh = fresh[of == 4]
        told = outputs_of(fresh, world())
        before.append((scores(model, fresh, told) >= model.threshold).mean())
        model = model.including(4, [features[one]])
        known.append((scores(model, fresh, told) >= model.threshold).mean())
        again = model.including(4, [features[one]])
        assert len(again.prototypes) == len(model.prototypes)
    assert np.mean(before) < 0.3
    assert np.mean(known) > 0.75


def test_scores_do_not_depend_on_slots_or_the_size_of_features() -> None:
    features, slots = draw(world(), 8, 1)
    said, parts = outputs_of(features, world()), parts_of(slots)
    order = np.array([5, 2, 0, 3, 1, 4])  # slot of each class, with a gap at 4
    moved = np.empty_like(said)
    moved[:, order] = said
    one = OODDetector.fit([features], slots, parts, said)
    other = OODDetector.fit([100 * features], order[slots], parts, moved)
    assert one is not None
    assert other is not None
    fresh, _ = draw(world(), 10, 3)
    told = outputs_of(fresh, world())
    again = np.empty_like(told)
    again[:, order] = told
    assert scores(other, 100 * fresh, again) == pytest.approx(scores(one, fresh, told), abs=1e-4)
    assert other.threshold == pytest.approx(one.threshold, abs=1e-4)


def test_several_features_are_joined() -> None:
    features, slots = draw(world(), 8, 1)
    split = [features[:, :4].reshape(-1, 2, 2), features[:, 4:]]
    whole = OODDetector.fit([features], slots, parts_of(slots))
    parted = OODDetector.fit(split, slots, parts_of(slots))
    assert whole is not None
    assert parted is not None
    said = outputs_of(features, world())[:1]
    assert parted.score([each[:1] for each in split], said) == whole.score([features[:1]], said)


def test_one_class_of_two_samples_is_not_held_to_their_likeness() -> None:
    """Held out, both are as near to the other: their standard deviation is 0."""
    known, _ = draw(world(classes=1), 100, 99)
    said = np.ones((100, 1), np.float32)
    accepted = []
    for seed in range(12):
        features, slots = draw(world(classes=1), 2, seed)
        model = OODDetector.fit([features], slots, np.array([0, 1]), said[:2])
        assert model is not None
        assert model.scale[3] == 0  # of one class a head is always certain
        accepted.append((scores(model, known, said) >= model.threshold).mean())
        assert (scores(model, -known, said) < model.threshold).all()
    assert np.mean(accepted) > 0.75


def test_comes_back_from_a_checkpoint() -> None:
    model = fitted(10)
    again = OODDetector.from_arrays(model.to_arrays(), model.threshold, F)
    features, _ = draw(world(), 2, 5)
    said = outputs_of(features, world())
    assert scores(again, features, said) == pytest.approx(scores(model, features, said), abs=1e-5)
    assert all(array.dtype == np.float32 for array in model.to_arrays().values())


@pytest.mark.parametrize("name", ["ood/prototypes", "ood/class_indices", "ood/statistics"])
def test_a_damaged_checkpoint_is_refused(name: str) -> None:
    arrays = fitted(10).to_arrays()
    with pytest.raises(CheckpointError, match="damaged"):
        OODDetector.from_arrays({**arrays, name: arrays[name][:-1]}, 0.0, F)
    with pytest.raises(CheckpointError, match="damaged"):
        OODDetector.from_arrays(arrays, 0.0, F + 1)
    del arrays[name]
    with pytest.raises(CheckpointError, match="damaged"):
        OODDetector.from_arrays(arrays, 0.0, F)


def test_a_removed_class_leaves_nothing() -> None:
    model = fitted(10).without(2)
    assert model is not None
    assert 2 not in model.slots
    assert len(model.prototypes) == len(model.slots)
    for slot in (0, 1, 3):
        assert model is not None
        model = model.without(slot)
    assert model is not None
    assert model.without(4) is None


def test_a_sample_of_zeros_is_no_trouble() -> None:
    features, slots = draw(world(), 6, 1)
    features[3] = 0
    model = OODDetector.fit([features], slots, parts_of(slots))
    assert model is not None
    assert np.isfinite(model.score([features[3:4]], outputs_of(features, world())[3:4]))


def test_recall_is_a_part() -> None:
    with pytest.raises(DataError, match="between 0 and 1"):
        fitted(4, recall=1.0)


def embedded(engine: Engine, manifest: Manifest, paths: list[Path]) -> np.ndarray:
    rows = [engine.run("infer", prepare(manifest.inputs, path))["features"] for path in paths]
    return np.concatenate(rows)


def test_pictures_of_other_things_are_none_of_the_clothes(
    shared_models: Path, shared_data: Path, tmp_path: Path
) -> None:
    base = shared_models / "tf2_mobilenet_v2_1.0_224_ptq.tflite"
    file = sartor.convert(base, classes=4).save(tmp_path / "m.tflite")
    manifest = open_model(file)
    engine = Engine(file, manifest)
    names = ("hat", "shoes", "dress", "pants")

    def photos(split: str, count: int) -> tuple[np.ndarray, np.ndarray]:
        folder = shared_data / "clothing" / split
        rows = [embedded(engine, manifest, sorted((folder / n).iterdir())[:count]) for n in names]
        slots = [np.full(len(each), slot) for slot, each in enumerate(rows)]
        return np.concatenate(rows), np.concatenate(slots)

    features, slots = photos("train", 8)
    model = OODDetector.fit([features], slots, parts_of(slots))
    assert model is not None
    nothing = np.zeros((1, 4), np.float32)
    known, _ = photos("validation", 14)
    others = embedded(engine, manifest, sorted((shared_data / "imagenet_samples").iterdir())[::12])
    accepted = [
        np.mean([model.score([row[None]], nothing) >= model.threshold for row in rows])
        for rows in (known, others)
    ]
    assert accepted[0] > 0.85
    assert accepted[1] < 0.1
