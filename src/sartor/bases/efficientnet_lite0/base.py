"""EfficientNet-Lite0 as a base: in float32, in int8, or partly in each."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from ..._version import __version__
from ...errors import ConversionError
from ...flatbuffer import METADATA_NAME, encode_metadata, read, write
from ...graph import Model, Quantization
from .architecture import BLOCKS, STEM
from .cache import load_or_build
from .metadata import create_metadata
from .network import build_network
from .quantize import quantize_graph
from .weights import SHA256, load_weights

__all__ = ["EfficientNetLite0"]

_MIN_SIZE, _MAX_SIZE = 96, 320
_IMAGE = Quantization(np.array([1 / 128], np.float32), np.array([127], np.int64))


@dataclass(frozen=True)
class EfficientNetLite0:
    """EfficientNet-Lite0 with ImageNet weights: a base that needs no file and no network.

    Its 1280 features are the input of the ImageNet classifier. With `features="features_320"`,
    `convert` uses the output of the last block instead. docs/starter.md compares input sizes.

    Attributes:
        input_size: height and width of the images in pixels, 96 to 320.
        quantize: compute in int8 with uint8 pixels as input. Otherwise the base computes in
            float32, with the input `(pixel − 127) / 128`.
        float_blocks: number of blocks (of 16) that stay float with `quantize`, counted from the
            end. The layers after them are then float too. Use it to train these layers.
    """

    input_size: int = 224
    quantize: bool = True
    float_blocks: int = 0

    def __post_init__(self) -> None:
        _check("input_size", self.input_size, _MIN_SIZE, _MAX_SIZE)
        _check("float_blocks", self.float_blocks, 0, len(BLOCKS))
        if self.float_blocks and not self.quantize:
            raise ConversionError("float_blocks needs quantize: without it all blocks are float")

    def load(self) -> Model:
        """Return the graph.

        Raises:
            ConversionError: If the weights are not installed, or have another hash.
        """
        return read(self.content())

    def content(self) -> bytes:
        """Return the `.tflite` file as bytes, equal on every machine.

        The file is built from the weights and cached in the user's cache folder.

        Raises:
            ConversionError: If the weights are not installed, or have another hash.
        """
        return load_or_build(
            f"efficientnet-lite0-{self.input_size}-{self._variant}", _key(), self._build
        )

    @property
    def _variant(self) -> str:
        """The name of the options other than the size."""
        if not self.quantize:
            return "float"
        return f"mixed{self.float_blocks}" if self.float_blocks else "int8"

    def _build(self) -> bytes:
        model = build_network(load_weights(), self.input_size)
        if self.quantize:
            quantize_graph(model.main, _ranges(), _IMAGE, self._last_int8())
        model.metadata[METADATA_NAME] = encode_metadata(create_metadata(_IMAGE))
        return write(model)

    def _last_int8(self) -> str | None:
        """Return the name of the last int8 activation; None if all are int8."""
        if not self.float_blocks:
            return None
        return [STEM.name, *(block.name for block in BLOCKS)][-1 - self.float_blocks]


def _check(name: str, value: object, low: int, high: int) -> None:
    if type(value) is not int or not low <= value <= high:
        raise ConversionError(f"{name} must be an integer from {low} to {high}, got {value!r}")


def _ranges() -> dict[str, tuple[float, float]]:
    """Return name → range of each activation, measured by tools/calibrate_starter.py."""
    text = files(__package__).joinpath("ranges.json").read_text()
    return {name: (low, high) for name, (low, high) in json.loads(text).items()}


@cache
def _key() -> str:
    """Return a hash of the weights, the ranges and the code that builds the file."""
    digest = hashlib.sha256(f"{SHA256} {__version__}".encode())
    sources = [
        each for each in files(__package__).iterdir() if each.name.endswith((".py", ".json"))
    ]
    for source in sorted(sources, key=lambda each: each.name):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]
