"""The names of a checkpoint: a safetensors file with the state of a user's model."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from .fields import Fields
from .parsing import parse_fingerprints
from .specs import Fingerprints

__all__ = [
    "APP_PREFIX",
    "HEADER_KEY",
    "OOD_CLASS_INDICES",
    "OOD_DIRECTIONS",
    "OOD_PREFIX",
    "OOD_PROTOTYPES",
    "OOD_STATISTICS",
    "CheckpointHeader",
]

HEADER_KEY = "sartor"
"""Key of the header, a JSON text, in the metadata of the safetensors file."""

APP_PREFIX = "app/"
"""Prefix of the names of tensors of the app; Sartor keeps them unchanged."""

OOD_PREFIX = "ood/"
"""Prefix of the names of tensors of the OOD detector."""

OOD_PROTOTYPES = "ood/prototypes"
"""Tensor [R, F]: directions of typical samples."""

OOD_CLASS_INDICES = "ood/class_indices"
"""Tensor [R]: class index of each prototype."""

OOD_DIRECTIONS = "ood/directions"
"""Tensor [D, F], D at most 64: directions of the metric within the classes. Absent if D is 0."""

OOD_STATISTICS = "ood/statistics"
"""Tensor [2]: weight of the entropy in the OOD score, mean cosine similarity within a class."""


@dataclass(frozen=True)
class CheckpointHeader:
    """The header of a checkpoint.

    Attributes:
        contract: version of the contract.
        fingerprints: fingerprints of the model that the checkpoint was saved from.
        classes: the name of each class index, or None if the index is free.
        class_keys: the key of each class index, or None if the index is free.
        imprinted: the names of the classes that were imprinted and not trained.
        samples_seen: number of samples added before the checkpoint was saved.
        ood_threshold: OOD score below which an input is out-of-distribution, or None.
        digest: SHA-256 of the tensors, the class names and the class keys.
    """

    contract: int
    fingerprints: Fingerprints
    classes: tuple[str | None, ...]
    class_keys: tuple[str | None, ...]
    imprinted: tuple[str, ...] = ()
    samples_seen: int = 0
    ood_threshold: float | None = None
    digest: str = ""

    def to_json(self) -> str:
        """Return the text of the header."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_fields(cls, fields: Fields) -> CheckpointHeader:
        """Return a header from its JSON fields; raises their error if one is wrong."""
        return cls(
            contract=fields.integer("contract"),
            fingerprints=parse_fingerprints(fields.object("fingerprints")),
            classes=fields.names("classes"),
            class_keys=fields.names("class_keys"),
            imprinted=fields.strings("imprinted"),
            samples_seen=fields.integer("samples_seen", minimum=0),
            ood_threshold=fields.optional_number("ood_threshold"),
            digest=fields.string("digest"),
        )
