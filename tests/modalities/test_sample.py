"""A sample is read once; its identity and stored bytes do not depend on later changes."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from sartor.contract.manifest import InputSpec
from sartor.contract.sample_store import pack
from sartor.errors import DataError, StoreError
from sartor.modalities import identity_of_name, image_pixels, load, load_stored
from sartor.modalities.image import modality as image_modality
from sartor.modalities.image import pixels

IMAGE = InputSpec("image", (1, 8, 10, 3), "uint8", "image")
FLOAT = InputSpec("image", (1, 8, 10, 3), "float32", "image", (127.0,), (128.0,))
TENSOR = InputSpec("numbers", (1, 4), "float32")
PIXELS = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    PIL.Image.fromarray(PIXELS).save(path)
    return path


def sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def test_a_file_is_read_once_and_decoded_once(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def decode(*args: object, **options: object) -> PIL.Image.Image:
        calls.append(args)
        return original(*args, **options)  # type: ignore[arg-type]

    original = pixels.decode
    monkeypatch.setattr(image_modality, "decode", decode)
    content = photo.read_bytes()
    sample = load([IMAGE], photo)
    photo.unlink()
    assert sample.identity == sha256(content)
    assert sample.stored_bytes() == content
    assert not calls
    np.testing.assert_array_equal(sample.inputs()["image"][0], image_pixels(PIXELS, (8, 10)))
    assert sample.thumbnail() is not None
    assert len(sample.augmentations(3, 0)) == 3
    assert len(calls) == 1


def test_the_identity_is_a_hash_of_the_content(photo: Path) -> None:
    digest = sha256(pack("uint8", PIXELS.ndim, *PIXELS.shape) + PIXELS.tobytes())
    assert load([IMAGE], PIXELS).identity == digest
    assert load([IMAGE], PIL.Image.fromarray(PIXELS)).identity == digest
    assert load([IMAGE], photo.read_bytes()).identity == load([IMAGE], photo).identity
    assert load([IMAGE], {"image": PIXELS}).identity == sha256(b"image\0" + digest)


def test_the_identity_of_a_tensor_does_not_depend_on_the_float_width() -> None:
    values = np.arange(4.0).reshape(1, 4)
    array = sha256(pack("float32", 2, 1, 4) + values.astype("<f4").tobytes())
    assert load([TENSOR], values).identity == sha256(b"numbers\0" + array)
    assert load([TENSOR], values.astype(np.float32)).identity == load([TENSOR], values).identity


def test_the_identity_of_several_inputs_ignores_their_order() -> None:
    tensor = np.ones((1, 4), np.float32)
    sample = load([IMAGE, TENSOR], {"image": PIXELS, "numbers": tensor})
    other = load([TENSOR, IMAGE], {"numbers": tensor, "image": PIXELS})
    assert sample.identity == other.identity


def test_a_name_identifies_a_sample() -> None:
    assert identity_of_name("asset 1") == sha256(b"name\0asset 1")


@pytest.mark.parametrize("spec", [IMAGE, FLOAT])
@pytest.mark.parametrize("input_type", ["path", "bytes", "array", "image", "mapping"])
def test_stored_bytes_give_the_same_inputs(spec: InputSpec, input_type: str, photo: Path) -> None:
    sample = {
        "path": photo, "bytes": photo.read_bytes(), "array": PIXELS,
        "image": PIL.Image.fromarray(PIXELS), "mapping": {"image": photo},
    }[input_type]  # fmt: skip
    loaded = load([spec], sample)  # type: ignore[arg-type]
    restored = load_stored([spec], loaded.stored_bytes())
    np.testing.assert_array_equal(restored.inputs()["image"], loaded.inputs()["image"])


def test_stored_bytes_of_several_inputs() -> None:
    specs = [IMAGE, TENSOR]
    loaded = load(specs, {"image": PIXELS, "numbers": np.arange(4.0).reshape(1, 4)})
    restored = load_stored(specs, loaded.stored_bytes())
    for name, array in loaded.inputs().items():
        np.testing.assert_array_equal(restored.inputs()[name], array)


def test_damaged_stored_bytes_are_refused() -> None:
    for start in (b"PK", b"\x93NUMPY"):
        with pytest.raises(StoreError, match="stored photo cannot be read"):
            load_stored([IMAGE], start + b"nonsense")
    with pytest.raises(DataError, match="not an image"):
        load_stored([IMAGE], b"nonsense").inputs()


def test_a_thumbnail_shows_the_pixels_of_the_input() -> None:
    for spec in (IMAGE, FLOAT):
        thumbnail = load([TENSOR, spec], {"image": PIXELS, "numbers": np.ones((1, 4))}).thumbnail()
        assert thumbnail is not None
        with PIL.Image.open(io.BytesIO(thumbnail)) as image:
            np.testing.assert_array_equal(np.asarray(image), image_pixels(PIXELS, (8, 10)))
    assert load([TENSOR], np.ones((1, 4))).thumbnail() is None


def test_a_missing_file_is_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load([IMAGE], tmp_path / "missing.jpg")
