"""The buffers of a file: equal constants share one."""

from __future__ import annotations

import hashlib

import numpy as np

from .encode import Encoder, Place
from .schema import TFLITE

__all__ = ["BufferTable"]


class BufferTable:
    """The buffers of a file. Number 0 is the empty buffer."""

    def __init__(self) -> None:
        self._contents: list[np.ndarray | bytes | None] = [None]
        self._numbers: dict[bytes, int] = {}
        self._owned: dict[int, int] = {}
        self._digests: dict[int, bytes] = {}
        self._tables: list[Place] = []
        self._places: dict[int, Place] = {}

    def add(self, content: np.ndarray | bytes) -> int:
        """Add a buffer, and return its number."""
        self._contents.append(content)
        return len(self._contents) - 1

    def own(self, content: np.ndarray) -> int:
        """Return the number of the buffer of this array, which no other array shares."""
        if id(content) not in self._owned:
            self._owned[id(content)] = self.add(content)
        return self._owned[id(content)]

    def share(self, content: np.ndarray) -> int:
        """Return the number of the buffer with this content, and add it if it is new."""
        digest = self._digests.get(id(content))
        if digest is None:
            digest = hashlib.blake2b(np.ascontiguousarray(content).data, digest_size=32).digest()
            self._digests[id(content)] = digest
        if digest not in self._numbers:
            self._numbers[digest] = self.add(content)
        return self._numbers[digest]

    @property
    def size(self) -> int:
        """Size of all buffers in bytes."""
        return sum(len(each) for each in self._contents if each is not None)

    def write(self, encoder: Encoder) -> list[Place]:
        """Write the buffers that are new since the last call; return the tables of all."""
        field = next(each for each in TFLITE.layout("Buffer").fields if each.name == "data")
        for number in range(len(self._tables), len(self._contents)):
            content = self._contents[number]
            record = {}
            if content is not None:
                record["data"] = self._places[number] = encoder.scalars(field, content)
            self._tables.append(encoder.table("Buffer", record))
        return list(self._tables)

    def place(self, number: int) -> Place:
        """Return the start of the vector of a written buffer, counted from the end."""
        return self._places[number]
