"""Low-rank updates of the weights of tuned layers (LoRA)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from head_files import file_of, residual_base

import sartor
from sartor import PersonalModel
from sartor.cli import main
from sartor.errors import ConversionError
from sartor.graph import Tensor
from sartor.heads import FineTune
from sartor.litert import open_model
from sartor.ops import emit, mean
from sartor.testing import verify_contract

CLASSES, BATCH, SIZE = ["a", "b", "c"], 4, (1, 6, 5, 3)


def convert(head: FineTune, seed: int = 0) -> sartor.PersonalizableModel:
    base = file_of(lambda x, _: residual_base(x, np.random.default_rng(seed)), *SIZE)
    return sartor.convert(base, classes=CLASSES, head=head, batch_size=BATCH, normalize=False)


def images(count: int) -> np.ndarray:
    patterns = np.random.default_rng(7).normal(size=(3, *SIZE))
    noise = np.random.default_rng(1).normal(size=(count, *SIZE))
    return np.asarray([patterns[i % 3] + 0.5 * each for i, each in enumerate(noise)], np.float32)


def add(model: PersonalModel, count: int = 12) -> None:
    for number, image in enumerate(images(count)):
        model.add_sample(image, CLASSES[number % 3])


def outputs(model: PersonalModel) -> list[float]:
    return [model.predict_values(image)[name] for image in images(6) for name in CLASSES]


@pytest.mark.parametrize("rank", [1, 3, 6])
def test_a_new_file_predicts_like_one_with_whole_weights(rank: int, tmp_path: Path) -> None:
    """The update is 0 at first."""
    results = []
    for name, head in ("whole", FineTune(2)), ("low", FineTune(2, lora_rank=rank)):
        with PersonalModel(convert(head).save(tmp_path / f"{name}.tflite")) as model:
            add(model, 3)
            results.append(outputs(model))
    np.testing.assert_allclose(results[1], results[0], atol=1e-5)


@pytest.mark.parametrize("optimizer", [sartor.SGD(), sartor.Adam()])
def test_the_gradients_verify(optimizer: sartor.SGD | sartor.Adam) -> None:
    base = file_of(residual_base, *SIZE)
    model = sartor.convert(
        base, classes=CLASSES, head=FineTune(2, lora_rank=2), optimizer=optimizer, batch_size=BATCH
    )
    shapes = {each.name: each.shape for each in model.manifest.variables}
    assert shapes["head/layers/layer_1/weights/a"] == (2, 6 * 9)
    assert shapes["head/layers/layer_1/weights/b"] == (8, 2)
    assert "head/layers/layer_1/weights" not in shapes
    report = verify_contract(model.content)
    assert report.passed, report.failures


def test_training_changes_the_updates_and_a_frozen_file_contains_them(tmp_path: Path) -> None:
    path = convert(FineTune(2, lora_rank=2)).save(tmp_path / "model.tflite")
    with PersonalModel(path) as model:
        add(model)
        before = model._state.engine.variables()
        head = model.fit(None, lambda _: None, depth="head")
        history = model.fit(None, lambda _: None, depth="layers")
        after = model._state.engine.variables()
        expected = model.predict_values(images(1)[0])
        model.save(tmp_path / "model.safetensors")
    assert history.epochs[-1].loss < head.epochs[-1].loss
    for name in ("head/layers/layer_1/weights/a", "head/layers/layer_2/weights/b"):
        assert np.abs(after[name] - before[name]).max() > 1e-3
    frozen = tmp_path / "frozen.tflite"
    sartor.freeze(path, frozen, tmp_path / "model.safetensors")
    interpreter = Interpreter(str(frozen))
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], images(1)[0])
    interpreter.invoke()
    actual = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
    np.testing.assert_allclose(actual, list(expected.values()), atol=1e-5)


def test_a_checkpoint_of_other_weights_or_another_rank_does_not_load() -> None:
    """An update belongs to the weights that it updates."""
    heads = [
        convert(head, seed).manifest.fingerprints.head
        for head, seed in (
            (FineTune(2, lora_rank=2), 0),
            (FineTune(2, lora_rank=3), 0),
            (FineTune(2, lora_rank=2), 1),
            (FineTune(2), 0),
        )
    ]
    assert len(set(heads)) == len(heads)


def depthwise_base(x: Tensor, random: np.random.Generator) -> Tensor:
    weights = np.asarray(random.normal(size=(1, 3, 3, 3)), np.float32)
    y = emit(
        "DEPTHWISE_CONV_2D", x, weights, np.zeros(3, np.float32), strideH=1, strideW=1,
        depthMultiplier=1,
    )  # fmt: skip
    return mean(y, [1, 2])


def test_wrong_options() -> None:
    for rank in (0, -1, 1.5, True):
        with pytest.raises(ConversionError, match="lora_rank"):
            FineTune(lora_rank=rank)  # type: ignore[arg-type]
    with pytest.raises(ConversionError, match="biases_only or lora_rank"):
        FineTune(biases_only=True, lora_rank=1)
    convert(FineTune(2, lora_rank=6))
    with pytest.raises(ConversionError, match="lora_rank must be at most 6"):
        convert(FineTune(2, lora_rank=7))
    base = file_of(depthwise_base, *SIZE)
    with pytest.raises(ConversionError, match="no layer has weights for low-rank updates"):
        sartor.convert(base, classes=3, head=FineTune(1, lora_rank=1))


def test_the_command_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    base, output = tmp_path / "base.tflite", tmp_path / "model.tflite"
    base.write_bytes(file_of(residual_base, *SIZE))
    command = ["convert", str(base), "-o", str(output), "--classes", "3", "--lora-rank", "2"]
    with pytest.raises(SystemExit):
        main(command)
    assert "add --fine-tune 1" in capfd.readouterr().err
    with pytest.raises(SystemExit) as exit_info:
        main([*command, "--fine-tune", "2"])
    assert exit_info.value.code == 0
    names = {each.name for each in open_model(output).variables}
    assert "head/layers/layer_1/weights/a" in names
