"""Files that other programs change while a model is open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from blobs import PROBE, add_samples

from sartor import PersonalModel
from sartor.runtime import unpack_project

Convert = Callable[..., Path]


def truncate(path: Path) -> None:
    path.write_bytes(b"")


def overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))


def replace(path: Path) -> None:
    path.unlink()
    path.write_bytes(b"another file")


@pytest.mark.parametrize("change", [truncate, overwrite, Path.unlink, replace])
def test_an_open_model_does_not_depend_on_its_file(
    tiny: Convert, tmp_path: Path, change: Callable[[Path], object]
) -> None:
    expected = []
    for path in (tiny("unchanged"), tiny("changed")):
        content = path.read_bytes()
        with PersonalModel(path) as model:
            if path.stem == "changed":
                change(path)
            add_samples(model).fit()
            model.save(tmp_path / "mine.safetensors")
            model.load(tmp_path / "mine.safetensors")
            model.export_project(tmp_path / f"{path.stem}.sartor")
            expected.append(model.predict(PROBE))
        folder = unpack_project(tmp_path / f"{path.stem}.sartor", tmp_path / path.stem)
        assert (folder / "model.tflite").read_bytes() == content
    assert expected[0] == expected[1]


@pytest.mark.parametrize("change", [truncate, overwrite, Path.unlink, replace])
def test_a_loaded_checkpoint_does_not_depend_on_its_file(
    tiny: Convert, checkpoint: Path, change: Callable[[Path], object]
) -> None:
    with PersonalModel(tiny()) as model:
        model.load(checkpoint)
        before = model.predict(PROBE)
        change(checkpoint)
        assert model.predict(PROBE) == before
