"""A checkpoint keeps the state of a model; damaged checkpoints are refused."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from blobs import LABELS, PROBE, blobs, taught
from safetensors.numpy import load, save

import sartor
from sartor import PersonalModel
from sartor.errors import CheckpointError
from sartor.runtime import Predictions

Convert = Callable[..., Path]


@pytest.fixture
def model_path(tiny: Convert) -> Path:
    return tiny()


@pytest.fixture
def checkpoint(model_path: Path, tmp_path: Path) -> Path:
    with PersonalModel(model_path) as model:
        taught(model).fit(epochs=20)
        return model.save(tmp_path / "mine.safetensors")


def predictions(path: Path, checkpoint: Path | None = None) -> list[Predictions]:
    with PersonalModel(path) as model:
        if checkpoint is not None:
            model.load(checkpoint)
        return [model.predict(sample) for sample, _ in blobs(3, seed=4)]


def header(checkpoint: Path) -> dict[str, str]:
    content = checkpoint.read_bytes()
    size = int.from_bytes(content[:8], "little")
    metadata: dict[str, str] = json.loads(content[8 : 8 + size])["__metadata__"]
    return metadata


def rewrite(checkpoint: Path, *, fields: object = None, **tensors: np.ndarray | None) -> None:
    """Change fields of the header, and tensors; None removes a tensor."""
    arrays = load(checkpoint.read_bytes())
    known = json.loads(header(checkpoint)["sartor"])
    given = fields if isinstance(fields, dict) else {}
    if given or not all(name.startswith("app/") for name in tensors):
        known["digest"] = None  # as another writer leaves it
    text = {"sartor": json.dumps(known | given)}
    changed = {k: v for k, v in (arrays | tensors).items() if v is not None}
    checkpoint.write_bytes(save(changed, text))


def test_predictions_are_the_same_bit_for_bit_after_save_and_load(
    model_path: Path, tmp_path: Path
) -> None:
    with PersonalModel(model_path) as model:
        taught(model).fit(epochs=3)
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
        taught(model, 1)
        assert model.predict(PROBE) == before


def test_training_continues_as_without_an_interruption(model_path: Path, tmp_path: Path) -> None:
    """The optimizer state is part of a checkpoint."""
    path = tmp_path / "half.safetensors"
    with PersonalModel(model_path) as model:
        taught(model).fit(epochs=2)
        model.save(path)
        model.fit(epochs=2, seed=5)
        wanted = model.predict(PROBE)
    with PersonalModel(model_path) as model:
        model.load(path)
        taught(model).fit(epochs=2, seed=5)
        assert model.predict(PROBE) == wanted


def test_the_header_describes_the_checkpoint(checkpoint: Path, model_path: Path) -> None:
    fields = json.loads(header(checkpoint)["sartor"])
    with PersonalModel(model_path) as model:
        marks = model.manifest.fingerprints
    assert fields == {
        "contract": 1,
        "fingerprints": {"base": marks.base, "head": marks.head, "optimizer": marks.optimizer},
        "classes": ["hat", "shoes", "dress", None],
        "samples_seen": 15,
        "ood_threshold": pytest.approx(0, abs=5),
        "digest": fields["digest"],
    }
    assert len(fields["digest"]) == 64


def test_every_flipped_bit_is_detected(model_path: Path, checkpoint: Path) -> None:
    """In every part that Sartor reads: weights, prototypes, class names."""
    content = checkpoint.read_bytes()
    places = np.random.default_rng(0).integers(0, 8 * len(content), 300).tolist()
    names = content.index(b"shoes") * 8
    with PersonalModel(model_path) as model:
        model.load(checkpoint)
        wanted, noticed = model.predict(PROBE), 0
        for place in [*places, names]:
            damaged = bytearray(content)
            damaged[place // 8] ^= 1 << place % 8
            checkpoint.write_bytes(damaged)
            try:
                model.load(checkpoint)
            except CheckpointError:
                noticed += 1
            assert model.predict(PROBE) == wanted, place
        assert noticed > 250


def test_tensors_of_the_app_are_kept(model_path: Path, checkpoint: Path, tmp_path: Path) -> None:
    rewrite(checkpoint, **{"app/photos": np.arange(3)})
    with PersonalModel(model_path) as model:
        model.load(checkpoint)
        again = model.save(tmp_path / "again.safetensors")
    assert load(again.read_bytes())["app/photos"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("settings", "dropped"),
    [
        ({"classes": 9}, False),
        ({"classes": 3}, False),  # the slot that is cut off is free
        ({"batch_size": 3}, False),
        ({"optimizer": sartor.Adam()}, True),
        ({"optimizer": sartor.SGD(), "classes": 20}, True),
    ],
)
def test_a_checkpoint_loads_into_the_same_base_converted_with_other_options(
    tiny: Convert, checkpoint: Path, settings: dict[str, object], dropped: bool
) -> None:
    wanted = predictions(tiny(), checkpoint)
    path = tiny("other", **settings)
    for found, expected in zip(predictions(path, checkpoint), wanted, strict=True):
        assert [p.label for p in found] == [p.label for p in expected]
        np.testing.assert_allclose(
            [p.probability for p in found], [p.probability for p in expected], atol=1e-6
        )
    with PersonalModel(path) as model:
        notes = model.load(checkpoint)
        assert bool(notes) is dropped
        assert not dropped or "another optimizer" in notes[0]
        assert taught(model).fit(epochs=3).epochs[-1].accuracy == 1


def test_converting_the_converted_file_again_keeps_the_checkpoint(
    tiny: Convert, checkpoint: Path, tmp_path: Path
) -> None:
    again = sartor.convert(tiny(), classes=7, optimizer=sartor.Adam())
    path = again.save(tmp_path / "again.tflite")
    wanted = predictions(tiny(), checkpoint)
    for found, expected in zip(predictions(path, checkpoint), wanted, strict=True):
        np.testing.assert_allclose(
            [p.probability for p in found], [p.probability for p in expected], atol=1e-6
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
            CheckpointError, match=r"uses 3 class indices.*capacity of the model is 2.*--capacity 3"
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
    path = tiny("other", head=sartor.SoftmaxClassifier(normalize=True))
    with PersonalModel(path) as model, pytest.raises(CheckpointError, match="another head"):
        model.load(checkpoint)


def test_other_files_are_refused(model_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    contents = {
        b"": "not a checkpoint",
        b"hello, world": "not a checkpoint",
        save({"a": np.zeros(2)}): "not a checkpoint of Sartor",
        save({"a": np.zeros(2)}, {"sartor": "{}"}): "contract must be an integer",
        save({"a": np.zeros(2)}, {"sartor": "["}): "damaged",
    }
    with PersonalModel(model_path) as model:
        for content, message in contents.items():
            path.write_bytes(content)
            with pytest.raises(CheckpointError, match=message):
                model.load(path)
        with pytest.raises(FileNotFoundError):
            model.load(tmp_path / "nothing")


def test_every_truncated_checkpoint_is_refused(model_path: Path, checkpoint: Path) -> None:
    content = checkpoint.read_bytes()
    with PersonalModel(model_path) as model:
        for size in range(0, len(content), 97):
            checkpoint.write_bytes(content[:size])
            with pytest.raises(CheckpointError, match="damaged"):
                model.load(checkpoint)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fields": {"contract": 2}}, "contract version 2, expected 1.*Update Sartor"),
        ({"fields": {"classes": ["hat", "hat", None, None]}}, "must be unique"),
        ({"fields": {"classes": []}}, "must be unique"),
        ({"fields": {"classes": ["hat", "shoes", "dress"]}}, r"expected .* as"),
        ({"fields": {"samples_seen": -1}}, "samples_seen"),
        ({"head/bias": np.full(4, np.nan, np.float32)}, "head/bias has values that are not finite"),
        ({"head/bias": np.full(4, np.inf, np.float32)}, "not finite"),
        ({"head/bias": np.zeros(5, np.float32)}, r"head/bias as \[4\], got \[5\]"),
        ({"head/bias": np.zeros((4, 1), np.float32)}, r"as \[4\], got \[4, 1\]"),
        ({"head/bias": np.zeros(4)}, "float64, expected float32"),
        ({"head/bias": None}, "got no such tensor"),
    ],
)
def test_a_modified_checkpoint_is_refused_and_the_state_stays(
    model_path: Path, checkpoint: Path, changes: dict[str, object], message: str
) -> None:
    rewrite(checkpoint, **changes)  # type: ignore[arg-type]
    with PersonalModel(model_path) as model:
        before = taught(model).predict(PROBE)
        with pytest.raises(CheckpointError, match=message):
            model.load(checkpoint)
        assert model.predict(PROBE) == before
        assert model.classes == LABELS


def test_a_full_disk_leaves_the_old_checkpoint(
    model_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = checkpoint.read_bytes()

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with PersonalModel(model_path) as model:
        before = taught(model).predict(PROBE)
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            model.save(checkpoint)
        monkeypatch.undo()
        assert model.predict(PROBE) == before
    assert checkpoint.read_bytes() == old
    assert not list(checkpoint.parent.glob(".*.part"))


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
def test_a_killed_process_leaves_a_complete_checkpoint(model_path: Path, checkpoint: Path) -> None:
    program = textwrap.dedent(f"""
        from sartor import PersonalModel
        model = PersonalModel({str(model_path)!r})
        model.load({str(checkpoint)!r})
        print("ready", flush=True)
        while True:
            model.save({str(checkpoint)!r})
    """)
    for delay in (0.005, 0.02, 0.05):
        process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        with PersonalModel(model_path) as model:
            model.load(checkpoint)
            assert model.predict(PROBE)[0].label == "hat"


def test_a_class_that_the_checkpoint_lacks_is_imprinted_from_its_samples(
    model_path: Path, checkpoint: Path
) -> None:
    with PersonalModel(model_path) as model:
        model.add_sample(np.full((1, 8), 5, np.float32), "sock")
        model.load(checkpoint)
        assert list(model.classes) == [*LABELS, "sock"]
        assert model.predict(np.full((1, 8), 5, np.float32))[0].label == "sock"
