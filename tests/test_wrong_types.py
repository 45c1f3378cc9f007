"""An argument of a wrong type or value raises an error of Sartor, not one from inside."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sartor
from sartor import PersonalModel, bases, heads, losses, optimizers, runtime
from sartor.errors import SartorError

Calls = Mapping[str, tuple[Callable[..., object], dict[str, Any]]]

WRONG: dict[str, object] = {
    "None": None, "True": True, "-1": -1, "0": 0, "2.5": 2.5, "nan": math.nan, "inf": math.inf,
    "1e400": 10**400, "text": "nonsense", "line break": "a\nb", "empty": "", "NUL": "a\0b",
    "surrogate": "\udc80", "bytes": b"nonsense", "list": [], "list of None": [None],
    "list of numbers": [1, 2.5], "dict": {}, "dict of None": {"a": None}, "pair": ("a", None),
    "object": object(), "class": int, "function": len, "array": np.zeros((2, 3), np.float32),
    "objects": np.array([None, "a"], object), "scalar": np.array(3.0), "set": {1},
    "generator": (each for each in ("a", 1)),
}  # fmt: skip


FEW = ("None", "True", "-1", "2.5", "nan", "text", "NUL", "list of None", "object", "array")
"""Keys of `WRONG` for functions that take long."""


def wrong_calls(calls: Calls, titles: Iterable[str] = WRONG) -> list[str]:
    """Call functions with each wrong value for each argument; return what raises otherwise."""
    problems = []
    for name, (function, arguments) in calls.items():
        for key in arguments:
            for title in titles:
                try:
                    function(**{**arguments, key: WRONG[title]})
                except (SartorError, OSError):
                    pass
                except Exception as error:
                    problems.append(f"{name}({key}={title}): {type(error).__name__}: {error}")
    return problems


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to an empty folder: a text can be the name of an output."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_converter(tiny_base: bytes, folder: Path) -> None:
    options = {
        "classes": 3, "head": None, "optimizer": None, "features": None, "capacity": None,
        "batch_size": 8, "mean": None, "std": None, "preprocessing": None, "quantize": "none",
        "representative": None,
    }  # fmt: skip
    model = sartor.convert(tiny_base, classes=3)
    convert: Calls = {"convert": (sartor.convert, {"base": tiny_base, **options})}
    assert wrong_calls(convert, FEW) == []
    calls: Calls = {
        "save": (model.save, {"path": "x.tflite", "force": False}),
        "describe": (sartor.describe, {"path": "x.tflite"}),
        "verify": (sartor.testing.verify_contract, {"source": "none.tflite"}),
        "TFLite": (lambda source: sartor.convert(bases.TFLite(source), classes=3), {"source": ""}),
        "find_base": (
            bases.find_base,
            {"base": "starter", "signature": None, "input_shape": None},
        ),
    }
    assert wrong_calls(calls) == []


def test_the_parts() -> None:
    calls: Calls = {
        "softmax": (heads.SoftmaxClassifier, {"label_smoothing": 0.0}),
        "cosine": (heads.CosineClassifier, {"scale": 8.0}),
        "mlp": (heads.MLP, {"hidden": (4,), "dropout": 0.0}),
        "regressor": (heads.Regressor, {"loss": losses.Huber()}),
        "huber": (losses.Huber, {"delta": 1.0}),
        "head file": (heads.TFLite, {"source": "none.tflite"}),
        "sgd": (optimizers.SGD, {"learning_rate": 0.1, "momentum": 0.9, "nesterov": False,
                "weight_decay": 0.0, "clip_norm": None}),
        "adam": (optimizers.Adam, {"learning_rate": 0.1, "weight_decay": 0.0, "epsilon": 1e-7,
                 "clip_norm": 1.0}),
        "rmsprop": (optimizers.RMSprop, {"weight_decay": 0.0, "momentum": 0.1, "clip_norm": 1.0}),
    }  # fmt: skip
    assert wrong_calls(calls) == []


def test_the_model_on_the_device(tiny: Callable[..., Path], folder: Path) -> None:
    path = tiny("m")
    sample = np.ones((1, 8), np.float32)

    def opened(**options: Any) -> None:
        PersonalModel(**{"path": path, **options}).close()

    with PersonalModel(path) as model:
        for number in range(4):
            model.add_sample(sample * number, "ab"[number % 2])
        sample = sample * 9
        options = {
            "path": path, "store": None, "threads": None, "thumbnails": False, "photos": False,
            "max_samples": None, "max_bytes": None,
        }  # fmt: skip
        assert wrong_calls({"PersonalModel": (opened, options)}, FEW) == []
        calls: Calls = {
            "predict": (model.predict, {"image": sample}),
            "predict_many": (model.predict_many, {"images": [sample]}),

            "predict_values": (model.predict_values, {"image": sample}),
            "evaluate": (model.evaluate, {"samples": [(sample, "a")]}),
            "find": (model.find, {"image": sample, "source": None}),
            "check_classes": (model.check_classes, {"labels": ["a"]}),
            "check_capacity": (model.check_capacity, {"labels": ["a"]}),
            "forget": (lambda number: model.forget(number), {"number": 10**6}),
            "remove_class": (model.remove_class, {"label": "none"}),
            "rename_class": (model.rename_class, {"label": "none", "name": "x"}),
            "save": (model.save, {"path": "a.safetensors", "force": False}),
            "load": (model.load, {"path": "a.safetensors"}),
            "export": (model.export_project, {"path": "a.sartor"}),
            "import": (model.import_project, {"path": "none.sartor"}),
            "add_sample": (model.add_sample, {
                "image": sample, "label": "a", "source": None, "held_out": False, "augment": 0}),
        }  # fmt: skip
        assert wrong_calls(calls) == []
    assert not list(folder.glob("*.samples"))


def test_training(tiny: Callable[..., Path]) -> None:
    with PersonalModel(tiny("m")) as model:
        for number in range(4):
            model.add_sample(np.full((1, 8), number, np.float32), "ab"[number % 2])
        options = {
            "epochs": 1, "on_epoch": None, "seconds": None, "patience": None,
            "learning_rate": None, "decay": "cosine", "warm_start": True, "seed": 0,
        }  # fmt: skip

        def train(**options: Any) -> None:
            epochs = options["epochs"]
            if not isinstance(epochs, int) or epochs != 1 or callable(options["on_epoch"]):
                options["seed"] = -1  # refused, so that no long training starts
            model.fit(**{**options, "learning_rate": options["learning_rate"]})

        assert wrong_calls({"fit": (train, options)}) == []


def test_saved_files(tiny: Callable[..., Path], folder: Path) -> None:
    path = tiny("m")
    with PersonalModel(path) as model:
        model.add_sample(np.ones((1, 8), np.float32), "a")
        model.add_sample(np.zeros((1, 8), np.float32), "b")
        model.save("a.safetensors")
    calls: Calls = {
        "bake": (runtime.bake, {
            "model": path, "checkpoint": "a.safetensors", "output": "b.tflite"}),
        "freeze": (sartor.freeze, {
            "model": path, "output": "f.tflite", "checkpoint": "a.safetensors", "quantize": "none",
            "representative": None, "io_dtype": "uint8", "force": False}),
        "read_checkpoint": (runtime.read_checkpoint, {"path": Path("a.safetensors")}),
        "unpack_project": (runtime.unpack_project, {"path": "none", "folder": "new"}),
    }  # fmt: skip
    assert wrong_calls(calls) == []
