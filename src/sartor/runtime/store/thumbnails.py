"""Small pictures of samples, kept for people to look at, and only where asked for."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np

from ...contract.manifest import InputSpec

__all__ = ["thumbnail"]

_SIDE = 48  # pixels


def thumbnail(specs: Sequence[InputSpec], inputs: Mapping[str, np.ndarray]) -> bytes | None:
    """A picture (PNG) of what the base was shown; None where that is no picture.

    Args:
        specs: the inputs of the base, as the manifest describes them.
        inputs: name → what it takes.
    """
    spec = next((spec for spec in specs if spec.modality == "image"), None)
    return None if spec is None else _png(spec, inputs[spec.name][0])


def _png(spec: InputSpec, pixels: np.ndarray) -> bytes:
    import PIL.Image  # not needed by those who want no thumbnails

    if pixels.dtype != np.uint8:
        pixels = pixels * np.array(spec.std) + np.array(spec.mean)
    pixels = np.clip(pixels, 0, 255).astype(np.uint8)
    picture = PIL.Image.fromarray(pixels if pixels.shape[2] > 1 else pixels[:, :, 0])
    picture.thumbnail((_SIDE, _SIDE))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
