"""Fine-tuning of the weights and biases that a regular expression selects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from head_files import dense, file_of, noise
from PIL import Image

import sartor
from sartor import PersonalModel
from sartor.cli import main
from sartor.errors import ConversionError
from sartor.graph import Tensor
from sartor.heads import FineTune
from sartor.inspection import ModelDescription
from sartor.ops import add, emit, mean, relu, reshape, softmax
from sartor.testing import verify_contract

BILINEAR = Image.Resampling.BILINEAR
CLASSES, BATCH = ["a", "b", "c"], 4
MOBILENET, VWW = "tf2_mobilenet_v2_1.0_224_ptq.tflite", "vww_96_float.tflite"


def convolve(x: Tensor, random: np.random.Generator, units: int, name: str) -> Tensor:
    weights, bias = noise(random, units, 3, 3, x.shape[3]), noise(random, units)
    options = {"strideH": 1, "strideW": 1, "fusedActivationFunction": 1}
    return emit("CONV_2D", x, weights, bias, name=name, **options)


def named_base(x: Tensor, random: np.random.Generator) -> Tensor:
    """Apply a stem, a residual block of two convolutions, a pool, and a classifier."""
    stem = convolve(x, random, 6, "net/stem")
    inside = convolve(convolve(stem, random, 8, "net/block/expand"), random, 6, "net/block/project")
    pooled = mean(relu(add(stem, inside)), [1, 2])
    return softmax(dense(reshape(pooled, (1, 6)), 5, random))


@pytest.fixture(scope="module")
def base() -> bytes:
    return file_of(named_base, 1, 6, 5, 3)


def convert(base: bytes | Path, tensors: str, **options: bool) -> sartor.PersonalizableModel:
    head = FineTune(tensors=tensors, **options)  # type: ignore[arg-type]
    return sartor.convert(base, classes=CLASSES, head=head, batch_size=BATCH)


def layer_shapes(model: sartor.PersonalizableModel) -> list[tuple[int, ...]]:
    return [
        spec.shape
        for spec in model.manifest.variables
        if spec.role == "parameter" and spec.name.startswith("head/layer")
    ]


EXPAND, PROJECT = [(8, 3, 3, 6), (8,)], [(6, 3, 3, 8), (6,)]


@pytest.mark.parametrize(
    ("tensors", "shapes", "features"),
    [
        ("project", PROJECT, [(6, 5, 6), (6, 5, 8)]),
        ("expand", EXPAND, [(6, 5, 6)]),
        ("block/.*/bias$", [EXPAND[1], PROJECT[1]], [(6, 5, 6)]),
        ("^net/stem/weights$", [(6, 3, 3, 3)], [(6, 5, 3)]),
        ("stem|project/bias", [(6, 3, 3, 3), (6,), (6,)], [(6, 5, 3)]),
    ],
)
def test_the_cut_is_before_the_first_that_matches(
    base: bytes, tensors: str, shapes: list[tuple[int, ...]], features: list[tuple[int, ...]]
) -> None:
    model = convert(base, tensors)
    assert layer_shapes(model) == shapes
    assert [spec.shape for spec in model.manifest.features] == features
    assert model.manifest.head.settings["tensors"] == tensors
    assert repr(tensors) in model.cut
    assert model.cut.endswith(f"; {len(shapes)} of 6 weights and biases are trained")


def test_biases_only_restricts_the_choice(base: bytes) -> None:
    assert layer_shapes(convert(base, "block", biases_only=True)) == [(8,), (6,)]


def test_all_layers_is_the_same_as_their_number(base: bytes, tmp_path: Path) -> None:
    number = sartor.convert(base, classes=CLASSES, head=FineTune(2), batch_size=BATCH)
    assert layer_shapes(convert(base, "block")) == layer_shapes(number)
    assert convert(base, "block").manifest.fingerprints == number.manifest.fingerprints


@pytest.mark.parametrize("tensors", ["expand", "stem/weights|project/bias"])
def test_the_gradients_verify_with_frozen_layers_between(base: bytes, tensors: str) -> None:
    report = verify_contract(convert(base, tensors).content)
    assert report.passed, report.failures


def test_a_checkpoint_restores_the_trained_layers(base: bytes, tmp_path: Path) -> None:
    model = convert(base, "expand")
    random = np.random.default_rng(1)
    samples = random.normal(size=(6, 6, 5, 3)).astype(np.float32)
    checkpoint = tmp_path / "checkpoint.safetensors"
    path = model.save(tmp_path / "model.tflite")
    with PersonalModel(path) as personal:
        for name, sample in zip(CLASSES * 2, samples, strict=True):
            personal.add_sample(sample[None], name)
        history = personal.fit(epochs=40)
        expected = [each.probability for each in personal.predict(samples[:1])]
        personal.save(checkpoint)
    assert history.epochs[-1].loss < history.epochs[0].loss
    with PersonalModel(path) as restored:
        restored.load(checkpoint)
        assert [each.probability for each in restored.predict(samples[:1])] == expected


def test_names_are_those_that_inspect_lists(shared_models: Path) -> None:
    path = shared_models / MOBILENET
    description = sartor.describe(path)
    assert isinstance(description, ModelDescription)
    name = description.layers[3].name  # the fourth from the end
    model = sartor.convert(path, classes=3, head=FineTune(tensors=f"^{name}/weights$"))
    assert len(layer_shapes(model)) == 1
    with pytest.raises(ConversionError, match=r"no weights or biases match 'nothing'") as error:
        sartor.convert(path, classes=3, head=FineTune(tensors="nothing"))
    assert f"{description.layers[1].name}/bias" in str(error.value)
    assert "before them (sartor inspect --all)" in str(error.value)


def test_the_command_takes_an_expression(
    base: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path, output = tmp_path / "base.tflite", tmp_path / "model.tflite"
    path.write_bytes(base)
    command = ["convert", str(path), "-o", str(output), "--classes", "3"]
    expected = {"block/": 0, "(": 1, "dense": 1}
    for tensors, code in expected.items():
        with pytest.raises(SystemExit) as exit_info:
            main([*command, "--fine-tune-tensors", tensors])
        assert int(exit_info.value.code or 0) == code
    with pytest.raises(SystemExit) as exit_info:
        main([*command, "--fine-tune-tensors", "block", "--fine-tune", "1"])
    assert exit_info.value.code == 2
    captured = capfd.readouterr()
    assert "the input of the first layer that 'block/' selects" in captured.out
    assert "net/block/expand/weights" in captured.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tensors": "("}, "regular expression"),
        ({"tensors": 3}, "regular expression"),
        ({"tensors": ""}, "tensors is empty.*--fine-tune-tensors"),
        ({"tensors": "a", "last": 2}, "got last and tensors"),
        ({"tensors": "a", "memory_budget": 9}, "got tensors and memory_budget"),
    ],
)
def test_options_that_do_not_fit(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        FineTune(**options)  # type: ignore[arg-type]
