"""What the demo shows a model: rendered views, and a user's own folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from sartor.demo import photos as photos_module
from sartor.demo.material import Material, of_folder
from sartor.demo.photos import NEW, PHOTOS, TABLES, open_photo
from sartor.demo.pixels import pixel_accuracy
from sartor.demo.views import SIDE, view
from sartor.errors import DataError

Folder = Callable[..., Path]


def noise(seed: int, size: tuple[int, int] = (90, 60)) -> PIL.Image.Image:
    rng = np.random.default_rng(seed)
    return PIL.Image.fromarray(rng.integers(0, 256, (*size[::-1], 3), dtype=np.uint8))


def one_view(seed: int) -> np.ndarray:
    return np.asarray(view(noise(1), [noise(2), noise(3)], np.random.default_rng(seed)))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Write a folder a class: `folder(hat=3, shoe=2)`."""

    def write(**counts: int) -> Path:
        for index, (label, count) in enumerate(counts.items()):
            (tmp_path / label).mkdir()
            for number in range(count):
                noise(100 * index + number).save(tmp_path / label / f"{number}.png")
        return tmp_path

    return write


def read(path: Path, seed: int = 0) -> Material:
    return of_folder(path, seed, lambda done, total, text: None)


def bytes_of(examples: tuple[tuple[PIL.Image.Image, str], ...]) -> list[bytes]:
    return [picture.tobytes() for picture, _ in examples]


def test_the_same_seed_renders_the_same_view_and_another_another() -> None:
    assert one_view(0).shape == (SIDE, SIDE, 3)
    assert (one_view(0) == one_view(0)).all()
    assert np.abs(one_view(0).astype(int) - one_view(1)).mean() > 10


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (1200, 10)])
def test_photos_of_any_shape_have_views(size: tuple[int, int]) -> None:
    picture = view(noise(0, size), [noise(1, size)], np.random.default_rng(0))
    assert picture.size == (SIDE, SIDE)


def test_classes_and_tables_have_names_of_their_own() -> None:
    every = [*PHOTOS, NEW, *TABLES]
    assert len({photo.label for photo in every}) == len({photo.file for photo in every}) == 13
    assert all(photo.credit for photo in every)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos_module, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"pip install 'sartor\[demo\]'.*sartor demo --photos"):
        open_photo(NEW)


def test_no_picture_of_a_folder_is_both_learned_and_tested(folder: Folder) -> None:
    found = read(folder(cap=2, hat=3, shoe=9, tie=50))
    assert (found.labels, found.new) == (("cap", "hat", "shoe"), "tie")
    parts = [bytes_of(found.training), bytes_of(found.test), bytes_of(found.new_test)]
    assert [len(part) for part in parts] == [1 + 2 + 6, 1 + 1 + 3, 13]
    assert found.new_sample is not None
    every = [*parts[0], *parts[1], *parts[2], found.new_sample.tobytes()]
    assert len(set(every)) == len(every)


def test_the_seed_decides_which_are_tested(folder: Folder) -> None:
    path = folder(cap=6, hat=6)
    assert bytes_of(read(path).test) == bytes_of(read(path).test)
    assert bytes_of(read(path, 1).test) != bytes_of(read(path).test)


def test_two_classes_leave_none_to_add(folder: Folder) -> None:
    found = read(folder(cap=2, hat=2))
    assert (found.labels, found.new, found.new_sample) == (("cap", "hat"), None, None)


def test_what_is_no_photo_is_left_out_and_named(folder: Folder) -> None:
    path = folder(cap=2, hat=2)
    (path / "hat" / "notes.txt").write_text("hats")
    assert read(path).skipped == (str(path / "hat" / "notes.txt"),)


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"cap": 3}, "one class, 'cap'"),
        ({"cap": 2, "hat": 1}, "1 photos of the class 'hat' can be read"),
    ],
)
def test_too_little_to_tell_apart(folder: Folder, counts: dict[str, int], words: str) -> None:
    with pytest.raises(DataError, match=words):
        read(folder(**counts))


def test_pixels_tell_colours_apart_and_noise_not() -> None:
    def plain(level: int, seed: int) -> PIL.Image.Image:
        pixels = np.random.default_rng(seed).normal(level, 20, (20, 20, 3))
        return PIL.Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))

    def colours(start: int) -> list[tuple[PIL.Image.Image, str]]:
        return [(plain(60 + 60 * (i % 3), start + i), str(i % 3)) for i in range(30)]

    assert pixel_accuracy(colours(0), colours(100)) == 1.0
    random = [(noise(i), str(i % 3)) for i in range(60)]
    assert pixel_accuracy(random[:30], random[30:]) < 0.7
