"""Files that went wrong once: every function that reads one refuses it in words."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from readers import READERS, Files

import sartor
from sartor import PersonalModel
from sartor.errors import SartorError
from sartor.inspection import describe
from sartor.litert import open_model
from sartor.runtime import bake

FOLDER = Path(__file__).parents[2].parent / "shared" / "cases"
Convert = Callable[..., Path]

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the shared folder is not there")

MODELS = {
    "crash_scale0_hello_world_int8.tflite": "has a scale of 0.0, expected a positive number",
    "crash_scale1e-40_kws_ref_model.tflite": "has a scale of 1e-40, expected a positive number",
    "F_crash_n446.tflite": "RESHAPE takes a shape of 128 sizes",
    "baked_flip_top1.tflite": "sartor.json",
    "bake_offset.tflite": "sartor.json",
}
CHECKPOINTS = sorted(path.name for path in (FOLDER / "damaged").glob("C_*"))
STORES = sorted(path.name for path in (FOLDER / "damaged").glob("S_*"))
PROJECTS = sorted(path.name for path in (FOLDER / "damaged").glob("*.sartor"))
IMAGES = sorted(path.name for path in (FOLDER / "damaged").glob("bomb_*"))
BASES = sorted(path.name for path in (FOLDER / "models").glob("*"))


@pytest.fixture
def files(tiny: Convert, tmp_path: Path) -> Files:
    """Return the files of a trained model, `model.tflite`."""
    result = Files(tmp_path / "a.safetensors", tmp_path / "a.samples", tmp_path / "output")
    with PersonalModel(tiny("model"), store=result.store) as model:
        for value in range(4):
            model.add_sample(np.full((1, 8), value, np.float32), "low" if value < 2 else "high")
        model.fit(2)
        model.save(result.checkpoint)
    return result


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", MODELS)
def test_a_damaged_model_is_refused(files: Files, name: str, reader: str) -> None:
    with pytest.raises(SartorError, match=MODELS[name]):
        READERS[reader](FOLDER / "damaged" / name, files)
    assert not files.output.exists()


def test_a_custom_op_without_shape_is_described_and_not_cut(files: Files) -> None:
    path = FOLDER / "damaged" / "F_raw_9ab92c.tflite"
    assert describe(path)
    with pytest.raises(SartorError):
        sartor.convert(path, classes=3)


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_damaged_checkpoint_is_refused(files: Files, tmp_path: Path, name: str) -> None:
    checkpoint, path = FOLDER / "damaged" / name, tmp_path / "model.tflite"
    for function in (
        lambda: bake(path, checkpoint, files.output),
        lambda: sartor.freeze(path, files.output, checkpoint),
        lambda: describe(checkpoint),
    ):
        with pytest.raises(SartorError, match=r"digest|damaged"):
            function()
    with PersonalModel(path) as model:
        model.load(files.checkpoint)
        before = model.predict(np.ones((1, 8), np.float32))
        with pytest.raises(SartorError, match=r"digest|damaged"):
            model.load(checkpoint)
        assert model.predict(np.ones((1, 8), np.float32)) == before
    assert not files.output.exists()


@pytest.mark.parametrize("name", STORES)
def test_a_damaged_store_is_refused(files: Files, tmp_path: Path, name: str) -> None:
    store = tmp_path / name
    store.write_bytes((FOLDER / "damaged" / name).read_bytes())
    content = store.read_bytes()
    with pytest.raises(SartorError, match=r"store|version"):
        PersonalModel(tmp_path / "model.tflite", store=store)
    assert store.read_bytes() == content


@pytest.mark.parametrize("name", PROJECTS)
def test_a_damaged_project_is_refused_and_changes_nothing(
    files: Files, tmp_path: Path, name: str
) -> None:
    with PersonalModel(tmp_path / "model.tflite", store=files.store) as model:
        model.load(files.checkpoint)
        samples, answer = model.samples, model.predict(np.ones((1, 8), np.float32))
        with pytest.raises(SartorError):
            model.import_project(FOLDER / "damaged" / name)
        assert model.samples == samples
        assert model.predict(np.ones((1, 8), np.float32)) == answer


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_of_great_cost_is_refused(image_model: Convert, name: str) -> None:
    image = FOLDER / "damaged" / name
    with PersonalModel(image_model()) as model:
        with pytest.raises(SartorError, match="MB to decode"):
            model.predict(image)
        with pytest.raises(SartorError, match="MB to decode"):
            model.add_sample(image, "hat", augment=1)
        assert not model.samples


@pytest.mark.parametrize("name", BASES)
def test_a_model_of_a_user_is_converted_or_refused_in_words(name: str, tmp_path: Path) -> None:
    """What `convert` returns opens; no other error than ours appears."""
    path = FOLDER / "models" / name
    assert describe(path)
    with contextlib.suppress(SartorError):
        result = sartor.convert(path, classes=3)
        output = result.save(tmp_path / "model.tflite")
        assert open_model(output) == result.manifest
