"""A checkpoint keeps the state of a model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from blobs import LABELS, PROBE, add_samples, blobs
from checkpoint_files import header, rewrite
from safetensors.numpy import load

import sartor
from sartor import PersonalModel
from sartor.errors import CheckpointError
from sartor.runtime import Predictions

Convert = Callable[..., Path]


def predictions(path: Path, checkpoint: Path | None = None) -> list[Predictions]:
    with PersonalModel(path) as model:
        if checkpoint is not None:
            model.load(checkpoint)
        return [model.predict(sample) for sample, _ in blobs(3, seed=4)]


def test_predictions_are_the_same_bit_for_bit_after_save_and_load(
    model_path: Path, tmp_path: Path
) -> None:
    with PersonalModel(model_path) as model:
        add_samples(model).fit(epochs=3)
        before = [model.predict(sample) for sample, _ in blobs(3, seed=4)]
        model.save(tmp_path / "mine.safetensors")
    assert predictions(model_path, tmp_path / "mine.safetensors") == before


def test_a_class_without_samples_survives_a_training_of_others(
    model_path: Path, checkpoint: Path
) -> None:
    with PersonalModel(model_path) as model:
        model.load(checkpoint)
        held_out = list(blobs(10, seed=3))
        before = model.evaluate(held_out).loss
        for sample, label in blobs(5):
            if label != "dress":
                model.add_sample(sample, label)
        model.fit(epochs=20)
        after = model.evaluate(held_out)
        assert after.accuracy == 1
        assert after.per_class["dress"] == 1
        assert model.evaluate([each for each in held_out if each[1] != "dress"]).loss < before


def test_another_sample_of_a_trained_class_changes_no_prediction(
    model_path: Path, checkpoint: Path
) -> None:
    with PersonalModel(model_path) as model:
        model.load(checkpoint)
        before = model.predict(PROBE)
        add_samples(model, 1)
        assert model.predict(PROBE) == before


def test_training_continues_as_without_an_interruption(model_path: Path, tmp_path: Path) -> None:
    """The optimizer state is part of a checkpoint."""
    path = tmp_path / "half.safetensors"
    with PersonalModel(model_path) as model:
        add_samples(model).fit(epochs=2)
        model.save(path)
        model.fit(epochs=2, seed=5)
        expected = model.predict(PROBE)
    with PersonalModel(model_path) as model:
        model.load(path)
        add_samples(model).fit(epochs=2, seed=5)
        assert model.predict(PROBE) == expected


def test_loading_and_saving_keeps_the_weight_decay(
    tiny: Convert, checkpoint: Path, tmp_path: Path
) -> None:
    rewrite(checkpoint, weight_decay=np.full(1, 0.25, np.float32))
    with PersonalModel(tiny("other", optimizer=sartor.SGD(weight_decay=0.5))) as model:
        before = model.save(tmp_path / "before.safetensors")
        model.load(checkpoint)
        after = model.save(tmp_path / "after.safetensors")
    values = [load(path.read_bytes())["weight_decay"].tolist() for path in (before, after)]
    assert values == [[0.5], [0.25]]


def test_the_header_describes_the_checkpoint(checkpoint: Path, model_path: Path) -> None:
    fields = json.loads(header(checkpoint)["sartor"])
    with PersonalModel(model_path) as model:
        fingerprints = model.manifest.fingerprints
    assert fields == {
        "contract": 1,
        "fingerprints": {
            "base": fingerprints.base,
            "head": fingerprints.head,
            "optimizer": fingerprints.optimizer,
        },
        "classes": ["hat", "shoes", "dress", None],
        "class_keys": fields["class_keys"],
        "imprinted": [],
        "samples_seen": 15,
        "ood_threshold": pytest.approx(0, abs=5),
        "digest": fields["digest"],
    }
    assert len(fields["digest"]) == 64
    assert [key and len(key) for key in fields["class_keys"]] == [32, 32, 32, None]


def test_loading_and_saving_keeps_the_tensors_of_the_app(
    model_path: Path, checkpoint: Path, tmp_path: Path
) -> None:
    rewrite(checkpoint, **{"app/photos": np.arange(3)})
    with PersonalModel(model_path) as model:
        model.load(checkpoint)
        output = model.save(tmp_path / "output.safetensors")
    assert load(output.read_bytes())["app/photos"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("options", "is_dropped"),
    [
        ({"classes": 9}, False),
        ({"classes": 3}, False),  # the class index that is cut off is free
        ({"batch_size": 3}, False),
        ({"optimizer": sartor.Adam()}, True),
        ({"optimizer": sartor.SGD(), "classes": 20}, True),
    ],
)
def test_a_checkpoint_loads_into_the_same_base_converted_with_other_options(
    tiny: Convert, checkpoint: Path, options: dict[str, object], is_dropped: bool
) -> None:
    expected = predictions(tiny(), checkpoint)
    path = tiny("other", **options)
    for actual, original in zip(predictions(path, checkpoint), expected, strict=True):
        assert [p.label for p in actual] == [p.label for p in original]
        np.testing.assert_allclose(
            [p.probability for p in actual], [p.probability for p in original], atol=1e-6
        )
    with PersonalModel(path) as model:
        notes = model.load(checkpoint)
        assert bool(notes) is is_dropped
        assert not is_dropped or "another optimizer" in notes[0]
        assert add_samples(model).fit(epochs=3).epochs[-1].accuracy == 1


def test_converting_the_converted_file_again_keeps_the_checkpoint(
    tiny: Convert, checkpoint: Path, tmp_path: Path
) -> None:
    output = sartor.convert(tiny(), classes=7, optimizer=sartor.Adam())
    path = output.save(tmp_path / "output.tflite")
    expected = predictions(tiny(), checkpoint)
    for actual, original in zip(predictions(path, checkpoint), expected, strict=True):
        np.testing.assert_allclose(
            [p.probability for p in actual], [p.probability for p in original], atol=1e-6
        )


def test_class_names_of_the_file_follow_those_of_the_checkpoint(
    tiny: Convert, checkpoint: Path
) -> None:
    path = tiny("named", classes=["a", "b", "c", "d", "hat", "f"], capacity=7)
    with PersonalModel(path) as model:
        model.load(checkpoint)
        assert model.classes == (*LABELS, "f")
        labels = [each.label for each in model.predict(PROBE)]
        assert sorted(labels) == sorted(model.classes)
        assert sum(each.probability for each in model.predict(PROBE)) == pytest.approx(1)


def test_a_capacity_that_is_too_small_is_refused(tiny: Convert, checkpoint: Path) -> None:
    with (
        PersonalModel(tiny("small", classes=2)) as model,
        pytest.raises(
            CheckpointError, match=r"uses 3 class indices.*capacity of the model is 2.*--classes 3"
        ),
    ):
        model.load(checkpoint)


def test_a_checkpoint_of_another_model_is_refused(
    tiny: Convert, image_model: Convert, checkpoint: Path
) -> None:
    with (
        PersonalModel(image_model("other")) as model,
        pytest.raises(CheckpointError, match="another base"),
    ):
        model.load(checkpoint)
    path = tiny("other", head=sartor.MLP())
    with PersonalModel(path) as model, pytest.raises(CheckpointError, match="another head"):
        model.load(checkpoint)


def test_a_class_that_the_checkpoint_lacks_is_imprinted_from_its_samples(
    model_path: Path, checkpoint: Path
) -> None:
    with PersonalModel(model_path) as model:
        model.add_sample(np.full((1, 8), 5, np.float32), "sock")
        model.load(checkpoint)
        assert list(model.classes) == [*LABELS, "sock"]
        assert model.predict(np.full((1, 8), 5, np.float32))[0].label == "sock"


def test_a_class_without_samples_is_inactive_after_a_training_and_a_load(
    tiny: Convert, tmp_path: Path
) -> None:
    path = tiny(classes=["hat", "shoes", "dress", "sock"])
    with PersonalModel(path) as model:
        add_samples(model).fit(5)
        before = model.predict(PROBE)
        model.save(tmp_path / "mine.safetensors")
    with PersonalModel(path) as model:
        model.load(tmp_path / "mine.safetensors")
        assert model.predict(PROBE) == before
        assert [each.probability for each in before if each.label == "sock"] == [0]
