"""`sartor.json`: what a personalizable file says of itself, beside its signatures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ..errors import NotPersonalizableError
from .fields import Fields
from .names import FEATURES, MANIFEST_FILE, MASK, TEMPERATURE, VERSION
from .signatures import TensorSpec, numbered, signatures

__all__ = [
    "LABELS_FILE",
    "FeatureSpec",
    "Fingerprints",
    "InputSpec",
    "Manifest",
    "Part",
    "VariableSpec",
]

LABELS_FILE = "labels.txt"
"""The file in the appended ZIP that names the classes for other tools, one a line."""

_KNOWN_REQUIREMENTS: frozenset[str] = frozenset()
_PER_OUTPUT = {"classification": False, "multi_label": True, "regression": True}


@dataclass(frozen=True)
class InputSpec:
    """One input of the base, and how to make it from what a user has.

    Attributes:
        name: in the signature `infer`.
        shape: with the batch of 1.
        dtype: `float32`, `int32` or `uint8`.
        modality: `image` ([1, height, width, channels]) or `tensor`.
        mean, std: for a float32 image, `(pixel − mean) / std` of pixels 0…255 is fed, with one
            value, or one a channel; a uint8 image takes pixels as they are.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    modality: str = "tensor"
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)


@dataclass(frozen=True)
class FeatureSpec:
    """One tensor that the cut crosses.

    Attributes:
        name: in the signatures.
        shape: without the batch.
        dtype: the type it has inside the base: `float32`, or the integers that stand for reals.
        scale, zero_point: `real = scale · (integer − zero_point)`, so that a store can keep the
            integers without loss; None where the base is float there.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str = "float32"
    scale: float | None = None
    zero_point: int | None = None


@dataclass(frozen=True)
class VariableSpec:
    """One variable, always float32.

    Attributes:
        name: in `save` and `restore`.
        shape: exact.
        role: `parameter` (trained), `statistic` (set by `set_class`), `mask`, `temperature`,
            `optimizer_state` or `random_state` (of dropout).
        class_axis: the axis that runs over classes, or None.
        parameter: for an optimizer state, the parameter it belongs to; None for a state shared by
            all parameters, and for other roles.
        offset: where its initial value starts in the file, in bytes; little-endian float32.
    """

    name: str
    shape: tuple[int, ...]
    role: str
    class_axis: int | None = None
    parameter: str | None = None
    offset: int = 0


@dataclass(frozen=True)
class Part:
    """A head, loss or optimizer: its name and its settings."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Fingerprints:
    """Hashes over content: what of a user's data still fits.

    Attributes:
        base: base, cut and preprocessing: whether stored features are valid.
        head: whether parameters load.
        optimizer: whether its slots load.
    """

    base: str
    head: str
    optimizer: str


@dataclass(frozen=True)
class Manifest:
    """All that a runtime knows of a personalizable file.

    Attributes:
        inputs, features, variables: as above, in the order of the signatures.
        batch: B, the rows of one training step.
        classes: C entries: the name of each slot, or None while it is free.
        task: `classification` (one class a sample), `multi_label` or `regression`.
        weights_per_output: whether a sample has a weight for each output.
        head, loss, optimizer: what the file was made of.
        feature_norm: the Euclidean length that the head brings features to, or None where it
            takes them as they are.
        learning_rate: the default; None leaves it to the runtime.
        fingerprints: what of a user's data still fits.
        requires: what a runtime must know, or refuse the file.
        generator: what wrote it.
        digest: SHA-256 of the model (`sartor.contract.digest.model_digest`); None where it was not taken.
        version: of the contract.
    """

    inputs: tuple[InputSpec, ...]
    features: tuple[FeatureSpec, ...]
    batch: int
    classes: tuple[str | None, ...]
    task: str
    weights_per_output: bool
    head: Part
    loss: Part
    optimizer: Part
    feature_norm: float | None
    learning_rate: float | None
    variables: tuple[VariableSpec, ...]
    fingerprints: Fingerprints
    requires: tuple[str, ...] = ()
    generator: str = ""
    digest: str | None = None
    version: int = VERSION

    @property
    def capacity(self) -> int:
        """C, the most classes there can be."""
        return len(self.classes)

    def signatures(self) -> dict[str, tuple[dict[str, TensorSpec], dict[str, TensorSpec]]]:
        """Key → (inputs, outputs) of each signature of the file."""
        return signatures(
            inputs={spec.name: TensorSpec(spec.shape, spec.dtype) for spec in self.inputs},
            features=[spec.shape for spec in self.features],
            batch=self.batch,
            capacity=self.capacity,
            weights_per_output=self.weights_per_output,
            variables={spec.name: spec.shape for spec in self.variables},
        )

    def to_json(self) -> str:
        """The text of `sartor.json`."""
        fields = {"contract": self.version, **asdict(self)}
        del fields["version"]
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))

    def files(self) -> dict[str, bytes]:
        """What goes into the appended ZIP: the manifest itself, and the labels for other tools."""
        labels = [name or f"unused {slot}" for slot, name in enumerate(self.classes)]
        return {
            MANIFEST_FILE: self.to_json().encode(),
            LABELS_FILE: "\n".join(labels).encode(),
        }

    @classmethod
    def from_json(cls, text: str | bytes) -> Manifest:
        """Read `sartor.json`; keys that are not known are ignored.

        Raises:
            NotPersonalizableError: it is damaged, contradicts itself, is of another version, or
                asks for what this runtime does not know.
        """
        fields = Fields.parse(text, MANIFEST_FILE, NotPersonalizableError)
        version = fields.integer("contract")
        requires = fields.strings("requires")
        unknown = sorted(set(requires) - _KNOWN_REQUIREMENTS)
        if version != VERSION or unknown:
            wants = f"contract version {version}" + "".join(f", {name}" for name in unknown)
            raise NotPersonalizableError(
                f"the model needs {wants}; this Sartor knows version {VERSION}. "
                "Update Sartor, or convert the base again."
            )
        manifest = cls(
            inputs=tuple(_input(item) for item in fields.objects("inputs")),
            features=tuple(_feature(item) for item in fields.objects("features")),
            batch=fields.integer("batch", minimum=1),
            classes=fields.names("classes"),
            task=fields.string("task"),
            weights_per_output=fields.boolean("weights_per_output"),
            head=_part(fields.object("head")),
            loss=_part(fields.object("loss")),
            optimizer=_part(fields.object("optimizer")),
            feature_norm=fields.optional_number("feature_norm"),
            learning_rate=fields.optional_number("learning_rate"),
            variables=tuple(_variable(item) for item in fields.objects("variables")),
            fingerprints=_fingerprints(fields.object("fingerprints")),
            requires=requires,
            generator=fields.string("generator"),
            digest=fields.optional_string("digest"),
        )
        return _checked(manifest)


