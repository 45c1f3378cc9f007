"""PyTorch bases: equal features and a file that fulfills the contract and trains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import NEEDED

pytest.importorskip("litert_torch", reason=NEEDED)

import torch
from networks import Network, Numbers, Text, features, with_statistics

import sartor
from sartor.bases import PyTorch
from sartor.cli import main
from sartor.litert import Engine
from sartor.testing import verify_contract

TOLERANCE = 1e-4
IMAGENET_MEAN = (123.675, 116.28, 103.53)  # of torchvision, for pixels 0…255
IMAGENET_STD = (58.395, 57.12, 57.375)


@dataclass(frozen=True)
class Case:
    """A module, its inputs, and the expected inputs of the file: name → shape and modality."""

    make: Callable[[], Any]
    inputs: Callable[[int], tuple[Any, ...]]
    expected: dict[str, tuple[tuple[int, ...], str]]


def _vision(name: str) -> Any:
    return pytest.importorskip("torchvision").models.get_model(name, weights=None)


CASES = {
    "residual network": Case(
        Network,
        lambda rows: (torch.rand(rows, 3, 32, 40),),
        {"input": ((1, 32, 40, 3), "image")},
    ),
    "gray images": Case(
        lambda: Network(channels=1),
        lambda rows: (torch.rand(rows, 1, 28, 28),),
        {"input": ((1, 28, 28, 1), "image")},
    ),
    "feature map": Case(
        lambda: Network(channels=32),
        lambda rows: (torch.rand(rows, 32, 7, 7),),
        {"input": ((1, 32, 7, 7), "tensor")},
    ),
    "two inputs": Case(
        Text,
        lambda rows: (
            torch.randint(0, 50, (rows, 6)),
            torch.tensor([[1.0] * 4 + [0.0] * 2] * rows),
        ),
        {"ids": ((1, 6), "tensor"), "mask": ((1, 6), "tensor")},
    ),
    "numbers": Case(Numbers, lambda rows: (torch.randn(rows, 12),), {"input": ((1, 12), "tensor")}),
    "resnet18": Case(
        lambda: _vision("resnet18"),
        lambda rows: (torch.rand(rows, 3, 64, 64),),
        {"input": ((1, 64, 64, 3), "image")},
    ),
    "mobilenet_v3_small": Case(
        lambda: _vision("mobilenet_v3_small"),
        lambda rows: (torch.rand(rows, 3, 64, 64),),
        {"input": ((1, 64, 64, 3), "image")},
    ),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def _infer(path: Path, inputs: tuple[Any, ...]) -> np.ndarray:
    """Return the features of the file for the inputs of PyTorch."""
    with sartor.PersonalModel(path) as model:
        specs = model.manifest.inputs
        engine = Engine(path, model.manifest, threads=1)
    values = [each.numpy() for each in inputs]
    channels_last = [
        value.transpose(0, 2, 3, 1) if spec.modality == "image" else value
        for value, spec in zip(values, specs, strict=True)
    ]
    feeds = {
        spec.name: np.ascontiguousarray(value, spec.dtype)
        for value, spec in zip(channels_last, specs, strict=True)
    }
    return engine.run("infer", feeds)["features"]


def _assert_close(actual: np.ndarray, reference: Any) -> None:
    expected = reference.numpy()
    assert expected.std() > 0
    np.testing.assert_allclose(actual, expected, atol=TOLERANCE * np.abs(expected).max())


def test_features_agree_with_pytorch_and_the_file_verifies(case: Case, tmp_path: Path) -> None:
    torch.manual_seed(1)
    module = with_statistics(case.make(), *case.inputs(4))
    path = sartor.convert(PyTorch(module, case.inputs(2)), classes=3).save(tmp_path / "m.tflite")
    with sartor.PersonalModel(path) as model:
        specs = {spec.name: (tuple(spec.shape), spec.modality) for spec in model.manifest.inputs}
    assert specs == case.expected
    inputs = case.inputs(1)
    _assert_close(_infer(path, inputs), features(module, *inputs))
    report = verify_contract(path)
    assert report.passed, report


@pytest.mark.parametrize("sizes", ["fixed", "free batch", "free batch of two or more"])
@pytest.mark.parametrize("name", ["residual network", "two inputs"])
def test_an_exported_program_is_the_same_base(name: str, sizes: str, tmp_path: Path) -> None:
    case = CASES[name]
    torch.manual_seed(1)
    module = with_statistics(case.make(), *case.inputs(4))
    rows = torch.export.Dim("rows", min=2 if "two" in sizes else 1)
    dynamic_shapes = None if sizes == "fixed" else tuple({0: rows} for _ in case.inputs(1))
    example = case.inputs(1 if dynamic_shapes is None else 3)
    program = torch.export.export(module, example, dynamic_shapes=dynamic_shapes)
    torch.export.save(program, tmp_path / "model.pt2")
    path = tmp_path / "m.tflite"
    with pytest.raises(SystemExit) as exit_info:
        main(["convert", str(tmp_path / "model.pt2"), "-o", str(path), "--classes", "3"])
    assert not exit_info.value.code
    with sartor.PersonalModel(path) as model:
        specs = {spec.name: (tuple(spec.shape), spec.modality) for spec in model.manifest.inputs}
    assert specs == case.expected
    inputs = case.inputs(1)
    _assert_close(_infer(path, inputs), features(module, *inputs))


def test_example_inputs_determine_dynamic_sizes(tmp_path: Path) -> None:
    module = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(8, 2),
    ).eval()
    sizes = {2: torch.export.Dim("h", min=8, max=512), 3: torch.export.Dim("w", min=8, max=512)}
    program = torch.export.export(module, (torch.rand(1, 3, 64, 64),), dynamic_shapes=(sizes,))
    torch.export.save(program, tmp_path / "model.pt2")
    base = PyTorch(tmp_path / "model.pt2", torch.rand(1, 3, 24, 32))
    path = sartor.convert(base, classes=3).save(tmp_path / "m.tflite")
    inputs = (torch.rand(1, 3, 24, 32),)
    _assert_close(_infer(path, inputs), features(module, *inputs))


def test_a_few_samples_are_learned_with_named_preprocessing(
    tmp_path: Path,
) -> None:
    torch.manual_seed(1)
    module = with_statistics(Network(), torch.randn(4, 3, 32, 32))
    base = PyTorch(module, torch.zeros(1, 3, 32, 32))
    conversion = sartor.convert(base, classes=3, mean=IMAGENET_MEAN, std=IMAGENET_STD)
    rng = np.random.default_rng(0)
    colors = {"red": (220, 40, 40), "green": (40, 220, 40), "blue": (40, 40, 220)}

    def draw(label: str) -> np.ndarray:
        noise = rng.normal(0, 25, (32, 32, 3))
        return np.clip(np.array(colors[label]) + noise, 0, 255).astype(np.uint8)

    with sartor.PersonalModel(conversion.save(tmp_path / "m.tflite")) as model:
        (spec,) = model.manifest.inputs
        assert (spec.mean, spec.std) == (IMAGENET_MEAN, IMAGENET_STD)
        for label in list(colors) * 4:
            model.add_sample(draw(label), label)
        model.fit()
        assert model.evaluate([(draw(label), label) for label in colors]).accuracy == 1


def test_a_module_in_training_mode_converts_and_does_not_change(
    tmp_path: Path,
) -> None:
    torch.manual_seed(1)
    module = with_statistics(Network(), torch.randn(4, 3, 32, 32))
    inputs = (torch.rand(1, 3, 32, 32),)
    expected = features(module, *inputs)
    module.train()
    module.blocks[0].norm.eval()  # a layer with frozen statistics
    modes = [part.training for part in module.modules()]
    state = {name: value.clone() for name, value in module.state_dict().items()}
    path = sartor.convert(PyTorch(module, inputs), classes=3).save(tmp_path / "m.tflite")
    assert [part.training for part in module.modules()] == modes
    assert all(torch.equal(value, state[name]) for name, value in module.state_dict().items())
    _assert_close(_infer(path, inputs), expected)


def test_conversion_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    content = PyTorch(Numbers(), torch.zeros(1, 12)).content()
    assert content[4:8] == b"TFL3"
    assert capfd.readouterr() == ("", "")
