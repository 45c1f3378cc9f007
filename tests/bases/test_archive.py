"""ZIP archives with a model, as Teachable Machine exports them, are bases."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

import sartor
from sartor.bases import find_base
from sartor.bases.archive import read_exported_model
from sartor.cli import main
from sartor.errors import SartorError

LABELS = b"0 my hat\n1 my shoe\n"


def pack(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def export(image_base: bytes, tmp_path: Path) -> Path:
    files = {"../../converted/model_unquant.tflite": image_base, "converted/labels.txt": LABELS,
             "__MACOSX/._model.tflite": b"", "model_edgetpu.tflite": b"other"}  # fmt: skip
    return pack(tmp_path / "export.zip", files)


def test_the_model_of_an_archive_is_the_base(
    export: Path, image_base: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(tmp_path.parent.rglob("*"))
    expected = sartor.convert(image_base, classes=3).manifest
    assert sartor.convert(export, classes=3).manifest.fingerprints == expected.fingerprints
    assert read_exported_model(export).labels == ("my hat", "my shoe")
    assert sorted(tmp_path.parent.rglob("*")) == before  # nothing is unpacked, here or above
    with pytest.raises(SystemExit) as exit_info:
        main(["convert", str(export), "-o", str(tmp_path / "m.tflite"), "--classes", "3"])
    assert not exit_info.value.code
    assert "trained on my hat, my shoe" in capsys.readouterr().out


def test_inspect_shows_the_labels(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    description = sartor.describe(export)
    assert description.kind == "model"
    with pytest.raises(SystemExit):
        main(["inspect", str(export), "--json"])
    assert json.loads(capsys.readouterr().out)["labels"] == ["0 my hat", "1 my shoe"]
    with pytest.raises(SystemExit):
        main(["inspect", str(export)])
    assert "labels: 0 my hat, 1 my shoe" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"model.json": b"{}", "weights.bin": b""}, "export for TensorFlow.js"),
        ({"keras_model.h5": b"", "labels.txt": LABELS}, "unpack it, and pass keras_model.h5"),
        ({"a.tflite": b"", "b.tflite": b""}, r"several models \(a.tflite, b.tflite\)"),
        ({"model.tflite": b"nonsense"}, "not a .tflite|damaged|TFL3|too short|model"),
    ],
)
def test_other_archives_are_refused(files: dict[str, bytes], message: str, tmp_path: Path) -> None:
    with pytest.raises(SartorError, match=message):
        find_base(pack(tmp_path / "x.zip", files)).load()


def test_a_large_or_damaged_file_is_refused(export: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytearray(export.read_bytes())
    content[200] ^= 0xFF
    (export.parent / "damaged.zip").write_bytes(content)
    with pytest.raises(SartorError, match="damaged"):
        find_base(export.parent / "damaged.zip")
    monkeypatch.setattr("sartor.bases.archive._MAX_BYTES", 100)
    with pytest.raises(SartorError, match="more than 100 bytes"):
        find_base(export)
