"""A memory budget chooses the number of layers that a file trains."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import sartor
from sartor import MLP, Adam
from sartor.cli import main
from sartor.errors import ConversionError
from sartor.heads import FineTune
from sartor.inspection import ModelDescription, TrainingDepth

RESNET = "pretrainedResnet.tflite"
BATCH = 8


@pytest.fixture(scope="module")
def base(shared_models: Path) -> Path:
    return shared_models / RESNET


@pytest.fixture(scope="module")
def depths(base: Path) -> tuple[TrainingDepth, ...]:
    description = sartor.describe(base, classes=4, batch_size=BATCH)
    assert isinstance(description, ModelDescription)
    assert description.training is not None
    return description.training.depths


def convert(base: Path, budget: int, **options: object) -> sartor.PersonalizableModel:
    head = FineTune(memory_budget=budget, **options)  # type: ignore[arg-type]
    return sartor.convert(base, classes=4, head=head, batch_size=BATCH)


@pytest.mark.parametrize("last", [1, 4, 9])
def test_the_deepest_that_fits_is_chosen(
    base: Path, depths: tuple[TrainingDepth, ...], last: int
) -> None:
    model = convert(base, depths[last].cost.memory)
    assert model.manifest.head.name == "fine_tune"
    assert model.manifest.head.settings["last"] == last
    fixed = sartor.convert(base, classes=4, head=FineTune(last), batch_size=BATCH)
    assert model.content == fixed.content
    assert ("; with the last" in model.cut) == (last < 9)


def test_less_than_the_first_layer_needs_gives_the_head_alone(
    base: Path, depths: tuple[TrainingDepth, ...]
) -> None:
    model = convert(base, depths[1].cost.memory - 1)
    assert (
        model.content == sartor.convert(base, classes=4, batch_size=BATCH, optimizer=Adam()).content
    )
    assert re.search(r"training takes about [\d.]+ MB of [\d.]+ MB; with the last layer", model.cut)


def test_the_options_of_the_layers_count(base: Path, depths: tuple[TrainingDepth, ...]) -> None:
    head = FineTune(memory_budget=depths[3].cost.memory, biases_only=True, head=MLP((8,)))
    model = sartor.convert(base, classes=4, head=head, batch_size=BATCH, optimizer=Adam())
    assert model.manifest.head.settings["biases_only"]
    assert 0 < model.manifest.head.settings["last"] < 9


def test_the_error_states_what_the_head_needs(
    base: Path, depths: tuple[TrainingDepth, ...]
) -> None:
    with pytest.raises(ConversionError, match="the head alone takes about") as error:
        convert(base, depths[0].cost.memory - 1)
    (advice,) = re.findall(r"memory_budget=(\w+)", str(error.value))
    assert convert(base, int(advice)).manifest.head.name == "softmax_classifier"
    with pytest.raises(ConversionError, match="more memory than 64 bytes"):
        convert(base, 64)


def test_last_and_a_budget_contradict_each_other() -> None:
    with pytest.raises(ConversionError, match="got last and memory_budget"):
        FineTune(last=2, memory_budget=10**7)
    with pytest.raises(ConversionError, match="memory_budget"):
        FineTune(memory_budget=0)


def command(base: Path, path: Path, *options: str) -> int:
    with pytest.raises(SystemExit) as exit_info:
        main(["convert", str(base), "-o", str(path), "--classes", "4", *options])
    return int(exit_info.value.code or 0)


@pytest.mark.parametrize("budget", ["20MB", "20_000_000", "0.02 gb", "20000kB"])
def test_the_command_states_the_reason(
    base: Path, budget: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code = command(base, tmp_path / "model.tflite", "--memory-budget", budget, "--biases-only")
    out = capfd.readouterr().out
    assert code == (2 if "_" in budget else 0)
    assert code or "MB of 20 MB; with the last" in out


def test_the_command_refuses_two_choices(
    base: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    options = ("--memory-budget", "20MB", "--fine-tune", "2")
    assert command(base, tmp_path / "model.tflite", *options) == 2
    assert "leave --fine-tune out" in capfd.readouterr().err