def _checked(manifest: Manifest) -> Manifest:
    """The manifest, if it does not contradict itself."""
    wrong = next(_contradictions(manifest), None)
    if wrong is not None:
        raise NotPersonalizableError(
            f"{MANIFEST_FILE} is damaged: {wrong}. Convert the base again."
        )
    return manifest


def _contradictions(manifest: Manifest) -> Iterator[str]:
    for name, entries in (("inputs", manifest.inputs), ("features", manifest.features),
                          ("classes", manifest.classes)):  # fmt: skip
        if not entries:
            yield f"{name} is empty"
    if _PER_OUTPUT.get(manifest.task) is not manifest.weights_per_output:
        yield f"the task {manifest.task!r} does not go with these weights"
    for number, feature in enumerate(manifest.features):
        if feature.name != numbered(FEATURES, number):
            yield f"the features {number} are called {feature.name!r}"
    for what, ends in (("inputs", manifest.inputs), ("variables", manifest.variables)):
        names = [end.name for end in ends]
        if len(set(names)) != len(names):
            yield f"two of the {what} have the same name"
    variables = {spec.name: spec for spec in manifest.variables}
    for name, shape in ((MASK, (manifest.capacity,)), (TEMPERATURE, (1,))):
        if name not in variables or variables[name].shape != shape:
            yield f"there is no variable {name!r} of shape {list(shape)}"
    for spec in manifest.variables:
        axis = spec.class_axis
        if axis is not None and spec.shape[axis : axis + 1] != (manifest.capacity,):
            yield f"{spec.name!r} of shape {list(spec.shape)} has no class axis {axis}"
        if spec.parameter is not None and spec.parameter not in variables:
            yield f"{spec.name!r} belongs to {spec.parameter!r}, which is not there"


def _input(item: Fields) -> InputSpec:
    return InputSpec(
        item.string("name"), item.shape("shape"), item.string("dtype"), item.string("modality"),
        item.numbers("mean"), item.numbers("std"),
    )  # fmt: skip


def _feature(item: Fields) -> FeatureSpec:
    return FeatureSpec(
        item.string("name"), item.shape("shape"), item.string("dtype"),
        item.optional_number("scale"), item.optional_integer("zero_point"),
    )  # fmt: skip


def _variable(item: Fields) -> VariableSpec:
    return VariableSpec(
        item.string("name"), item.shape("shape"), item.string("role"),
        item.optional_integer("class_axis", minimum=0), item.optional_string("parameter"),
        item.integer("offset", minimum=0),
    )  # fmt: skip


def _part(item: Fields) -> Part:
    return Part(item.string("name"), item.object("settings").values)


def _fingerprints(item: Fields) -> Fingerprints:
    return Fingerprints(item.string("base"), item.string("head"), item.string("optimizer"))
