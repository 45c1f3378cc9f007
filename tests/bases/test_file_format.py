"""The content of a file determines its format; no framework is needed."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sartor.bases import (
    EfficientNetLite0,
    Keras,
    MobileNetV2,
    PyTorch,
    SavedModel,
    TFLite,
    find_base,
)
from sartor.errors import ConversionError, InvalidModelError

HDF5 = b"\x89HDF\r\n\x1a\n and more"


def content(data: bytes) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.write_bytes(data)

    return make


def archive(*names: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as file:
            for name in names:
                file.writestr(name, "{}")

    return make


def folder(path: Path) -> None:
    path.mkdir()
    (path / "saved_model.pb").write_bytes(b"")


KERAS = archive("metadata.json", "config.json", "model.weights.h5")
PATHS: dict[str, tuple[str, Callable[[Path], None], type]] = {
    "a Keras archive": ("model.keras", KERAS, Keras),
    "a Keras archive without a suffix": ("model", KERAS, Keras),
    "a Keras archive under another suffix": ("model.tflite", KERAS, Keras),
    "HDF5": ("model.h5", content(HDF5), Keras),
    "HDF5 under another suffix": ("model.bin", content(HDF5), Keras),
    "HDF5 as .keras": ("model.keras", content(HDF5), Keras),
    "a damaged .keras": ("model.keras", content(b"PK\3\4 and no more"), Keras),
    "an empty .h5": ("model.H5", content(b""), Keras),
    "a SavedModel": ("model", folder, SavedModel),
    "a SavedModel with a misleading suffix": ("model.keras", folder, SavedModel),
    "a PyTorch program": ("model", archive("model/archive_format", "model/data/a"), PyTorch),
    "a damaged .pt2": ("model.pt2", content(b"PK\3\4 and no more"), PyTorch),
    "a .tflite": ("model.tflite", content(b"\x1c\0\0\0TFL3 and more"), TFLite),
    "a .tflite under another suffix": ("model.h5", content(b"\x1c\0\0\0TFL3 and more"), TFLite),
    "another format": ("model.onnx", content(b"\x08\x07\x12"), TFLite),
    "another archive": ("photos.zip", archive("a.jpg"), TFLite),
}


@pytest.mark.parametrize("name", PATHS)
def test_the_content_determines_the_format(no_tensorflow: None, name: str, tmp_path: Path) -> None:
    file, make, base_class = PATHS[name]
    make(tmp_path / file)
    for path in (tmp_path / file, str(tmp_path / file)):
        assert type(find_base(path)) is base_class


@pytest.mark.parametrize("name", ["model.keras", "model.pt2", "model", "starer", "Starter"])
def test_a_missing_file_is_named_before_a_missing_library(name: str) -> None:
    message = "did you mean 'starter'" if "star" in name.lower() else "check the path"
    with pytest.raises(InvalidModelError, match=f"{name} does not exist: {message}"):
        find_base(name)


def test_saved_model_pb_stands_for_its_folder(tmp_path: Path) -> None:
    folder(tmp_path / "model")
    assert find_base(tmp_path / "model" / "saved_model.pb") == SavedModel(tmp_path / "model")


def test_names_bytes_and_bases_are_accepted() -> None:
    assert find_base("starter") == EfficientNetLite0()
    assert find_base("mobilenetv2") == MobileNetV2()
    assert find_base(b"TFL3") == TFLite(b"TFL3")
    base = EfficientNetLite0(96)
    assert find_base(base) is base


def test_features_are_passed_to_keras_models_without_features(tmp_path: Path) -> None:
    KERAS(tmp_path / "model.keras")
    (tmp_path / "model.tflite").write_bytes(b"\x1c\0\0\0TFL3")
    assert find_base(tmp_path / "model.keras", features=["a"]).features == ("a",)  # type: ignore[attr-defined]
    assert find_base(Keras("model", "b"), features=["a"]) == Keras("model", "b")
    assert find_base(tmp_path / "model.tflite", features=["a"]) == TFLite(tmp_path / "model.tflite")


@pytest.mark.parametrize(
    ("base", "settings", "message"),
    [
        (3, {}, "got int"),
        (Keras, {}, "got type"),
        ("starter", {"signature": "a"}, "'starter' has no option signature"),
        ("starter", {"input_shape": (3,)}, "'starter' has no option input_shape"),
        (Keras("m"), {"signature": "a"}, "Keras has no option signature"),
    ],
)
def test_unknown_bases_and_options_are_refused(
    base: Any, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConversionError, match=message):
        find_base(base, **settings)


@pytest.mark.parametrize("base_class", [Keras, SavedModel])
def test_without_tensorflow_the_error_names_the_command(
    no_tensorflow: None, base_class: Callable[[Path], Any], tmp_path: Path
) -> None:
    path = tmp_path / "model"
    KERAS(path) if base_class is Keras else folder(path)
    with pytest.raises(ConversionError, match=r"model .*pip install 'sartor\[tensorflow\]'$"):
        base_class(path).load()
