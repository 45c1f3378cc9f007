"""EfficientNet-Lite0 as a base: built from its weights, in float, in int8, or in part of each."""

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
from .cache import cached
from .describe import describe
from .network import network
from .quantize import quantize_graph
from .weights import SHA256, load_weights

__all__ = ["EfficientNetLite0"]

_SMALLEST, _LARGEST = 96, 320
_IMAGE = Quantization(np.array([1 / 128], np.float32), np.array([127], np.int64))


@dataclass(frozen=True)
class EfficientNetLite0:
    """EfficientNet-Lite0 with its ImageNet weights: a base that needs no file and no network.

    Its features are the 1280 that ImageNet's classes are told apart by; `features="features_320"`
    (of `convert`) takes those before the last convolution. docs/starter.md compares the sizes.

    Attributes:
        input_size: height and width of the pictures, 96 to 320.
        quantize: compute in int8, and take pixels as they are (uint8). Else in float32, and take
            `(pixel − 127) / 128`.
        float_blocks: with `quantize`, how many of the 16 blocks stay float, counted from the end;
            with any, so does all behind them. For training those.
    """

    input_size: int = 224
    quantize: bool = True
    float_blocks: int = 0

    def __post_init__(self) -> None:
        _check("input_size", self.input_size, _SMALLEST, _LARGEST)
        _check("float_blocks", self.float_blocks, 0, len(BLOCKS))
        if self.float_blocks and not self.quantize:
            raise ConversionError("float_blocks needs quantize: without it all blocks are float")

    def load(self) -> Model:
        """Return it as a graph.

        Raises:
            ConversionError: the weights are not installed, or not those that Sartor knows.
        """
        return read(self.content())

    def content(self) -> bytes:
        """The bytes of it as a `.tflite` file, the same on every machine.

        It is made from the weights, and kept in the user's cache folder where there is one.

        Raises:
            ConversionError: the weights are not installed, or not those that Sartor knows.
        """
        return cached(f"efficientnet-lite0-{self.input_size}-{self._kind}", _key(), self._build)

    @property
    def _kind(self) -> str:
        """The settings, the size apart."""
        if not self.quantize:
            return "float"
        return f"mixed{self.float_blocks}" if self.float_blocks else "int8"

    def _build(self) -> bytes:
        model = network(load_weights(), self.input_size)
        if self.quantize:
            quantize_graph(model.main, _ranges(), _IMAGE, self._last())
        model.metadata[METADATA_NAME] = encode_metadata(describe(_IMAGE))
        return write(model)

    def _last(self) -> str | None:
        """The last int8 activation, or None when all are."""
        if not self.float_blocks:
            return None
        return [STEM.name, *(block.name for block in BLOCKS)][-1 - self.float_blocks]


def _check(name: str, value: object, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:
        raise ConversionError(
            f"{name} must be a whole number from {least} to {most}, got {value!r}"
        )


def _ranges() -> dict[str, tuple[float, float]]:
    """Name → the least and greatest value of each activation, as tools/ measured them."""
    text = files(__package__).joinpath("ranges.json").read_text()
    return {name: (low, high) for name, (low, high) in json.loads(text).items()}


@cache
def _key() -> str:
    """A hash over what a file is made from, the settings apart: weights, ranges, this code."""
    digest = hashlib.sha256(f"{SHA256} {__version__}".encode())
    sources = [
        each for each in files(__package__).iterdir() if each.name.endswith((".py", ".json"))
    ]
    for source in sorted(sources, key=lambda each: each.name):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]
