"""The content of an open store: notice that another program has overwritten it."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TypeAlias

from ..._descriptors import OpenFile

__all__ = ["Content"]

_SALTS = 32, 8  # position and size in the -shm file, in bytes
_WRITTEN = 96, 4  # frames of the log that checkpoints have copied into the file
_STARTED = 128, 4  # frames that a checkpoint copies, or has copied
_BLOCKS, _BLOCK = 64, 4096  # blocks in a fingerprint, and bytes in a block

_Counters: TypeAlias = "tuple[bytes, bytes, bytes]"
_Size: TypeAlias = "tuple[int, int]"


class Content:
    """The content of an open store.

    SQLite writes into the file only at a checkpoint, and first counts it in the index of the log,
    the `-shm` file (https://www.sqlite.org/walformat.html, section 2). So if the content has
    changed and the counters have not, another program has written: `cp other.samples
    mine.samples`, for example. A check takes a few microseconds.

    Args:
        file: file of the store; SQLite has it open.
        index: path of the index of its log.

    Raises:
        OSError: If there is no log, because the store can only be read.
    """

    def __init__(self, file: OpenFile, index: Path) -> None:
        self._file, self._index = file, file.companion(index)
        self._size, self._counters = self._read()
        self._fingerprint = self._compute_fingerprint()

    def is_overwritten(self) -> bool:
        """Return whether another program has changed the content since the last call."""
        size, counters = self._read()
        if size != self._size:
            fingerprint = self._compute_fingerprint()
            _, written, started = counters
            has_checkpoint = counters != self._counters or written != started
            if not has_checkpoint and fingerprint != self._fingerprint:
                return True
            self._fingerprint = fingerprint
        self._size, self._counters = size, counters
        return False

    def _read(self) -> tuple[_Size, _Counters]:
        """Return size and time of the file, and the counters at that time."""
        before, size = None, self._read_size()
        while size != before:  # a checkpoint has written meanwhile
            salts = self._index.read(*_SALTS)
            written, started = self._index.read(*_WRITTEN), self._index.read(*_STARTED)
            before, size = size, self._read_size()
        return size, (salts, written, started)

    def _read_size(self) -> _Size:
        status = self._file.stat()
        return status.st_size, status.st_mtime_ns

    def _compute_fingerprint(self) -> int:
        """Return the CRC-32 of blocks at equal distances."""
        fingerprint, distance = 0, max(_BLOCK, self._file.stat().st_size // _BLOCKS)
        for block in range(_BLOCKS + 1):
            fingerprint = zlib.crc32(self._file.read(block * distance, _BLOCK), fingerprint)
        return fingerprint
