"""Read a state dict in the format of `torch.save` before 2020, with NumPy and without running code.

The file consists of five pickles (magic number, protocol, system information, tensors, storage
keys), followed by the storages: number of elements and bytes. A pickle can call any function that
it can name. This reader allows three names: `collections.OrderedDict`, the function that creates a
tensor (replaced by one that records its arguments), and the types of storages.
"""

from __future__ import annotations

import io
import math
import pickle
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import ConversionError

__all__ = ["read_state_dict"]

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_COUNT = np.dtype("<i8")
_STORAGES = {
    "DoubleStorage": np.dtype("<f8"),
    "FloatStorage": np.dtype("<f4"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "ShortStorage": np.dtype("<i2"),
    "CharStorage": np.dtype("i1"),
    "ByteStorage": np.dtype("u1"),
    "BoolStorage": np.dtype("?"),
}
_ADVICE = "Reinstall the package of the weights."


@dataclass(frozen=True)
class _Storage:
    """A sequence of elements in the file, which tensors refer to."""

    dtype: np.dtype[Any]
    key: str
    size: int


@dataclass(frozen=True)
class _View:
    """A tensor: offset, shape and strides in a storage."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _RefusedError(Exception):
    """The file contains something other than tensors."""


class _BasicUnpickler(pickle.Unpickler):
    """Reads numbers, strings, lists and dictionaries."""

    def find_class(self, module: str, name: str) -> Any:
        raise _RefusedError(f"it refers to {module}.{name}, which is not allowed")

    def persistent_load(self, pid: Any) -> Any:
        raise _RefusedError("it refers to a storage in the wrong place")


class _TensorUnpickler(_BasicUnpickler):
    """Also reads tensors and ordered dictionaries."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _view
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        return super().find_class(module, name)

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _device, size, view = pid
        if kind != "storage" or view is not None or not isinstance(dtype, np.dtype):
            raise _RefusedError("it refers to something other than a storage")
        return _Storage(dtype, str(key), int(size))


def read_state_dict(content: bytes) -> dict[str, np.ndarray]:
    """Read the tensors of a PyTorch file in the old (pre-ZIP) format.

    Args:
        content: the file.

    Returns:
        Name → array, in file order. The arrays are read-only views of `content`.

    Raises:
        ConversionError: If the file has another format, is truncated, or contains anything but
            tensors.
    """
    try:
        return _read(content)
    except Exception as error:  # a damaged pickle can raise anything
        reason = str(error) or type(error).__name__
        raise ConversionError(f"the weights cannot be read: {reason}. {_ADVICE}") from error


def _read(content: bytes) -> dict[str, np.ndarray]:
    file = io.BytesIO(content)
    magic, protocol, system = (_BasicUnpickler(file).load() for _ in range(3))
    if magic != _MAGIC or protocol != _PROTOCOL:
        raise _RefusedError("it is not a PyTorch file in the old format")
    if not system["little_endian"]:
        raise _RefusedError("its numbers are big-endian")
    tensors = _TensorUnpickler(file).load()
    keys = _BasicUnpickler(file).load()
    views = {str(name): view for name, view in tensors.items() if isinstance(view, _View)}
    if len(views) != len(tensors):
        raise _RefusedError("it contains something other than tensors")
    storages = {view.storage.key: view.storage for view in views.values()}
    arrays = _elements(content, file.tell(), [storages[key] for key in keys])
    return {name: _array(view, arrays[view.storage.key]) for name, view in views.items()}


def _view(
    storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
) -> _View:
    """Stand in for `torch._utils._rebuild_tensor_v2`."""
    return _View(storage, offset, shape, strides)


def _elements(content: bytes, start: int, storages: list[_Storage]) -> dict[str, np.ndarray]:
    """Read the storages, which are contiguous from `start`: key → elements."""
    arrays = {}
    for storage in storages:
        count = int(np.frombuffer(content, _COUNT, 1, start)[0])
        if count != storage.size:
            raise _RefusedError(f"a storage has {count} elements, expected {storage.size}")
        start += _COUNT.itemsize
        arrays[storage.key] = np.frombuffer(content, storage.dtype, count, start)
        start += arrays[storage.key].nbytes
    if start != len(content):
        raise _RefusedError(f"{len(content) - start} bytes follow the last storage")
    return arrays


def _array(view: _View, elements: np.ndarray) -> np.ndarray:
    """Return a tensor as a view of its storage."""
    last = view.offset
    for size, step in zip(view.shape, view.strides, strict=True):
        last += (size - 1) * step
    sizes = (*view.shape, *view.strides, view.offset)
    if min(sizes) < 0 or last >= elements.size or math.prod(view.shape) > elements.size:
        raise _RefusedError("a tensor reaches outside its storage")
    width = elements.itemsize
    array: np.ndarray = np.ndarray(
        view.shape, elements.dtype, elements, view.offset * width,
        tuple(step * width for step in view.strides),
    )  # fmt: skip
    return array
