"""Files with an invalid sparse constant are refused."""

from __future__ import annotations

from collections.abc import Callable

import flatbuffer_samples as samples
import numpy as np
import pytest
from flatbuffer_helpers import change_tables
from table_changes import ints, put, tensor

from sartor.errors import InvalidModelError
from sartor.flatbuffer import read, write
from sartor.flatbuffer.layout import Record


def level(index: int, key: str, value: object) -> Callable[[Record], None]:
    """Return a change of one axis of the sparse constant."""
    return put(lambda r: tensor(r, "weights")["sparsity"]["dimMetadata"][index], key, value)


def indices(*values: int) -> tuple[str, Record]:
    return "Uint8Vector", {"values": np.array(values, np.uint8)}


SPARSITY = {
    "a duplicate axis": (
        put(lambda r: tensor(r, "weights")["sparsity"], "traversalOrder", ints(0, 0, 2)),
        "3 axes, each once",
    ),
    "a missing axis": (
        lambda r: tensor(r, "weights")["sparsity"]["dimMetadata"].pop(),
        "3 axes, each once, and as much about each",
    ),
    "blocks of a missing axis": (
        put(lambda r: tensor(r, "weights")["sparsity"], "blockMap", ints(5)),
        "blocks of different axes of the 2",
    ),
    "blocks that do not divide": (level(2, "denseSize", 3), "blocks that divide the 4 slices"),
    "a dense axis": (level(0, "denseSize", 9), "3 slices along axis 0"),
    "a format": (level(0, "format", 7), "dense or compressed"),
    "no indices": (level(1, "arrayIndices", None), "segments and indices for each"),
    "too few segments": (level(1, "arraySegments", indices(0, 3)), "4 segments, from 0 up to 3"),
    "segments that shrink": (level(1, "arraySegments", indices(0, 2, 1, 3)), "4 segments"),
    "segments too long": (level(1, "arraySegments", indices(0, 2, 2, 9)), "4 segments"),
    "an index too large": (level(1, "arrayIndices", indices(0, 2, 0)), "indices below 2"),
    "missing values": (
        lambda r: (
            level(1, "arraySegments", indices(0, 2, 2, 2))(r)
            or level(1, "arrayIndices", indices(0, 1))(r)
        ),
        "of 24 bytes, expected 16 for 4 elements",
    ),
}


@pytest.mark.parametrize(("change", "message"), SPARSITY.values(), ids=SPARSITY)
def test_invalid_sparse_constants_are_refused(
    change: Callable[[Record], object], message: str
) -> None:
    with pytest.raises(InvalidModelError, match=message):
        read(change_tables(write(samples.sparse()), change))
