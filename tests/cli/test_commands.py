"""Every command does its work and prints the result."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from commands import COLORS, Run

import sartor
from sartor import PersonalModel
from sartor._version import __version__


def test_sartor_without_arguments_lists_the_first_steps(run: Run) -> None:
    result = run()
    assert result.code == 0
    for command in ("sartor convert", "sartor fit", "sartor predict", "--help"):
        assert command in result.out
    assert max(map(len, result.out.splitlines())) <= 60
    assert run("--version").out.strip() == __version__
    assert "verify" in run("--help").out


def test_python_m_sartor_runs_the_command_line() -> None:
    process = subprocess.run(
        [sys.executable, "-m", "sartor", "--version"], capture_output=True, text=True, check=True
    )
    assert process.stdout.strip() == __version__


def test_convert_passes_every_option(image_base: bytes, tmp_path: Path, run: Run) -> None:
    base, output = tmp_path / "base.tflite", tmp_path / "out.tflite"
    base.write_bytes(image_base)
    result = run(
        "convert", base, "-o", output, "--classes", "hat,shoes", "--capacity", 5, "--batch-size", 7,
        "--no-normalize", "--label-smoothing", 0.1, "--optimizer", "sgd",
        "--momentum", 0.5, "--nesterov", "--weight-decay", 0.02, "--clip-norm", 3,
        "--learning-rate", 0.04, "--features", "dense_16", "--mean", 127.5, "--std", "1,2,3",
        "--json",
    )  # fmt: skip
    assert result.code == 0, result
    with PersonalModel(output) as model:
        manifest = model.manifest
    assert manifest.classes == ("hat", "shoes", None, None, None)
    assert manifest.batch_size == 7
    assert manifest.head.settings == {"label_smoothing": 0.1}
    assert manifest.optimizer.settings == {
        "learning_rate": 0.04, "momentum": 0.5, "nesterov": True, "weight_decay": 0.02,
        "clip_norm": 3.0,
    }  # fmt: skip
    assert (manifest.learning_rate, manifest.weight_decay) == (0.04, 0.02)
    assert manifest.inputs[0].mean == (127.5,)
    assert manifest.inputs[0].std == (1.0, 2.0, 3.0)
    assert result.json["file"] == str(output)
    assert result.json["bytes"] == output.stat().st_size
    assert result.json["classes"] == ["hat", "shoes", None, None, None]


HEADS: dict[str, tuple[list[object], dict[str, object]]] = {
    "cosine": (["--scale", 8], {"scale": 8.0}),
    "mlp": (
        ["--hidden", "8,4", "--label-smoothing", 0.1, "--dropout", 0.5],
        {"hidden": [8, 4], "dropout": 0.5},
    ),
    "multi-label": ([], {}),
    "regression": (["--huber", 2], {}),
}


@pytest.mark.parametrize("head", HEADS)
def test_convert_creates_each_head(head: str, image_base: bytes, tmp_path: Path, run: Run) -> None:
    base, output = tmp_path / "base.tflite", tmp_path / "out.tflite"
    base.write_bytes(image_base)
    options, expected = HEADS[head]
    result = run(
        "convert", base, "-o", output, "--classes", 3, "--head", head, *options,
        "--optimizer", "rmsprop", "--momentum", 0.5, "--json",
    )  # fmt: skip
    assert result.code == 0, result
    head_json = result.json["head"]
    assert head_json["name"].startswith(head.replace("-", "_")[:7])
    assert expected.items() <= head_json["settings"].items()
    assert result.json["optimizer"]["settings"]["momentum"] == 0.5


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "rmsprop"])
def test_convert_passes_the_weight_decay_to_each_optimizer(
    optimizer: str, image_base: bytes, tmp_path: Path, run: Run
) -> None:
    base, output = tmp_path / "base.tflite", tmp_path / "out.tflite"
    base.write_bytes(image_base)
    options = ["--classes", 3, "--optimizer", optimizer, "--weight-decay", 0.02]
    assert run("convert", base, "-o", output, *options).code == 0
    with PersonalModel(output) as model:
        assert model.manifest.weight_decay == 0.02


def test_convert_prints_the_next_step(image_base: bytes, tmp_path: Path, run: Run) -> None:
    base, output = tmp_path / "base.tflite", tmp_path / "out.tflite"
    base.write_bytes(image_base)
    result = run("convert", base, "-o", output, "--classes", 10, "--optimizer", "adam")
    assert result.code == 0
    assert "capacity: 10 classes" in result.out
    assert "sartor fit" in result.out
    assert "note: " in result.err  # the base has no metadata on the scaling of images
    with PersonalModel(output) as model:
        assert model.manifest.optimizer.name == "adam"


def test_fit_continues_from_a_checkpoint(
    model: Path, train: Path, tmp_path: Path, run: Run
) -> None:
    path = tmp_path / "mine.safetensors"
    first = run("fit", model, train, "--checkpoint", path, "--epochs", 30)
    assert first.code == 0
    assert "100.0 %" in first.out
    assert f"saved in {path}" in first.out
    assert first.err.startswith("12 photos new: blue 4, green 4, red 4\n")
    assert "note: the photos of each class are as alike as those of one burst" in first.err
    second = run("fit", model, train, "--checkpoint", path, "--epochs", 30, "--json").json
    assert second["classes"] == list(COLORS)
    assert second["samples"] == 12
    assert second["epochs"] == 30
    assert second["accuracy"] == 1
    assert second["stopped"] is False
    assert second["new_samples"] == 0
    assert run("inspect", path, "--json").json["samples_seen"] == 12


def test_fit_is_deterministic(model: Path, train: Path, tmp_path: Path, run: Run) -> None:
    paths = [tmp_path / f"{i}.safetensors" for i in range(2)]
    for path in paths:
        run("fit", model, train, "--checkpoint", path, "--epochs", 3, "--seed", 7)
    first, second = (run("inspect", path, "--json").json for path in paths)
    assert first["tensors"] == second["tensors"]
    results = [run("predict", model, train / "red" / "0.png", "--checkpoint", p, "--json").json
               for p in paths]  # fmt: skip
    assert results[0] == results[1]


def test_predict_prints_the_probabilities_of_each_photo(
    model: Path, checkpoint: Path, held_out: Path, run: Run
) -> None:
    files = [held_out / color / "0.png" for color in COLORS]
    photos = run("predict", model, "--checkpoint", checkpoint, *files, "--json").json
    assert [photo["file"] for photo in photos] == [str(file) for file in files]
    assert [photo["top"][0]["label"] for photo in photos] == list(COLORS)
    for photo in photos:
        assert len(photo["top"]) == 3
        assert sum(p["probability"] for p in photo["top"]) == pytest.approx(1)
    result = run("predict", model, "--checkpoint", checkpoint, *files, "--top", 1)
    assert result.code == 0
    for word in (*COLORS, "photo", "probability"):
        assert word in result.out


def test_evaluate_prints_the_metrics(
    model: Path, checkpoint: Path, held_out: Path, run: Run
) -> None:
    evaluation = run("evaluate", model, held_out, "--checkpoint", checkpoint, "--json").json
    assert set(evaluation) == {
        "accuracy", "absolute_error", "loss", "calibration_error", "samples", "per_class",
        "confusion",
    }  # fmt: skip
    assert evaluation["accuracy"] == 1
    assert evaluation["samples"] == 9
    assert evaluation["per_class"] == dict.fromkeys(COLORS, 1)
    assert evaluation["confusion"]["red"] == {"blue": 0, "green": 0, "red": 3}
    result = run("evaluate", model, held_out, "--checkpoint", checkpoint)
    assert "accuracy 100.0 %" in result.out
    assert "red" in result.out


def test_a_baked_file_has_the_same_evaluation(
    model: Path, checkpoint: Path, held_out: Path, tmp_path: Path, run: Run
) -> None:
    output = tmp_path / "output.tflite"
    assert "weights and classes" in run("bake", model, "--checkpoint", checkpoint, "-o", output).out
    evaluation = run("evaluate", output, held_out, "--json").json
    assert evaluation == run("evaluate", model, held_out, "--checkpoint", checkpoint, "--json").json
    bake_json = run("bake", model, "--checkpoint", checkpoint, "-o", output, "--json").json
    assert bake_json == {"file": str(output), "bytes": output.stat().st_size, "notes": []}


def test_verify_prints_each_check(model: Path, run: Run) -> None:
    report = run("verify", model, "--json").json
    assert report["passed"] is True
    assert all(check["passed"] for check in report["checks"])
    result = run("verify", model)
    assert (result.code, result.err) == (0, "")
    assert "gradient of head/weights" in result.out


def test_inspect_describes_each_type_of_file(
    model: Path, checkpoint: Path, image_base: bytes, tmp_path: Path, run: Run
) -> None:
    base = tmp_path / "base.tflite"
    base.write_bytes(image_base)
    base_json = run("inspect", base, "--json").json
    assert base_json["kind"] == "model"
    assert [(each["op"], each["count"]) for each in base_json["ops"]] == [("FULLY_CONNECTED", 2)]
    assert base_json["inputs"][0]["shape"] == [1, 8, 10, 3]
    model_json = run("inspect", model, "--json").json
    assert model_json["kind"] == "personalizable model"
    assert {"infer", "train"} <= {each["key"] for each in model_json["signatures"]}
    fingerprints = model_json["manifest"]["fingerprints"]
    assert len(model_json["manifest"]["classes"]) == 4
    assert set(fingerprints) == {"base", "head", "optimizer"}
    checkpoint_json = run("inspect", checkpoint, "--json").json
    assert checkpoint_json["kind"] == "checkpoint"
    assert checkpoint_json["classes"] == list(COLORS)
    assert checkpoint_json["fingerprints"] == fingerprints
    for path in (base, model, checkpoint):
        result = run("inspect", path)
        assert (result.code, result.err) == (0, "")
        assert result.out.startswith(f"{path}: ")


def test_inspect_takes_the_name_of_a_base_as_convert_does(run: Run) -> None:
    result = run("inspect", "starter", "--json")
    assert (result.code, result.err) == (0, "")
    assert result.json["inputs"][0]["shape"] == [1, 224, 224, 3]
    assert result.json["bytes"] > 4_000_000


@pytest.mark.parametrize("name", ["startr", "Starter"])
def test_inspect_suggests_the_name_of_a_base(name: str, run: Run) -> None:
    result = run("inspect", name)
    assert (result.code, result.out) == (1, "")
    assert f"{name} does not exist: did you mean 'starter'?" in result.err


@pytest.mark.parametrize(
    "arguments", [("fit", "starter", "."), ("predict", "starter", "x.jpg"), ("verify", "starter")]
)
def test_commands_of_a_model_say_how_to_convert_a_base(
    arguments: tuple[str, ...], run: Run
) -> None:
    result = run(*arguments)
    assert (result.code, result.out) == (2, "")
    assert "sartor convert starter -o model.tflite --classes 10" in " ".join(result.err.split())


def test_inspect_names_a_missing_file(run: Run) -> None:
    assert "photos.tflite does not exist: check the path" in run("inspect", "photos.tflite").err


def test_labels_are_not_markup(
    model: Path, train: Path, held_out: Path, tmp_path: Path, run: Run
) -> None:
    (train / "red").rename(train / "[red]")
    path = tmp_path / "mine.safetensors"
    assert "[red]" in run("fit", model, train, "--checkpoint", path).out
    assert "[red]" in run("predict", model, held_out / "red" / "0.png", "--checkpoint", path).out


@pytest.mark.parametrize(
    ("arguments", "modules"),
    [
        (["--help"], ["numpy", "rich", "PIL", "ai_edge_litert", "safetensors"]),
        (
            ["convert", "BASE", "-o", "OUT", "--classes", "3", "--preprocessing", "0..1"],
            ["rich", "PIL", "safetensors", "ai_edge_litert.interpreter", "sartor.runtime"],
        ),
    ],
)
def test_commands_import_only_the_modules_that_they_use(
    arguments: list[str], modules: list[str], image_base: bytes, tmp_path: Path
) -> None:
    (tmp_path / "BASE").write_bytes(image_base)
    program = (
        "import sys, json, contextlib, typer; before = set(sys.modules)  # older typer loads rich\n"
        "import sartor.cli\n"
        f"with contextlib.suppress(SystemExit): sartor.cli.main({arguments!r})\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    process = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    new_modules = json.loads(process.stdout.splitlines()[-1])
    assert [name for name in modules if name in new_modules] == []


def test_importing_sartor_is_fast_and_convert_is_the_function() -> None:
    program = (
        "import sys, sartor; assert 'numpy' not in sys.modules\n"
        "import sartor.convert; assert sartor.convert is not sys.modules['sartor.convert']\n"
        "assert sartor.convert.__name__ == 'convert'\n"
        "assert all(getattr(sartor, name) is not None for name in sartor.__all__)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    assert set(sartor.__all__) <= set(dir(sartor))
