"""Damaged and modified checkpoints are refused; a failed save keeps the old checkpoint."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from blobs import LABELS, PROBE, add_samples
from checkpoint_files import rewrite
from safetensors.numpy import save

from sartor import PersonalModel
from sartor.errors import CheckpointError


def test_every_flipped_bit_is_detected(model_path: Path, checkpoint: Path) -> None:
    """The bits are in weights, prototypes and class names."""
    content = checkpoint.read_bytes()
    bits = np.random.default_rng(0).integers(0, 8 * len(content), 300).tolist()
    name_bit = content.index(b"shoes") * 8
    with PersonalModel(model_path) as model:
        model.load(checkpoint)
        expected, detections = model.predict(PROBE), 0
        for bit in [*bits, name_bit]:
            damaged = bytearray(content)
            damaged[bit // 8] ^= 1 << bit % 8
            checkpoint.write_bytes(damaged)
            try:
                model.load(checkpoint)
            except CheckpointError:
                detections += 1
            assert model.predict(PROBE) == expected, bit
        assert detections > 250


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
        ({"head/bias": np.full(4, 1e38, np.float32)}, "head/bias has the value 1e\\+38, expected"),
        ({"temperature": np.zeros(1, np.float32)}, "temperature has the value 0, expected 1e-06"),
        ({"temperature": np.full(1, 1e30, np.float32)}, "temperature has the value 1e\\+30"),
        ({"weight_decay": np.full(1, -0.1, np.float32)}, "weight_decay has the value -0.1, exp"),
        ({"weight_decay": np.full(1, 2e6, np.float32)}, "value 2e\\+06, expected 0 to 1e\\+06"),
        ({"weight_decay": np.full(1, np.nan, np.float32)}, "weight_decay has values that are not"),
        ({"weight_decay": None}, "weight_decay as \\[1\\], got no such tensor"),
        ({"class_mask": np.full(4, 0.5, np.float32)}, "value 0.5 at 0, expected 0 or 1"),
        ({"class_mask": np.zeros(4, np.float32)}, "is 0 for all classes"),
        ({"class_mask": np.ones(4, np.float32)}, "value 1 at 3, expected 0: the index is free"),
        (
            {"head/scale": np.full(1, 1e-38, np.float32)},
            "head/scale has the value 1e-38, expected 0",
        ),
        ({"fields": {"classes": ["\ud800", None, None, None]}}, "damaged: .*surrogates"),
        ({"fields": {"digest": None}}, "digest must be a string, got None"),
    ],
)
def test_a_modified_checkpoint_is_refused_and_the_state_stays(
    model_path: Path, checkpoint: Path, changes: dict[str, object], message: str
) -> None:
    rewrite(checkpoint, **changes)  # type: ignore[arg-type]
    with PersonalModel(model_path) as model:
        before = add_samples(model).predict(PROBE)
        with pytest.raises(CheckpointError, match=message):
            model.load(checkpoint)
        assert model.predict(PROBE) == before
        assert model.classes == LABELS


@pytest.mark.parametrize("temperature", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("sign", [-1, 1])
def test_the_largest_values_of_a_checkpoint_give_probabilities(
    model_path: Path, checkpoint: Path, sign: int, temperature: float
) -> None:
    """A large negative logit stays above that of a free class index."""
    with PersonalModel(model_path) as model:
        largest = {
            spec.name: np.full(spec.shape, sign * 1e8, np.float32)
            for spec in model.manifest.variables
            if spec.name in ("head/weights", "head/bias", "head/scale")
        }
        rewrite(checkpoint, temperature=np.full(1, temperature, np.float32), **largest)
        model.load(checkpoint)
        assert sum(each.probability for each in model.predict(PROBE)) == pytest.approx(1)


def test_a_full_disk_leaves_the_old_checkpoint(
    model_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = checkpoint.read_bytes()

    def fail(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with PersonalModel(model_path) as model:
        before = add_samples(model).predict(PROBE)
        monkeypatch.setattr(os, "fsync", fail)
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
