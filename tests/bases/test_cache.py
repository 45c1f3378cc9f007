"""The cache of the starter base."""

from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest

from sartor.bases import EfficientNetLite0
from sartor.bases.efficientnet_lite0 import base
from sartor.bases.efficientnet_lite0.cache import load_or_build


class Builder:
    """A function that builds a base and counts its calls."""

    def __init__(self, content: bytes = b"built") -> None:
        self.content, self.calls = content, 0

    def __call__(self) -> bytes:
        self.calls += 1
        return self.content


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "deep" / "sartor"
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *_, **__: path)
    return path


def entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def test_a_cached_entry_is_used(folder: Path) -> None:
    build = Builder()
    assert [load_or_build("base", "k1", build) for _ in range(3)] == [b"built"] * 3
    assert build.calls == 1
    assert len(entries(folder)) == 1


@pytest.mark.parametrize("damage", [b"", b"buil", b"Built", b"built more"])
def test_a_damaged_entry_is_rebuilt(folder: Path, damage: bytes) -> None:
    build = Builder()
    load_or_build("base", "k1", build)
    entries(folder)[0].write_bytes(damage)
    assert load_or_build("base", "k1", build) == b"built"
    assert load_or_build("base", "k1", build) == b"built"
    assert build.calls == 2
    assert len(entries(folder)) == 1


def test_another_key_replaces_the_entry_and_no_other(folder: Path) -> None:
    load_or_build("base", "k1", Builder(b"old"))
    load_or_build("base2", "k1", Builder(b"other"))
    assert load_or_build("base", "k2", Builder(b"new")) == b"new"
    assert sorted(path.read_bytes() for path in entries(folder)) == [b"new", b"other"]


def test_a_file_in_place_of_the_folder_is_tolerated(folder: Path) -> None:
    folder.parent.parent.mkdir(exist_ok=True)
    folder.parent.write_bytes(b"")
    build = Builder()
    assert [load_or_build("base", "k1", build) for _ in range(2)] == [b"built"] * 2
    assert build.calls == 2


def test_an_unwritable_folder_is_tolerated(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> Path:
        raise PermissionError(13, "Read-only file system")

    monkeypatch.setattr("sartor.bases.efficientnet_lite0.cache.write_atomically", refuse)
    assert load_or_build("base", "k1", Builder()) == b"built"
    monkeypatch.setattr(Path, "mkdir", refuse)
    assert load_or_build("base", "k1", Builder()) == b"built"


def test_a_missing_home_is_tolerated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *_, **__: Path("~/.cache/sartor"))
    assert load_or_build("base", "k1", Builder()) == b"built"
    assert not entries(tmp_path)


def test_the_base_is_built_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = EfficientNetLite0(96).content()
    monkeypatch.setattr(base, "load_weights", None)  # building raises an error now
    assert EfficientNetLite0(96).content() == first
    with pytest.raises(TypeError):
        EfficientNetLite0(97).content()


def test_variants_have_separate_entries(folder: Path) -> None:
    for _ in range(2):
        for settings in ({}, {"float_blocks": 1}, {"float_blocks": 16}, {"quantize": False}):
            EfficientNetLite0(96, **settings).content()
    assert len(entries(folder)) == 4
