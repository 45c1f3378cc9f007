"""The page docs/inspect.md shows the output of the command."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from inspect_helpers import command

import sartor
from sartor.inspection import ModelDescription

PAGE = Path(__file__).parents[2] / "docs" / "inspect.md"
MODELS = {
    "mobilenet_v2.tflite": "tf2_mobilenet_v2_1.0_224_ptq.tflite",
    "person.tflite": "vww_96_float.tflite",
}
TRAINED = "resnet.tflite", "pretrainedResnet.tflite"


@pytest.fixture
def folder(shared_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, model in [*MODELS.items(), TRAINED]:
        shutil.copy(shared_models / model, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", MODELS)
def test_the_page_shows_what_the_command_prints(
    name: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    example = re.search(
        rf"^\$ sartor inspect {re.escape(name)}\n(.*?)^```",
        PAGE.read_text(),
        re.DOTALL | re.MULTILINE,
    )
    assert example is not None
    _, out, _ = command(capfd, "inspect", name)
    assert example[1] == out, f"run `sartor inspect` on {MODELS[name]} again, and copy its output"


def test_the_page_shows_the_cost_of_training(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    example = re.search(
        r"^\$ sartor inspect resnet.tflite --classes 10\n\[…\]\n(.*?)^```",
        PAGE.read_text(),
        re.DOTALL | re.MULTILINE,
    )
    assert example is not None
    _, out, _ = command(capfd, "inspect", TRAINED[0], "--classes", "10")
    assert out.endswith(example[1]), "run `sartor inspect` again, and copy its output"


def test_the_code_of_the_page_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    exec(compile(code, "inspect.md", "exec"), {"sartor": sartor})
    description = sartor.describe("person.tflite")
    assert isinstance(description, ModelDescription)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == sum(cut.is_useful for cut in description.cuts)
