"""The photos of the demo: rendered views, and the folder of a user."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from sartor.demo import photos as photos_module
from sartor.demo.data import DemoData, load_folder
from sartor.demo.photos import NEW, PHOTOS, TABLES, open_photo
from sartor.demo.pixels import pixel_accuracy
from sartor.demo.rendering import SIDE, render_view
from sartor.errors import DataError

Folder = Callable[..., Path]


def noise(seed: int, size: tuple[int, int] = (90, 60)) -> PIL.Image.Image:
    rng = np.random.default_rng(seed)
    return PIL.Image.fromarray(rng.integers(0, 256, (*size[::-1], 3), dtype=np.uint8))


def render(seed: int) -> np.ndarray:
    return np.asarray(render_view(noise(1), [noise(2), noise(3)], np.random.default_rng(seed)))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Return a function that writes one folder per class: `folder(hat=3, shoe=2)`."""

    def write(**counts: int) -> Path:
        for index, (label, count) in enumerate(counts.items()):
            (tmp_path / label).mkdir()
            for number in range(count):
                noise(100 * index + number).save(tmp_path / label / f"{number}.png")
        return tmp_path

    return write


def read(path: Path, seed: int = 0) -> DemoData:
    return load_folder(path, seed, lambda done, total, text: None)


def bytes_of(examples: tuple[tuple[PIL.Image.Image, str], ...]) -> list[bytes]:
    return [image.tobytes() for image, _ in examples]


def test_the_seed_decides_the_view() -> None:
    assert render(0).shape == (SIDE, SIDE, 3)
    assert (render(0) == render(0)).all()
    assert np.abs(render(0).astype(int) - render(1)).mean() > 10


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (1200, 10)])
def test_photos_of_any_shape_can_be_rendered(size: tuple[int, int]) -> None:
    image = render_view(noise(0, size), [noise(1, size)], np.random.default_rng(0))
    assert image.size == (SIDE, SIDE)


def test_classes_and_tables_have_different_names() -> None:
    photos = [*PHOTOS, NEW, *TABLES]
    assert len({photo.label for photo in photos}) == len({photo.file for photo in photos}) == 13
    assert all(photo.credit for photo in photos)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos_module, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"pip install 'sartor\[demo\]'.*sartor demo --photos"):
        open_photo(NEW)


def test_training_and_test_photos_are_different(folder: Folder) -> None:
    photos = read(folder(cap=2, hat=3, shoe=9, tie=50))
    assert (photos.labels, photos.new) == (("cap", "hat", "shoe"), "tie")
    parts = [bytes_of(photos.training), bytes_of(photos.test), bytes_of(photos.new_test)]
    assert [len(part) for part in parts] == [1 + 2 + 6, 1 + 1 + 3, 13]
    assert photos.new_sample is not None
    contents = [*parts[0], *parts[1], *parts[2], photos.new_sample.tobytes()]
    assert len(set(contents)) == len(contents)


def test_the_seed_decides_the_test_photos(folder: Folder) -> None:
    path = folder(cap=6, hat=6)
    assert bytes_of(read(path).test) == bytes_of(read(path).test)
    assert bytes_of(read(path, 1).test) != bytes_of(read(path).test)


def test_with_two_classes_there_is_no_new_class(folder: Folder) -> None:
    photos = read(folder(cap=2, hat=2))
    assert (photos.labels, photos.new, photos.new_sample) == (("cap", "hat"), None, None)


def test_other_files_are_skipped_and_named(folder: Folder) -> None:
    path = folder(cap=2, hat=2)
    (path / "hat" / "notes.txt").write_text("hats")
    assert read(path).skipped == (str(path / "hat" / "notes.txt"),)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"cap": 3}, "one class, 'cap'"),
        ({"cap": 2, "hat": 1}, "1 photos of the class 'hat' can be read"),
    ],
)
def test_too_few_photos_are_refused(folder: Folder, counts: dict[str, int], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(folder(**counts))


def test_pixels_separate_colors_but_not_noise() -> None:
    def plain_image(level: int, seed: int) -> PIL.Image.Image:
        pixels = np.random.default_rng(seed).normal(level, 20, (20, 20, 3))
        return PIL.Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))

    def colors(start: int) -> list[tuple[PIL.Image.Image, str]]:
        return [(plain_image(60 + 60 * (i % 3), start + i), str(i % 3)) for i in range(30)]

    assert pixel_accuracy(colors(0), colors(100)) == 1.0
    random_images = [(noise(i), str(i % 3)) for i in range(60)]
    assert pixel_accuracy(random_images[:30], random_images[30:]) < 0.7
