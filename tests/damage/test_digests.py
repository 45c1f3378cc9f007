"""The digest covers the whole model, baked weights too, and every reader compares it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from readers import READERS, Files

import sartor
from sartor import PersonalModel
from sartor.contract.digest import model_digest
from sartor.contract.manifest import Manifest
from sartor.contract.names import MANIFEST_FILE
from sartor.errors import SartorError
from sartor.flatbuffer import append_files, files_start, read
from sartor.runtime import bake

Convert = Callable[..., Path]
FLIPS = 60


@pytest.fixture
def files(tiny: Convert, tmp_path: Path) -> Files:
    """Train `model.tflite`, and bake it into `baked.tflite`."""
    result = Files(tmp_path / "a.safetensors", tmp_path / "a.samples", tmp_path / "output")
    with PersonalModel(tiny("model"), store=result.store, photos=True) as model:
        for value in range(6):
            model.add_sample(np.full((1, 8), value, np.float32), "low" if value < 3 else "high")
        model.fit(3)
        model.save(result.checkpoint)
    bake(tmp_path / "model.tflite", result.checkpoint, tmp_path / "baked.tflite")
    return result


def with_manifest(path: Path, change: Callable[[Manifest, bytes], Mapping[str, bytes]]) -> None:
    """Replace the appended files of a model by those that `change` returns."""
    content = path.read_bytes()
    flatbuffer, model = content[: files_start(content)], read(content)
    manifest = Manifest.from_json(model.files[MANIFEST_FILE])
    path.write_bytes(append_files(flatbuffer, {**model.files, **change(manifest, flatbuffer)}))


@pytest.mark.parametrize("name", READERS)
def test_a_baked_file_is_read(files: Files, tmp_path: Path, name: str) -> None:
    READERS[name](tmp_path / "baked.tflite", files)


def test_every_flipped_bit_of_a_baked_weight_is_refused(files: Files, tmp_path: Path) -> None:
    path = tmp_path / "baked.tflite"
    content = path.read_bytes()
    with PersonalModel(path) as model:
        weights = next(each for each in model.manifest.variables if each.name == "head/weights")
    bits = np.random.default_rng(0).integers(0, 8 * 4 * np.prod(weights.shape), FLIPS)
    for bit in (8 * weights.offset + bits).tolist():
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        with pytest.raises(SartorError, match="damaged"):
            PersonalModel(path)


@pytest.mark.parametrize("name", READERS)
def test_every_reader_refuses_a_flipped_bit(files: Files, tmp_path: Path, name: str) -> None:
    """The bit is in a weight of the base, so that the file is a valid model."""
    path = tmp_path / "baked.tflite"
    content = bytearray(path.read_bytes())
    constants = (each.data for each in read(bytes(content)).main.tensors if each.data is not None)
    position = content.index(max(constants, key=len).tobytes())
    content[position] ^= 1
    path.write_bytes(content)
    with pytest.raises(SartorError, match="digest"):
        READERS[name](path, files)
    assert not files.output.exists()


@pytest.mark.parametrize("name", READERS)
def test_every_reader_refuses_a_file_without_digest(
    files: Files, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "baked.tflite"

    def remove(manifest: Manifest, _: bytes) -> dict[str, bytes]:
        text = manifest.to_json().replace(f'"{manifest.digest}"', "null")
        return {MANIFEST_FILE: text.encode()}

    with_manifest(path, remove)
    with pytest.raises(SartorError, match="digest must be a string, got None"):
        READERS[name](path, files)
    assert not files.output.exists()


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("offset", [0, 4, 10**7, 2**62])
def test_every_reader_refuses_wrong_offsets(
    files: Files, tmp_path: Path, name: str, offset: int
) -> None:
    """The digest is correct: another tool wrote the file."""
    path = tmp_path / "baked.tflite"

    def move(manifest: Manifest, flatbuffer: bytes) -> dict[str, bytes]:
        text = manifest.to_json()
        first = manifest.variables[0]
        assert manifest.digest == model_digest(flatbuffer)
        return {
            MANIFEST_FILE: text.replace(f'"offset":{first.offset}', f'"offset":{offset}').encode()
        }

    with_manifest(path, move)
    with pytest.raises(SartorError, match="initial value"):
        READERS[name](path, files)
    assert not files.output.exists()


def test_a_base_without_manifest_needs_no_digest(tiny_base: bytes, tmp_path: Path) -> None:
    path = tmp_path / "base.tflite"
    path.write_bytes(tiny_base)
    assert sartor.convert(path, classes=2).manifest.digest
    assert READERS["inspect"](path, Files(path, path, path))
