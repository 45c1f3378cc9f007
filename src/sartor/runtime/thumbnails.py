"""Small pictures of samples, kept in memory for people to look at, and only where asked for."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np

from ..manifest import InputSpec

__all__ = ["Thumbnails"]

_SIDE = 48  # pixels
_MOST = 6  # of one class


class Thumbnails:
    """The first samples of each class, as the base was shown them.

    Args:
        specs: the inputs of the base, as the manifest describes them.
    """

    def __init__(self, specs: Sequence[InputSpec]) -> None:
        self._specs = [spec for spec in specs if spec.kind == "image"]
        self._kept: dict[str, list[bytes]] = {}

    def add(self, label: str, inputs: Mapping[str, np.ndarray]) -> None:
        """Keep a sample's pictures: name → what the base takes."""
        kept = self._kept.setdefault(label, [])
        if len(kept) < _MOST:
            kept += [_png(spec, inputs[spec.name]) for spec in self._specs]

    def of(self, label: str) -> list[bytes]:
        """The pictures of a class, as PNG."""
        return list(self._kept.get(label, ()))


def _png(spec: InputSpec, array: np.ndarray) -> bytes:
    import PIL.Image  # not needed by those who want no thumbnails

    pixels = array[0]
    if pixels.dtype != np.uint8:
        pixels = pixels * np.array(spec.std) + np.array(spec.mean)
    pixels = np.clip(pixels, 0, 255).astype(np.uint8)
    picture = PIL.Image.fromarray(pixels if pixels.shape[2] > 1 else pixels[:, :, 0])
    picture.thumbnail((_SIDE, _SIDE))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
