"""Sample photos for the documentation."""

from __future__ import annotations

from pathlib import Path

from sartor.demo import write_sample_photos
from sartor.modalities import image_pixels


def test_sample_photos_are_written_once(tmp_path: Path) -> None:
    (tmp_path / "new.jpg").write_bytes(b"my own")
    paths = write_sample_photos(tmp_path)
    assert [path.name for path in paths] == [
        "hat1.jpg", "hat2.jpg", "shoe1.jpg", "new.jpg", "photos", "more-photos",
    ]  # fmt: skip
    assert (tmp_path / "new.jpg").read_bytes() == b"my own"
    files = sorted((tmp_path / "photos").rglob("*.jpg"))
    assert len(files) == 12
    assert len({image_pixels(path, (32, 32)).tobytes() for path in files}) == 12
