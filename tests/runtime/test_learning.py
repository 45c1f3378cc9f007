"""A model trains, imprints classes, and evaluates."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from blobs import LABELS, PROBE, add_samples, blobs

import sartor
from sartor import PersonalModel
from sartor.errors import DataError, SartorError
from sartor.runtime import Epoch
from sartor.runtime.data.dataset import Dataset

Convert = Callable[..., Path]


def test_separable_classes_are_learned(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        history = add_samples(model).fit()
        assert model.evaluate(blobs(40, seed=2)).accuracy > 0.99
        assert history.epochs[-1].loss < history.epochs[0].loss
        assert history.steps == len(history.epochs) * 2  # 15 samples, 8 a batch
        assert (history.samples, history.stopped) == (15, False)


@pytest.mark.parametrize("optimizer", [sartor.SGD(), sartor.Adam(), sartor.SGD(momentum=0.9)])
def test_overlapping_classes_are_learned_by_every_optimizer(
    tiny: Convert, optimizer: sartor.SGD | sartor.Adam
) -> None:
    with PersonalModel(tiny(optimizer=optimizer)) as model:
        for sample, label in blobs(30, spread=1.5):
            model.add_sample(sample, label)
        model.fit()
        assert model.evaluate(blobs(60, seed=2, spread=1.5)).accuracy > 0.8


@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("scale", [1e-3, 1, 30, 1000])
def test_the_default_rate_suits_features_of_any_size(
    tiny: Convert, scale: float, warm_start: bool
) -> None:
    with PersonalModel(tiny()) as model:
        for sample, label in blobs(10):
            model.add_sample(sample * scale, label)
        model.fit(warm_start=warm_start)
        test = [(sample * scale, label) for sample, label in blobs(20, seed=2)]
        assert model.evaluate(test).accuracy > 0.99


def test_a_class_can_be_predicted_after_its_first_sample(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        assert model.predict(PROBE) == ()
        for sample, label in blobs(1):
            model.add_sample(sample, label)
        assert model.classes == LABELS
        assert model.predict(PROBE)[0].label == "hat"
        assert sum(each.probability for each in model.predict(PROBE)) == pytest.approx(1)


def test_a_new_class_is_imprinted_beside_trained_ones(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        add_samples(model).fit()
        new = np.full((1, 8), 5, np.float32)
        model.add_sample(new, "sock")
        assert model.predict(new)[0].label == "sock"
        assert model.evaluate(blobs(20, seed=2)).accuracy > 0.9


def test_named_classes_keep_their_indices(tiny: Convert) -> None:
    with PersonalModel(tiny(classes=["dress", "shoes"], capacity=3)) as model:
        assert list(model.classes) == ["dress", "shoes"]
        add_samples(model, 1)
        assert list(model.classes) == ["dress", "shoes", "hat"]
        assert [model.predict(s)[0].label for s, _ in blobs(1)] == list(LABELS)


def test_a_learning_rate_of_zero_changes_no_prediction(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        add_samples(model).fit(epochs=2)
        before = model.predict(PROBE)
        model.fit(epochs=3, learning_rate=0)
        assert model.predict(PROBE) == before


def test_the_same_seed_gives_the_same_weights(tiny: Convert) -> None:
    path = tiny()

    def train_and_predict(seed: int) -> sartor.runtime.Predictions:
        with PersonalModel(path) as model:
            add_samples(model).fit(epochs=5, seed=seed)
            return model.predict(PROBE)

    assert train_and_predict(1) == train_and_predict(1)
    assert train_and_predict(1) != train_and_predict(2)


def test_training_depends_only_on_the_samples(tiny: Convert) -> None:
    path = tiny()
    with PersonalModel(path) as at_once, PersonalModel(path) as step_by_step:
        add_samples(at_once).fit(epochs=5)
        for sample, label in blobs(5):
            step_by_step.add_sample(sample, label)
            step_by_step.fit(epochs=2)
        step_by_step.fit(epochs=5)
        one, other = (model._state.engine.variables() for model in (at_once, step_by_step))
        assert all(np.array_equal(one[name], other[name]) for name in one)


def test_a_stopped_training_keeps_the_better_weights(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        add_samples(model).fit(weight_decay=0)
        before = model.predict(PROBE)
        assert model.fit(on_epoch=lambda epoch: False).stopped
        assert model.predict(PROBE) == before


def test_all_classes_have_equal_weight(tiny: Convert) -> None:
    with PersonalModel(tiny(batch_size=32)) as model:
        for index, (sample, label) in enumerate(blobs(40, spread=1.5)):
            if label == "hat" or index < 6:
                model.add_sample(sample, label)
        model.fit()
        per_class = model.evaluate(blobs(200, seed=5, spread=1.5)).per_class
        assert min(value or 0 for value in per_class.values()) > 0.8


def test_the_loss_of_an_epoch_weights_all_classes_equally(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        for index, (sample, label) in enumerate(blobs(7, spread=2.5)):
            if label != "dress" or index < 3:
                model.add_sample(sample, label)
        (epoch,) = model.fit(1, learning_rate=0).epochs
        by_class = []
        state = model._state.engine.variables()
        model._state.engine.restore({**state, "temperature": np.ones(1, np.float32)})
        for name in LABELS:
            samples = [each for each in list(blobs(7, spread=2.5)) if each[1] == name]
            few = [sample for sample, _ in samples[: 1 if name == "dress" else 7]]
            losses = {each: model.evaluate([(row, each) for row in few]).loss for each in LABELS}
            by_class.append(0.7 * losses[name] + 0.1 * sum(losses.values()))  # smoothed labels
        assert epoch.loss == pytest.approx(np.mean(by_class), rel=1e-4)


def test_augmentations_do_not_count_as_samples(tiny: Convert) -> None:
    rng = np.random.default_rng(0)
    with PersonalModel(tiny()) as model:
        for index in range(6):
            rows = [[rng.normal(size=(1, 16)).astype(np.float32)] for _ in range(3)]
            model._samples.add_features(rows, {LABELS[index % 2]: 1.0})
        assert model.fit(1).samples == 6


def test_evaluation_computes_a_confusion_matrix(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        add_samples(model).fit()
        samples = [*blobs(3, seed=2), (PROBE, "shoes")]  # the last one is a hat
        evaluation = model.evaluate(samples)
        assert evaluation.samples == 10
        assert evaluation.labels == LABELS
        assert evaluation.confusion.tolist() == [[3, 0, 0], [1, 3, 0], [0, 0, 3]]
        assert evaluation.accuracy == pytest.approx(0.9)
        assert evaluation.per_class == {"hat": 1, "shoes": 0.75, "dress": 1}
        assert model.evaluate([(PROBE, "hat")]).per_class["dress"] is None


def test_evaluation_agrees_with_predictions(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        add_samples(model).fit(epochs=3)
        samples = list(blobs(7, seed=2))  # 21: not a whole number of batches
        expected = -np.mean(
            [
                np.log(next(p.probability for p in model.predict(sample) if p.label == label))
                for sample, label in samples
            ]
        )
        assert model.evaluate(samples).loss == pytest.approx(expected, rel=1e-4)
        assert model.evaluate().samples == 15


def test_the_callback_receives_each_epoch_and_can_stop_the_training(tiny: Convert) -> None:
    epochs: list[Epoch] = []
    with PersonalModel(tiny()) as model:
        add_samples(model)

        def on_epoch(epoch: Epoch) -> bool:
            epochs.append(epoch)
            return epoch.epoch < 3

        history = model.fit(10, on_epoch)
    assert [epoch.epoch for epoch in epochs] == [1, 2, 3]
    assert history.stopped
    assert history.epochs == tuple(epochs)


def test_an_error_of_the_callback_keeps_the_better_weights(tiny: Convert) -> None:
    def fail(epoch: Epoch) -> None:
        raise ZeroDivisionError

    with PersonalModel(tiny()) as model:
        before = add_samples(model).predict(PROBE)
        with pytest.raises(ZeroDivisionError):
            model.fit(10, fail)
        assert model.predict(PROBE) != before
        model.fit(1)


def test_stop_ends_a_training_in_another_thread(tiny: Convert) -> None:
    first_epoch = threading.Event()
    histories = []
    with PersonalModel(tiny()) as model:
        add_samples(model)

        def train() -> None:
            histories.append(model.fit(1_000_000, lambda epoch: first_epoch.set()))

        thread = threading.Thread(target=train)
        thread.start()
        assert first_epoch.wait(30)
        assert all(len(model.predict(PROBE)) == 3 for _ in range(50))
        model.stop()
        thread.join(30)
        assert not thread.is_alive()
        assert histories[0].stopped
        assert model.predict(PROBE)[0].label == "hat"


def test_a_loss_that_is_not_finite_restores_the_weights(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        add_samples(model).fit(epochs=2)
        before = model.predict(PROBE)
        with pytest.raises(SartorError, match=r"no longer finite.*lower learning rate"):
            model.fit(50, learning_rate=1e38)
        assert model.predict(PROBE) == before


def test_invalid_arguments_are_refused(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        with pytest.raises(DataError, match="add samples"):
            model.fit()
        with pytest.raises(DataError, match="no samples to evaluate"):
            model.evaluate([])
        add_samples(model)
        with pytest.raises(DataError, match="epochs"):
            model.fit(0)
        with pytest.raises(DataError, match="learning_rate"):
            model.fit(learning_rate=float("nan"))
        with pytest.raises(DataError, match="no class 'sock'; its classes: hat, shoes, dress"):
            model.evaluate([(PROBE, "sock")])


def test_a_closed_model_raises_an_error(tiny: Convert) -> None:
    model = add_samples(PersonalModel(tiny()))
    model.close()
    model.close()
    for use in (lambda: model.predict(PROBE), model.fit, lambda: model.add_sample(PROBE, "hat")):
        with pytest.raises(SartorError, match="closed"):
            use()


def test_mixed_rows_contain_all_classes_evenly() -> None:
    class_indices = np.repeat([0, 1, 2], [50, 3, 10])
    targets = np.eye(4, dtype=np.float32)[class_indices]
    ones = np.ones(len(class_indices), np.float32)
    samples = Dataset([targets], targets, ones, np.arange(len(class_indices)), ones)
    draws = ((12, 0), (12, 0), (12, 1), (99, 0))
    rows = [samples.stratified_rows(count, seed) for count, seed in draws]
    assert sorted(np.bincount(class_indices[rows[0]])) == [3, 4, 5]
    assert rows[0].tolist() == rows[1].tolist() != rows[2].tolist()
    assert sorted(rows[3]) == list(range(len(class_indices)))
