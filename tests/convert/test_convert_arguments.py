"""Arguments of `convert`, and the errors for invalid ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from convert_bases import SIZE, classifier, convolution_last, file
from convert_helpers import accuracy_after, assert_keeps_the_contract, session_of

import sartor
from sartor.errors import ConversionError, InvalidModelError, SartorError
from sartor.heads import CosineClassifier, SoftmaxClassifier
from sartor.optimizers import SGD, Adam, AdamW, RMSprop

BASE = file(classifier)
IMAGE_BASE = file(convolution_last, (1, 9, 9, 3))

CLASSES: dict[str, tuple[dict[str, Any], tuple[str | None, ...]]] = {
    "a number": ({"classes": 3}, (None, None, None)),
    "names": ({"classes": ["cup", "key"]}, ("cup", "key")),
    "names and a capacity": ({"classes": ["cup"], "capacity": 3}, ("cup", None, None)),
    "no name and a capacity": ({"classes": [], "capacity": 2}, (None, None)),
    "the same number twice": ({"classes": 2, "capacity": 2}, (None, None)),
    "white space": ({"classes": [" a  cup\n", "Ключ 鍵"]}, ("a cup", "Ключ 鍵")),
}


@pytest.mark.parametrize("name", CLASSES)
def test_class_names_take_the_first_class_indices(name: str) -> None:
    arguments, classes = CLASSES[name]
    conversion = sartor.convert(BASE, **arguments)
    assert conversion.manifest.classes == classes
    mask = session_of(conversion).save()["class_mask"]
    np.testing.assert_array_equal(mask, [name is not None for name in classes])


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no class": ({"classes": 0}, "capacity must be 1 to 100,000 classes"),
    "no name": ({"classes": []}, "got 0 names and a capacity of 0"),
    "no capacity": ({"classes": ["cup"], "capacity": 0}, "capacity must be at least 1, got 0"),
    "too low a capacity": (
        {"classes": ["cup", "key"], "capacity": 1},
        "2 names and a capacity of 1",
    ),
    "too many": ({"classes": 100_001}, "a capacity of 100001"),
    "negative": ({"classes": -1}, "a capacity of -1"),
    "two numbers": ({"classes": 3, "capacity": 5}, "classes=5 without capacity"),
    "a name twice": ({"classes": ["cup", " cup"]}, "must differ"),
    "an empty name": ({"classes": ["cup", " "]}, "must differ and not be empty"),
    "one string": ({"classes": "cup"}, "a list of names, for example .'cup', 'key'.; got 'cup'"),
    "numbers for names": ({"classes": [1, 2]}, "a list of names"),
    "no batch": ({"classes": 2, "batch_size": 0}, "between 1 and 65536, got 0"),
    "a huge batch": ({"classes": 2, "batch_size": 65537}, "between 1 and 65536"),
    "no base": ({"base": 3, "classes": 2}, "an object of sartor.bases; got int"),
    "a class for a head": (
        {"classes": 2, "head": SoftmaxClassifier},
        "head must be an instance of Head, such as Soft.*; got the class Soft",
    ),
    "text for an optimizer": (
        {"classes": 2, "optimizer": "sgd"},
        "optimizer must be an instance of Optimizer, such as SGD",
    ),
    "head and optimizer swapped": (
        {"classes": 2, "head": SGD(), "optimizer": SoftmaxClassifier()},
        "head must",
    ),
    "mean without an image": ({"classes": 2, "mean": 1.0}, "need an image input"),
    "std without an image": ({"classes": 2, "std": 2.0}, "need an image input"),
    "too many means": (
        {"base": IMAGE_BASE, "classes": 2, "mean": [1, 2]},
        "each of the 3 channels",
    ),
    "std of zero": ({"base": IMAGE_BASE, "classes": 2, "std": 0}, "std must be above 0, got .0.0."),
    "negative std": ({"base": IMAGE_BASE, "classes": 2, "std": [1, -1, 1]}, "std must be above 0"),
    "mean not finite": ({"base": IMAGE_BASE, "classes": 2, "mean": np.nan}, "one finite value"),
    "std not finite": ({"base": IMAGE_BASE, "classes": 2, "std": np.inf}, "one finite value"),
}


@pytest.mark.parametrize("name", WRONG)
def test_invalid_arguments_raise_an_error(name: str) -> None:
    arguments, message = WRONG[name]
    with pytest.raises(ConversionError, match=message):
        sartor.convert(**{"base": BASE, **arguments})


SETTINGS: dict[str, tuple[type, dict[str, Any], str]] = {
    "scale": (CosineClassifier, {"scale": 0}, "scale must be above 0, got 0"),
    "scale infinite": (CosineClassifier, {"scale": np.inf}, "scale must be"),
    "smoothing": (SoftmaxClassifier, {"label_smoothing": 1.0}, "label_smoothing must be at least"),
    "momentum": (SGD, {"momentum": 1.0}, "momentum must be at least 0 and below 1, got 1.0"),
    "nesterov": (SGD, {"nesterov": True}, "nesterov needs a momentum"),
    "weight decay": (SGD, {"weight_decay": -0.1}, r"weight_decay must be 0 to 1e\+06, got -0.1"),
    "weight decay too large": (Adam, {"weight_decay": 2e6}, "weight_decay must be 0 to"),
    "weight decay infinite": (RMSprop, {"weight_decay": np.inf}, "weight_decay must be 0 to"),
    "weight decay not a number": (AdamW, {"weight_decay": np.nan}, "weight_decay must be 0 to"),
    "clip": (SGD, {"clip_norm": 0.0}, "clip_norm must be above 0"),
    "rate": (SGD, {"learning_rate": 0.0}, "learning_rate must be above 0"),
    "rate not a number": (Adam, {"learning_rate": np.nan}, "learning_rate must be above 0"),
    "beta": (Adam, {"beta_2": 1.0}, "beta_2 must be at least 0 and below 1"),
    "epsilon": (Adam, {"epsilon": 0.0}, "epsilon must be above 0"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_invalid_options_raise_an_error(name: str) -> None:
    part, options, message = SETTINGS[name]
    with pytest.raises(ConversionError, match=message):
        part(**options)


FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "b'TFL3' at byte 4; got 0 bytes"),
    "text": (
        b"This is no model at all, but a sentence.",
        "expected a .tflite model",
    ),
    "cut in half": (BASE[: len(BASE) // 2], "damaged or was cut short"),
    "without its last byte": (BASE[:-1], "damaged or was cut short"),
}


@pytest.mark.parametrize("name", FILES)
def test_invalid_files_raise_an_error(name: str, tmp_path: Path) -> None:
    content, message = FILES[name]
    path = tmp_path / "base.tflite"
    path.write_bytes(content)
    for base in (content, path, str(path)):
        with pytest.raises(InvalidModelError, match=message):
            sartor.convert(base, classes=2)


def test_error_names_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises((SartorError, OSError), match="missing"):
        sartor.convert(tmp_path / "missing.tflite", classes=2)


EDGES: dict[str, dict[str, Any]] = {
    "one row a step": {"classes": 4, "batch_size": 1},
    "two rows a step": {"classes": 4, "batch_size": 2},
    "one class": {"classes": 1},
    "one class, one row": {"classes": 1, "batch_size": 1},
    "a thousand classes": {"classes": 1000, "batch_size": 4},
    "one row, normalized, Adam": {
        "classes": 4, "batch_size": 1, "normalize": True, "optimizer": Adam(),
    },
    "all options": {
        "classes": 4, "optimizer": Adam(learning_rate=0.1, weight_decay=0.01, clip_norm=0.1),
        "head": SoftmaxClassifier(label_smoothing=0.1), "normalize": True,
    },
    "a free fifth class": {"classes": ["a", "b", "c", "d"], "capacity": 5},
}  # fmt: skip


@pytest.mark.parametrize("name", EDGES)
def test_extreme_sizes_fulfill_the_contract(name: str) -> None:
    conversion = sartor.convert(BASE, **EDGES[name])
    assert conversion.manifest.batch_size == EDGES[name].get("batch_size", 32)
    assert_keeps_the_contract(conversion)


def test_default_head_and_optimizer_are_those_documented() -> None:
    conversion = sartor.convert(BASE, classes=3)
    explicit = sartor.convert(
        BASE, classes=3, head=SoftmaxClassifier(), optimizer=SGD(momentum=0.9)
    )
    assert conversion.content == explicit.content
    assert accuracy_after(session_of(conversion), steps=60, rate=0.1) > 0.99


def test_learning_rate_zero_changes_no_prediction() -> None:
    session = session_of(sartor.convert(BASE, classes=3, optimizer=Adam()))
    rng = np.random.default_rng(0)
    state, batch = session.random_variables(rng), session.random_batch(rng)
    session.restore(state)
    before = session.call("evaluate", **batch)
    for _ in range(5):
        session.call("train", **batch, learning_rate=np.zeros(1, np.float32))
    after = session.call("evaluate", **batch)
    for name, value in before.items():
        np.testing.assert_array_equal(after[name], value)


@pytest.mark.parametrize(
    ("shape", "modality", "notes"),
    [
        ((1, 9, 9, 3), "image", 1),
        ((1, 8, 12, 3), "image", 1),
        ((1, 9, 9, 1), "image", 1),
        ((1, 49, 10, 1), "tensor", 0),  # a spectrum
        ((1, 4, 4, 3), "tensor", 0),
        ((1, 9, 9, 4), "tensor", 0),
        ((1, SIZE), "tensor", 0),
    ],
)
def test_inputs_with_image_sizes_are_images_with_a_note(
    shape: tuple[int, ...], modality: str, notes: int
) -> None:
    conversion = sartor.convert(file(classifier, shape), classes=2)
    (spec,) = conversion.manifest.inputs
    assert spec.modality == modality
    assert len(conversion.notes) == notes
    assert all("mean and std" in note for note in conversion.notes)
    assert (spec.mean, spec.std) == ((0.0,), (255.0 if modality == "image" else 1.0,))


@pytest.mark.parametrize(
    ("scaling", "mean", "std"),
    [
        ({"mean": 127.5, "std": 127.5}, (127.5,), (127.5,)),
        ({"mean": [1, 2, 3], "std": [4, 5, 6]}, (1.0, 2.0, 3.0), (4.0, 5.0, 6.0)),
        ({"std": 2}, (0.0,), (2.0,)),
        ({"mean": 3}, (3.0,), (1.0,)),
    ],
    ids=["one value", "one a channel", "std alone", "mean alone"],
)
def test_stated_mean_and_std_are_kept(
    scaling: dict[str, Any], mean: tuple[float, ...], std: tuple[float, ...]
) -> None:
    conversion = sartor.convert(IMAGE_BASE, classes=2, **scaling)
    second = sartor.convert(conversion.content, classes=3)
    for each in (conversion, second):
        (spec,) = each.manifest.inputs
        assert (spec.mean, spec.std) == (mean, std)
        assert not any("no metadata on image scaling" in note for note in each.notes)
    third = sartor.convert(conversion.content, classes=3, mean=9, std=8)
    assert (third.manifest.inputs[0].mean, third.manifest.inputs[0].std) == ((9.0,), (8.0,))
    assert third.manifest.fingerprints.base != conversion.manifest.fingerprints.base
