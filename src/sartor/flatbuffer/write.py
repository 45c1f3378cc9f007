"""Write a `Model` as the bytes of a `.tflite` file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import flatbuffers

from ..errors import InvalidModelError
from ..graph import Model, Tensor
from .archive import append_files
from .check import check_model
from .encode import Encoder, Place
from .schema import TFLITE
from .writer import ModelWriter, SharedParts

__all__ = ["Tail", "Written", "write", "write_with_places"]


@dataclass(frozen=True)
class Tail:
    """A second model at the end of the flatbuffer, which shares bytes with the first one.

    The bytes from its start to the end of the flatbuffer are a file of their own.

    Attributes:
        model: the second model. Its `files` are not written.
        class_axes: tensor → the axes that run over classes. A shape vector that contains such a
            size is shared with equal ones only.
    """

    model: Model
    class_axes: Mapping[Tensor, tuple[int, ...]]


@dataclass(frozen=True)
class Written:
    """A written model.

    Attributes:
        content: the content of the file.
        ranges: offset and number of bytes of each exclusive constant.
        tail: offset of the second model.
        class_counts: offset of each int32 in the shapes of the second model that is the number of
            classes.
    """

    content: bytes
    ranges: dict[Tensor, tuple[int, int]]
    tail: int
    class_counts: tuple[int, ...]


def write(model: Model) -> bytes:
    """Return the content of a `.tflite` file.

    The same model gives the same bytes. Constants with equal bytes share a buffer, except exclusive
    constants. Each buffer starts at a multiple of 16. Each op states the lowest version that it
    needs.

    Raises:
        InvalidModelError: If the model contradicts itself, or is larger than a file can be.
    """
    return write_with_places(model).content


def write_with_places(model: Model, tail: Tail | None = None) -> Written:
    """Write a model, and return the places of its exclusive constants and of its second model.

    The files after the model (`Model.files`) do not change the places.

    Args:
        model: the model.
        tail: a second model. Default: none.

    Raises:
        InvalidModelError: If a model contradicts itself, or is larger than a file can be.
    """
    models = [model] if tail is None else [tail.model, model]
    for each in models:
        check_model(each)
    size = max(map(_size_of_constants, models))
    shared = SharedParts(Encoder(TFLITE, min(size + 65536, 2**31 - 1)))
    try:
        second = ModelWriter(tail.model, shared, tail.class_axes) if tail else None
        start = second.write() if second else Place(0)
        writer = ModelWriter(model, shared)
        writer.write()
    except flatbuffers.builder.BuilderSizeError as error:
        raise InvalidModelError(
            "the model is larger than 2 GiB, which a flatbuffer cannot hold. Use fewer classes, "
            "or a smaller base."
        ) from error
    content = shared.encoder.content()
    ranges = {
        tensor: (len(content) - place + 4, tensor.data.size)  # a vector starts with its length
        for tensor, place in writer.exclusive_places().items()
        if tensor.data is not None
    }
    counts = sorted(len(content) - each for each in second.class_counts()) if second else ()
    return Written(append_files(content, model.files), ranges, len(content) - start, tuple(counts))


def _size_of_constants(model: Model) -> int:
    """Return the size of all constants in bytes; those of one array count once."""
    arrays = {
        id(tensor.data): tensor.data.size
        for graph in model.graphs
        for tensor in graph.tensors
        if tensor.data is not None
    }
    return sum(arrays.values())
