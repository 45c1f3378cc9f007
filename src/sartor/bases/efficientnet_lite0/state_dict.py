"""Reading what `torch.save` wrote before 2020, with NumPy alone and without trusting it.

Such a file is five pickles (a magic number, the protocol, facts on the system, the tensors, the
keys of their storages), then each storage: the number of its elements and its bytes. A pickle can
call anything it can name, so here it can name three things: `collections.OrderedDict`, the
function that makes a tensor (which here only takes notes), and the types of storages.
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
_ADVICE = "Install the package that holds it again."


@dataclass(frozen=True)
class _Storage:
    """A run of elements in the file, which tensors look at."""

    dtype: np.dtype[Any]
    key: str
    size: int


@dataclass(frozen=True)
class _View:
    """A tensor: where in a storage its elements are."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _RefusedError(Exception):
    """The stream asks for something that weights do not need."""


class _Plain(pickle.Unpickler):
    """Numbers, strings, lists and dictionaries; no name at all."""

    def find_class(self, module: str, name: str) -> Any:
        raise _RefusedError(f"it asks for {module}.{name}, which is no part of weights")

    def persistent_load(self, pid: Any) -> Any:
        raise _RefusedError("it refers to a storage where none can be")


class _Tensors(_Plain):
    """The above, tensors, and the dictionary that holds them."""

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
    """Read the tensors of a PyTorch file of the old (pre-zip) form.

    Nothing in the file is executed, whatever it says.

    Args:
        content: of the file.

    Returns:
        Name → array, in file order; each a read-only view of `content`.

    Raises:
        ConversionError: the file is no such file, is cut off, or asks for anything but tensors.
    """
    try:
        return _read(content)
    except Exception as error:  # a damaged pickle raises anything
        reason = str(error) or type(error).__name__
        raise ConversionError(f"the weights cannot be read: {reason}. {_ADVICE}") from error


def _read(content: bytes) -> dict[str, np.ndarray]:
    file = io.BytesIO(content)
    magic, protocol, system = (_Plain(file).load() for _ in range(3))
    if magic != _MAGIC or protocol != _PROTOCOL:
        raise _RefusedError("it is no PyTorch file of the old form")
    if not system["little_endian"]:
        raise _RefusedError("its numbers are big-endian")
    tensors = _Tensors(file).load()
    keys = _Plain(file).load()
    views = {str(name): view for name, view in tensors.items() if isinstance(view, _View)}
    if len(views) != len(tensors):
        raise _RefusedError("it holds something that is no tensor")
    storages = {view.storage.key: view.storage for view in views.values()}
    arrays = _elements(content, file.tell(), [storages[key] for key in keys])
    return {name: _array(view, arrays[view.storage.key]) for name, view in views.items()}


def _view(
    storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
) -> _View:
    """Stand in for `torch._utils._rebuild_tensor_v2`."""
    return _View(storage, offset, shape, strides)


def _elements(content: bytes, start: int, storages: list[_Storage]) -> dict[str, np.ndarray]:
    """Storage key → its elements, which follow each other from `start` on."""
    arrays = {}
    for storage in storages:
        count = int(np.frombuffer(content, _COUNT, 1, start)[0])
        if count != storage.size:
            raise _RefusedError(f"a storage of {storage.size} elements has {count}")
        start += _COUNT.itemsize
        arrays[storage.key] = np.frombuffer(content, storage.dtype, count, start)
        start += arrays[storage.key].nbytes
    if start != len(content):
        raise _RefusedError(f"{len(content) - start} bytes follow the last storage")
    return arrays


def _array(view: _View, elements: np.ndarray) -> np.ndarray:
    """The elements of a tensor."""
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
