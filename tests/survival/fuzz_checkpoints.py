"""Change the header and the tensors of a checkpoint, with a correct digest in most cases."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from fuzz_bytes import damage
from safetensors.numpy import load, save
from signing import sign_checkpoint

__all__ = ["mutate_checkpoint"]

_EXTREMES = [0.0, -0.0, 1.0, -1.0, 1e-45, 1e-38, 1e10, 1e15, -1e15, 1e30, 1e38, -1e38, 3.4e38,
             float("nan"), float("inf"), float("-inf")]  # fmt: skip
_JSON: list[Any] = [None, True, 0, -1, 1, 2**31, 2**63, -(2**64), 10**400, 0.5, 1e308, "", "x", [],
                    {}, [[]], "\ud800", "a" * 5000, "null", ["a"] * 300]  # fmt: skip
_NAMES: list[Any] = ["\ud800", "", " ", "a", "a" * 5000, None, 3, "\0", "x\ny", "\u202e", True]
_DTYPES = ["float64", "float16", "int32", "uint8", "bool"]


def mutate_checkpoint(content: bytes, random: np.random.Generator) -> bytes:
    """Return a checkpoint with one to three changes."""
    if random.random() < 0.15:
        return damage(content, random)
    size = int.from_bytes(content[:8], "little")
    header = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["sartor"])
    tensors = dict(sorted(load(content).items()))  # `load` has another order in each process
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        if random.random() < 0.35:
            _change_header(header, random)
        else:
            _change_tensor(tensors, random)
    new = save(tensors, {"sartor": json.dumps(header)})
    return sign_checkpoint(new) if random.random() < 0.9 else new


def _choose(random: np.random.Generator, values: list[Any]) -> Any:
    return values[random.integers(len(values))]


def _change_header(header: dict[str, Any], random: np.random.Generator) -> None:
    key = _choose(random, list(header))
    if key == "classes" and random.random() < 0.7 and isinstance(header[key], list):
        names = header[key]
        if names and random.random() < 0.7:
            names[random.integers(len(names))] = _choose(random, _NAMES)
        else:
            header[key] = _choose(random, [names[:-1], [*names, "new"], [*names, None] * 40, []])
    elif random.random() < 0.15:
        del header[key]
    else:
        header[key] = _choose(random, _JSON)


def _change_tensor(tensors: dict[str, np.ndarray], random: np.random.Generator) -> None:
    if not tensors:
        return
    name = _choose(random, list(tensors))
    array = tensors[name]
    kind = random.choice(["one", "all", "scale", "shape", "type", "remove", "add"],
                         p=[0.3, 0.25, 0.15, 0.1, 0.05, 0.1, 0.05])  # fmt: skip
    if kind == "remove":
        del tensors[name]
    elif kind == "add":
        names = ["app/x", "ood/prototypes", "extra", "ood/statistics", "\0", "app/" + "x" * 2000]
        tensors[_choose(random, names)] = np.zeros(int(random.integers(4)), np.float32)
    elif kind == "type":
        with np.errstate(all="ignore"):
            tensors[name] = array.astype(_choose(random, _DTYPES))
    elif kind == "shape":
        shapes = [array[:-1], array[np.newaxis], array.reshape(-1), np.resize(array, (0,))]
        tensors[name] = _choose(random, [*shapes, array[..., np.newaxis]])
    else:
        tensors[name] = _other_values(array, kind, random)


def _other_values(array: np.ndarray, kind: str, random: np.random.Generator) -> np.ndarray:
    new: np.ndarray = array.copy()
    with np.errstate(all="ignore"):
        if kind == "scale":
            new = (new * _choose(random, [0, -1, 1e3, 1e10, 1e20, 1e37])).astype(array.dtype)
        elif kind == "all" or not new.size:
            new[...] = np.array(_choose(random, _EXTREMES)).astype(array.dtype)
        else:
            flat = new.reshape(-1)
            flat[random.integers(flat.size)] = np.array(_choose(random, _EXTREMES))
    return new
