"""Every sample imprints its class at once, until the class is trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from blobs import LABELS, blobs

import sartor
from sartor import PersonalModel
from sartor.errors import TrainingError
from sartor.heads import MLP, CosineClassifier, MultiLabelClassifier, SoftmaxClassifier
from sartor.runtime.store import SampleStore

Convert = Callable[..., Path]
Samples = list[tuple[np.ndarray, str]]


def samples(count: int, *, seed: int = 1, spread: float = 1.0) -> Samples:
    return list(blobs(count, seed=seed, spread=spread))


TESTS = [sample for sample, _ in samples(3, seed=9, spread=3)]
HEADS = [SoftmaxClassifier(), CosineClassifier(), MLP(hidden=(6,)), MultiLabelClassifier()]


def add(model: PersonalModel, samples: Samples) -> None:
    for sample, label in samples:
        model.add_sample(sample, label)


def outputs(model: PersonalModel) -> list[list[float]]:
    values = [model.predict_values(sample) for sample in TESTS]
    return [[each[label] for label in sorted(each)] for each in values]


def check_equal(model: PersonalModel, other: PersonalModel) -> None:
    assert sorted(model.classes) == sorted(other.classes)
    np.testing.assert_allclose(outputs(model), outputs(other), rtol=2e-3, atol=1e-5)


@pytest.mark.parametrize("head", HEADS, ids=lambda head: head.name)
def test_a_model_equals_a_model_that_opens_its_store(
    tiny: Convert, tmp_path: Path, head: SoftmaxClassifier
) -> None:
    path, store = tiny(head=head), tmp_path / "mine.samples"
    with PersonalModel(path, store=store) as model:
        add(model, samples(1))
        outputs(model)  # imprints the classes
        for each in reversed(samples(6, seed=2, spread=3)):
            add(model, [each])
            outputs(model)
        with PersonalModel(path, store=store) as other:
            check_equal(model, other)


def test_samples_raise_the_accuracy_at_once(tiny: Convert) -> None:
    tests = samples(100, seed=3, spread=3)
    with PersonalModel(tiny()) as model:
        add(model, samples(1, spread=3))
        first = model.evaluate(tests).accuracy
        add(model, samples(20, seed=2, spread=3))
        assert model.evaluate(tests).accuracy > first + 0.05


def test_the_order_of_new_classes_beside_trained_ones_has_no_effect(tiny: Convert) -> None:
    path = tiny(classes=5)
    new = [(5 * np.eye(8, dtype=np.float32)[[index]], str(index)) for index in (6, 7)]
    with PersonalModel(path) as model, PersonalModel(path) as other:
        for each, order in ((model, new), (other, new[::-1])):
            add(each, samples(5))
            each.fit(epochs=5)
            for sample in order:
                add(each, [sample])
                outputs(each)
        check_equal(model, other)


def test_a_class_of_a_checkpoint_is_imprinted_from_later_samples(
    tiny: Convert, tmp_path: Path
) -> None:
    path, store, checkpoint = tiny(), tmp_path / "mine.samples", tmp_path / "mine.safetensors"
    new = [(sample * 2 + 1, "sock") for sample, _ in samples(2, seed=4)]
    with PersonalModel(path, store=store) as model, PersonalModel(path) as other:
        for each in (model, other):
            add(each, samples(5))
            each.fit(epochs=5)
            add(each, new[:2])
        model.save(checkpoint)
        add(other, new[2:])
        model.load(checkpoint)
        add(model, new[2:])
        check_equal(model, other)


def test_a_sample_does_not_replace_a_loaded_class_whose_samples_are_elsewhere(
    tiny: Convert, tmp_path: Path
) -> None:
    path, checkpoint = tiny(), tmp_path / "mine.safetensors"
    with PersonalModel(path) as model:
        add(model, samples(5))
        model.save(checkpoint)
        expected = outputs(model)
    with PersonalModel(path) as model:
        model.load(checkpoint)
        add(model, [(TESTS[0], "hat"), (TESTS[1], "hat")])
        assert outputs(model) == expected


def test_trained_classes_do_not_change_before_the_next_training(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        add(model, samples(3))
        model.fit(epochs=3)
        expected = outputs(model)
        add(model, samples(3, seed=5))
        assert outputs(model) == expected


def test_classes_are_still_imprinted_after_a_training_that_failed(tiny: Convert) -> None:
    path = tiny(optimizer=sartor.SGD())
    with PersonalModel(path) as model, PersonalModel(path) as other:
        add(model, samples(3, spread=3))
        with pytest.raises(TrainingError):
            model.fit(50, learning_rate=1e38)
        add(model, samples(3, seed=5, spread=3))
        add(other, [*samples(3, spread=3), *samples(3, seed=5, spread=3)])
        check_equal(model, other)


def test_forgotten_samples_leave_the_mean(tiny: Convert) -> None:
    path = tiny()
    with PersonalModel(path) as model, PersonalModel(path) as other:
        add(model, samples(3))
        add(other, samples(3))
        numbers = [model.add_sample(sample * 3, label) for sample, label in samples(2, seed=6)]
        outputs(model)
        model.forget(*numbers)
        check_equal(model, other)


def test_held_out_samples_do_not_imprint(tiny: Convert) -> None:
    path = tiny()
    with PersonalModel(path) as model, PersonalModel(path) as other:
        add(model, samples(3))
        add(other, samples(3))
        for sample, label in samples(2, seed=6):
            model.add_sample(sample * 3, label, held_out=True)
        check_equal(model, other)


def test_forgetting_all_but_a_held_out_sample_clears_the_weights(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        add(model, samples(2))
        number = model.add_sample(TESTS[0], "sock")
        model.add_sample(TESTS[1], "sock", held_out=True)
        model.forget(number)
        assert model.classes == (*LABELS, "sock")
        assert not model._state.engine.variables()["head/weights"][3].any()


def test_later_samples_do_not_read_the_store(
    tiny: Convert, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PersonalModel(tiny()) as model:
        add(model, samples(1))

        def refuse(*_: object, **__: object) -> None:
            raise AssertionError("the store was read")

        for name in ("select", "samples", "counts"):
            monkeypatch.setattr(SampleStore, name, refuse)
        add(model, [*samples(3, seed=2), (TESTS[0], "sock")])
        assert model.predict(TESTS[0])[0].label == "sock"


def test_the_temperature_of_imprinted_classes_follows_their_means(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        add(model, [samples(1)[0]])
        assert model._state.engine.variables()["temperature"] == 1
        add(model, samples(3))
        temperature = float(model._state.engine.variables()["temperature"][0])
        assert 0 < temperature != 1
        model.fit()
        trained = float(model._state.engine.variables()["temperature"][0])
        model.add_sample(TESTS[0], "sock")
        assert float(model._state.engine.variables()["temperature"][0]) == trained


def test_the_first_training_sample_of_a_class_counts_during_a_training(tiny: Convert) -> None:
    """The training has no samples of the class, and leaves it inactive."""
    held_out, sample = np.full((1, 8), 5, np.float32), np.full((1, 8), -5, np.float32)
    with PersonalModel(tiny()) as model:
        add(model, samples(3))
        model.add_sample(held_out, "sock", held_out=True)
        model.fit(3, lambda epoch: model.add_sample(sample, "sock"))
        assert model.predict(sample)[0].label == "sock"
