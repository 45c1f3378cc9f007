"""The weight decay of a training follows the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from blobs import add_samples

import sartor
from sartor import PersonalModel
from sartor.contract.manifest import Manifest
from sartor.errors import TrainingError
from sartor.litert import open_model
from sartor.runtime import Epoch
from sartor.runtime.training import validation
from sartor.runtime.training.config import TrainingConfig
from sartor.runtime.training.path import training_stages
from sartor.runtime.training.schedule import Schedule
from sartor.runtime.training.staged import StagedTraining

Convert = Callable[..., Path]
DEFAULTS = TrainingConfig()


@pytest.fixture
def manifest(tiny: Convert) -> Manifest:
    return open_model(tiny(batch_size=32, optimizer=sartor.SGD(momentum=0.9)))


def stages(
    manifest: Manifest, samples: int, config: TrainingConfig = DEFAULTS, *, warm: bool = False
) -> tuple[Schedule, ...]:
    return training_stages(
        manifest, config, rows=samples, samples=samples, outputs=3, rate=1.0,
        has_default_rate=True, warm=warm,
    )  # fmt: skip


def weight_decay_of(model: PersonalModel) -> float:
    return float(model._state.engine.variables()["weight_decay"][0])


def test_each_stage_has_an_eighth_of_the_weight_decay_of_the_one_before(manifest: Manifest) -> None:
    path = stages(manifest, 200)
    decays = [stage.weight_decay or 0.0 for stage in path]
    assert decays == pytest.approx([0.01, 0.00125, 0.00015625])
    peaks = [1 / (1 + decay / 3.8) for decay in decays]  # the weight decay adds curvature
    assert [stage.peak for stage in path] == pytest.approx(peaks)
    assert {stage.decay for stage in path} == {"cosine"}


@pytest.mark.parametrize(
    ("samples", "steps"),
    [(4, [96] * 3), (200, [98, 98, 301]), (10_000, [626] * 3)],
)
def test_weaker_weight_decay_takes_more_steps(
    manifest: Manifest, samples: int, steps: list[int]
) -> None:
    assert [stage.steps for stage in stages(manifest, samples)] == steps


@pytest.mark.parametrize(
    "options",
    [{"epochs": 3}, {"seconds": 1.0}, {"patience": 2}, {"weight_decay": 0.3}],
    ids=str,
)
def test_a_limited_training_has_one_stage(manifest: Manifest, options: dict[str, Any]) -> None:
    (stage,) = stages(manifest, 200, TrainingConfig(**options))
    assert stage.weight_decay == options.get("weight_decay", 1 / 200)
    assert stage.epochs == options.get("epochs", 60)
    assert stage.peak == pytest.approx(1 / (1 + (stage.weight_decay or 0) / 3.8))


def test_a_stated_weight_decay_or_an_earlier_one_has_one_stage(manifest: Manifest) -> None:
    (stage,) = stages(replace(manifest, weight_decay=0.7), 200)
    assert stage.weight_decay == 0.7
    (stage,) = stages(manifest, 200, warm=True)
    assert stage.weight_decay is None


def test_regressions_and_heads_without_normalization_have_one_stage(
    manifest: Manifest, tiny: Convert
) -> None:
    regression = open_model(tiny(head=sartor.Regressor()))
    unnormalized = replace(manifest, head=replace(manifest.head, feature_norm=None))
    for other in (regression, unnormalized):
        (stage,) = stages(other, 200)
        assert stage.weight_decay == 0


def test_the_mean_over_outputs_divides_the_weight_decay(tiny: Convert) -> None:
    several = open_model(tiny(head=sartor.MultiLabelClassifier()))
    assert stages(several, 200)[0].weight_decay == pytest.approx(2 / 200 / 3)


def test_gradient_descent_without_momentum_takes_three_times_as_many_steps(tiny: Convert) -> None:
    plain = open_model(tiny(batch_size=32, optimizer=sartor.SGD()))
    assert stages(plain, 20)[0].steps == 3 * 96
    adam = open_model(tiny("adam", batch_size=32, optimizer=sartor.Adam()))
    assert stages(adam, 20)[0].steps == 96


@pytest.mark.parametrize(("wrong", "is_strong"), [(0.3, True), (0.0, False)])
def test_the_weight_decay_follows_the_data(tiny: Convert, wrong: float, is_strong: bool) -> None:
    """Wrong labels and noise need a strong weight decay, a curved border of classes a weak one."""
    rng = np.random.default_rng(0)
    with PersonalModel(tiny(batch_size=32)) as model:
        for _ in range(120):
            sample = rng.normal(size=(1, 8)).astype(np.float32)
            is_first = sample[0, 0] + 0.02 * sample[0, 1] > 0
            label = is_first if rng.random() >= wrong else not is_first
            model.add_sample(sample, "hat" if label else "shoes")
        model.fit()
        strength = weight_decay_of(model) * 120
    assert (strength > 0.9) == is_strong


def test_without_held_out_samples_the_first_stage_is_the_last(tiny: Convert) -> None:
    with PersonalModel(tiny()) as model:
        add_samples(model, 1).fit()
        assert weight_decay_of(model) == pytest.approx(2 / 3)


def test_the_number_of_planned_epochs_is_never_below_the_number_of_epochs(tiny: Convert) -> None:
    epochs: list[Epoch] = []
    with PersonalModel(tiny()) as model:
        history = add_samples(model).fit(on_epoch=epochs.append)
    assert tuple(epochs) == history.epochs
    assert [epoch.epoch for epoch in epochs] == list(range(1, len(epochs) + 1))
    assert all(epoch.epoch <= epoch.epochs for epoch in epochs)


def test_a_training_that_is_stopped_in_the_cross_validation_keeps_its_weights(
    tiny: Convert, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PersonalModel(tiny()) as model:
        select = validation.select_stage

        def stop(*arguments: Any) -> Any:
            model.stop()
            return select(*arguments)

        monkeypatch.setattr("sartor.runtime.training.fit.select_stage", stop)
        history = add_samples(model).fit()
        assert "cross-validation was not completed" in history.warnings[0]
        assert model.evaluate().accuracy == 1


def test_a_path_ends_where_a_fold_cannot_be_trained(
    tiny: Convert, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = StagedTraining.run

    def fail(training: StagedTraining, *arguments: Any) -> None:
        if training.completed == 1:
            raise TrainingError("the loss rose")
        run(training, *arguments)

    monkeypatch.setattr(StagedTraining, "run", fail)
    with PersonalModel(tiny()) as model:
        history = add_samples(model).fit()
        assert weight_decay_of(model) == pytest.approx(2 / 15)
    assert history.expected_accuracy is not None
