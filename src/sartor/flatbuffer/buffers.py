"""The buffers of a file: equal constants share one."""

from __future__ import annotations

import hashlib

import numpy as np

__all__ = ["BufferTable"]


class BufferTable:
    """The buffers of a file. Number 0 is the empty buffer."""

    def __init__(self) -> None:
        self.contents: list[np.ndarray | bytes | None] = [None]
        self._numbers: dict[bytes, int] = {}
        self._owned: dict[int, int] = {}
        self._digests: dict[int, bytes] = {}

    def add(self, content: np.ndarray | bytes) -> int:
        """Add a buffer, and return its number."""
        self.contents.append(content)
        return len(self.contents) - 1

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
