"""The table of modalities."""

from __future__ import annotations

from ..contract.manifest import InputSpec
from ..contract.names import TENSOR
from .image.modality import ImageModality
from .modality import Modality
from .tensor import TensorModality

__all__ = ["MODALITIES", "modality_of"]

_MODALITIES: tuple[Modality, ...] = (ImageModality(), TensorModality())

MODALITIES = {modality.name: modality for modality in _MODALITIES}
"""Name → modality; the names are those of `contract.names.MODALITIES`."""


def modality_of(spec: InputSpec) -> Modality:
    """Return the modality of an input. A modality that this version does not know is a tensor."""
    return MODALITIES.get(spec.modality, MODALITIES[TENSOR])
