"""Every error prints one line on stderr, has an exit code, and changes no file."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import Run, photos

from sartor.flatbuffer import write
from sartor.graph import DType, Graph, Model, Op

Convert = Callable[..., Path]


def test_a_folder_instead_of_a_file_is_named(tmp_path: Path, run: Run) -> None:
    assert run("inspect", tmp_path).error == f"error: {tmp_path} is a folder: name a file"
    assert run("import", tmp_path, tmp_path / "x").error.endswith("is a folder: name a file")


def test_convert_refuses_other_files(image_base: bytes, tmp_path: Path, run: Run) -> None:
    base, output = tmp_path / "base.tflite", tmp_path / "out.tflite"
    arguments = ("convert", base, "-o", output, "--classes", 3)
    assert "does not exist" in run(*arguments).error
    base.write_bytes(b"hello, world")
    assert str(base) in run(*arguments).error
    base.write_bytes(image_base[:-100])
    assert "base.tflite" in run(*arguments).error
    base.write_bytes(_without_weights())
    assert "weights" in run(*arguments, "--json").err  # candidates follow
    assert not output.exists()


def _without_weights() -> bytes:
    model, graph = Model(), Graph("main")
    model.graphs.append(graph)
    x, y = graph.input("x", (1, 8)), graph.tensor("y", DType.FLOAT32, (1, 8))
    graph.add(Op("SOFTMAX", (x,), (y,), options={"beta": 1.0}, options_type="SoftmaxOptions"))
    graph.outputs = [y]
    return write(model)


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--classes", "0"], 2, "expected the number of classes, such as 10"),
        (["--classes", "-3"], 2, "got '-3'"),
        (["--classes", "1.5"], 2, "got '1.5'"),
        (["--classes", "ten"], 2, "or names such as hat,shoes; got 'ten'"),
        (["--classes", "200000"], 1, "the capacity must be 1 to"),
        (["--classes", "10", "--capacity", "20"], 1, "classes=20 without capacity"),
        (["--classes", "a,a"], 1, "must differ"),
        (["--classes", "a,b", "--capacity", "1"], 1, "the capacity must be"),
        (["--classes", "3", "--batch-size", "0"], 1, "batch"),
        (["--classes", "3", "--features", "nothing"], 1, "nothing"),
        (["--classes", "3", "--head", "cosine", "--scale", "-1"], 1, "scale"),
        (["--classes", "3", "--momentum", "2"], 1, "momentum"),
        (["--classes", "3", "--weight-decay", "-1"], 1, "weight_decay must be 0 to"),
        (["--classes", "3", "--std", "0"], 1, "std"),
        (["--classes", "3", "--mean", "a"], 2, "--mean"),
        (["--classes", "3", "--optimizer", "magic"], 2, "sgd, adam, adamw or rmsprop"),
        (["--classes", "3", "--optimizer", "adam", "--nesterov"], 2, "--nesterov"),
        (["--classes", "3", "--head", "magic"], 2, "multi-label or regression"),
        (["--classes", "3", "--hidden", "8"], 2, "--hidden"),
        (["--classes", "3", "--head", "mlp", "--hidden", "8,many"], 2, "expected integers"),
        (["--classes", "3", "--head", "mlp", "--huber", "1"], 2, "--huber"),
        (["--classes", "3", "--head", "cosine", "--dropout", "0.5"], 2, "--dropout"),
        (["--classes", "3", "--batch-size", "many"], 2, "--batch-size"),
        (["--classes", "3", "--nonsense"], 2, "--nonsense"),
        ([], 2, "--classes"),
    ],
)
def test_convert_refuses_wrong_options(
    image_base: bytes, tmp_path: Path, run: Run, options: list[str], code: int, message: str
) -> None:
    base, output = tmp_path / "base.tflite", tmp_path / "out.tflite"
    base.write_bytes(image_base)
    result = run("convert", base, "-o", output, *options)
    assert (result.code, result.out) == (code, "")
    assert message in result.err
    assert not output.exists()


def test_invalid_output_paths_are_refused(
    model: Path, checkpoint: Path, train: Path, tmp_path: Path, run: Run
) -> None:
    missing = tmp_path / "missing" / "x"
    before = model.read_bytes()
    for arguments in (
        ("convert", model, "-o", missing, "--classes", 3),
        ("fit", model, train, "--checkpoint", missing),
        ("bake", model, "--checkpoint", checkpoint, "-o", missing),
    ):
        assert "missing does not exist" in run(*arguments).error
    assert "is an input" in run("convert", model, "-o", model, "--classes", 3).error
    assert model.read_bytes() == before


def test_files_that_are_not_personalizable_are_refused(
    image_base: bytes, train: Path, tmp_path: Path, run: Run
) -> None:
    base, checkpoint = tmp_path / "base.tflite", tmp_path / "mine.safetensors"
    base.write_bytes(image_base)
    for path, message in ((base, "sartor convert"), (tmp_path / "no.tflite", "does not exist")):
        assert message in run("fit", path, train, "--checkpoint", checkpoint).error
        assert message in run("predict", path, train / "red" / "0.png").error
        assert message in run("evaluate", path, train, "--json").error
        assert message in run("bake", path, "--checkpoint", checkpoint, "-o", tmp_path / "b").error
    assert "sartor convert" in run("verify", base).error
    assert "does not exist" not in run("inspect", base).err
    assert "no.tflite does not exist" in run("inspect", tmp_path / "no.tflite").error


def test_more_classes_than_the_capacity_are_refused(
    model: Path, checkpoint: Path, tmp_path: Path, run: Run
) -> None:
    before = checkpoint.read_bytes()
    new_photos = photos(tmp_path / "more", 1, seed=3)
    (new_photos / "blue").rename(new_photos / "pink")
    (new_photos / "green").rename(new_photos / "grey")
    error = run("fit", model, new_photos, "--checkpoint", checkpoint).error
    assert "no free class for 'grey', 'pink'" in error
    assert "--classes 5" in error
    assert checkpoint.read_bytes() == before


def test_folders_without_one_folder_per_class_are_refused(
    model: Path, tmp_path: Path, run: Run
) -> None:
    folder = photos(tmp_path / "photos", 2, seed=3)
    checkpoint = tmp_path / "mine.safetensors"

    def error() -> str:
        return run("fit", model, folder, "--checkpoint", checkpoint).error

    shutil.rmtree(folder)
    assert "photos does not exist" in error()
    folder.mkdir()
    assert "contains no folder with files" in error()
    assert not checkpoint.exists()


def test_unreadable_photos_are_named_or_skipped(
    model: Path, checkpoint: Path, held_out: Path, tmp_path: Path, run: Run
) -> None:
    bad = held_out / "red" / "1.png"
    bad.write_bytes(bad.read_bytes()[:60])
    path = tmp_path / "other.safetensors"
    for arguments in (
        ("fit", model, held_out, "--checkpoint", path),
        ("evaluate", model, held_out, "--checkpoint", checkpoint),
        ("predict", model, bad, "--checkpoint", checkpoint),
    ):
        assert str(bad) in run(*arguments, "--json").error
    assert not path.exists()
    training = run("fit", model, held_out, "--checkpoint", path, "--skip-unreadable", "--json")
    assert training.json["skipped_files"] == [str(bad)]
    assert training.json["samples"] == 8
    assert f"skipped 1 (not a readable photo): {bad}" in training.err
    evaluation = run(
        "evaluate", model, held_out, "--checkpoint", checkpoint, "--skip-unreadable", "--json"
    )
    assert evaluation.json["samples"] == 8


def test_missing_classes_are_named(model: Path, checkpoint: Path, held_out: Path, run: Run) -> None:
    assert "has no class yet" in run("predict", model, held_out / "red" / "0.png").error
    (held_out / "red").rename(held_out / "pink")
    error = run("evaluate", model, held_out, "--checkpoint", checkpoint).error
    assert "no class 'pink'; its classes: blue, green, red" in error


def test_checkpoints_that_do_not_match_are_refused(
    model: Path, checkpoint: Path, tiny: Convert, train: Path, tmp_path: Path, run: Run
) -> None:
    photo = train / "red" / "0.png"
    assert "another base" in run("predict", tiny("other"), photo, "--checkpoint", checkpoint).error
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(checkpoint.read_bytes()[:-5])
    for arguments in (
        ("predict", model, photo, "--checkpoint", damaged),
        ("fit", model, train, "--checkpoint", damaged),
        ("bake", model, "--checkpoint", damaged, "-o", tmp_path / "baked.tflite"),
        ("inspect", damaged),
    ):
        assert "damaged" in run(*arguments).error
    assert (
        "no does not exist" in run("predict", model, photo, "--checkpoint", tmp_path / "no").error
    )
    assert not (tmp_path / "baked.tflite").exists()


def test_training_that_fails_keeps_the_old_checkpoint(
    model: Path, checkpoint: Path, train: Path, run: Run
) -> None:
    before = checkpoint.read_bytes()
    for old, new in (("red", "other"), ("blue", "red"), ("other", "blue")):  # swap the labels
        (train / old).rename(train / new)
    arguments = ("fit", model, train, "--checkpoint", checkpoint)
    result = run(*arguments, "--learning-rate", 1e38, "--epochs", 50)
    assert "8 photos changed: red → blue 4, blue → red 4" in result.err
    assert "no longer finite" in result.err
    assert "epochs must be at least 1" in run(*arguments, "--epochs", 0).error
    assert checkpoint.read_bytes() == before


def test_a_note_names_another_optimizer(
    model: Path, checkpoint: Path, held_out: Path, tmp_path: Path, run: Run
) -> None:
    output = tmp_path / "output.tflite"
    run("convert", model, "-o", output, "--classes", 9, "--optimizer", "adam")
    result = run(
        "predict", output, held_out / "red" / "0.png", "--checkpoint", checkpoint, "--json"
    )
    assert "another optimizer" in result.err
    assert result.json[0]["top"][0]["label"] == "red"


def test_a_full_disk_leaves_the_old_checkpoint(
    model: Path, checkpoint: Path, train: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno
    import os

    before = checkpoint.read_bytes()

    def fail(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    assert "No space left" in run("fit", model, train, "--checkpoint", checkpoint).error
    assert checkpoint.read_bytes() == before


def test_a_failed_check_is_an_error(model: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from sartor.testing import verify
    from sartor.testing.verify import Check, Report

    report = Report((Check("good", True, "fine"), Check("bad", False, "not fine")))
    monkeypatch.setattr(verify, "verify_contract", lambda path: report)
    result = run("verify", model)
    assert result.code == 1
    assert "FAILED" in result.out
    assert "fails 1 of 2 checks: bad" in result.err
