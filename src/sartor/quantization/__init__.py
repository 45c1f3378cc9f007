"""Quantize a base during conversion, or a frozen model, with ai-edge-quantizer.

Two flows share this package:

- `quantize_base` quantizes the base of a new personalizable file up to its features. The head stays
  float. `QuantizedBase.report` then measures the loss on representative samples.
- `quantize_frozen` quantizes a frozen model throughout, inputs and outputs included, for
  microcontrollers.

Both read samples with `CalibrationData.read` and call `quantize`, the only function that runs
ai-edge-quantizer (the extra `quantize`). Importing this package loads the runtime.
"""

from .base import QuantizedBase, quantize_base
from .calibration_data import CalibrationData, RepresentativeSamples
from .frozen import RepresentativeData, quantize_frozen
from .quantizer import MODES, quantize
from .report import FewShotAccuracy, QuantizationReport

__all__ = [
    "MODES",
    "CalibrationData",
    "FewShotAccuracy",
    "QuantizationReport",
    "QuantizedBase",
    "RepresentativeData",
    "RepresentativeSamples",
    "quantize",
    "quantize_base",
    "quantize_frozen",
]
