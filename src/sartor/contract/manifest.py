"""The manifest `sartor.json`: the description of a personalizable file, inside the file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

from ..errors import NotPersonalizableError
from .consistency import contradictions
from .fields import Fields
from .names import FEATURES, LABELS_FILE, MANIFEST_FILE, VARIABLE_TENSORS, VERSION
from .parsing import (
    parse_feature,
    parse_fingerprints,
    parse_frozen,
    parse_head,
    parse_input,
    parse_layers,
    parse_loss,
    parse_optimizer,
    parse_variable,
)
from .signatures import TensorSpec, signatures
from .specs import (
    FeatureSpec,
    Fingerprints,
    FrozenSpec,
    HeadSpec,
    InputSpec,
    LayersSpec,
    LossSpec,
    OptimizerSpec,
    VariableSpec,
)

__all__ = [
    "LABELS_FILE",
    "FeatureSpec",
    "Fingerprints",
    "FrozenSpec",
    "HeadSpec",
    "InputSpec",
    "LayersSpec",
    "LossSpec",
    "Manifest",
    "OptimizerSpec",
    "VariableSpec",
]

_SUPPORTED_REQUIREMENTS = frozenset({VARIABLE_TENSORS})


@dataclass(frozen=True)
class Manifest:
    """The description of a personalizable file.

    Attributes:
        inputs: inputs of the base, in the order of `infer`.
        features: tensors at the cut, in the order of the signatures.
        batch_size: B, the rows of one training step.
        classes: C entries: the name of each class index, or None if the index is free.
        task: `classification` (one class for each sample), `multi_label` or `regression`.
        weights_per_output: whether a sample has a weight for each output.
        head: the head.
        loss: the loss.
        optimizer: the optimizer.
        learning_rate: default learning rate; None if the runtime chooses it.
        weight_decay: default weight decay; None if the runtime chooses it.
        variables: variables, in the order of `save` and `restore`.
        fingerprints: hashes that decide what user data still fits.
        layers: the tuned layers; None if only the head trains.
        frozen: the plain classifier inside the file; None if there is none.
        requires: features that a runtime must support; a runtime refuses the file otherwise.
        generator: program that wrote the file, with its version.
        class_keys: the key of each class index, or None if the index is free. Default: the names.
        digest: SHA-256 of all bytes before the appended ZIP archive.
        version: version of the contract.
    """

    inputs: tuple[InputSpec, ...]
    features: tuple[FeatureSpec, ...]
    batch_size: int
    classes: tuple[str | None, ...]
    task: str
    weights_per_output: bool
    head: HeadSpec
    loss: LossSpec
    optimizer: OptimizerSpec
    learning_rate: float | None
    weight_decay: float | None
    variables: tuple[VariableSpec, ...]
    fingerprints: Fingerprints
    layers: LayersSpec | None = None
    frozen: FrozenSpec | None = None
    requires: tuple[str, ...] = ()
    generator: str = ""
    class_keys: tuple[str | None, ...] | None = None
    digest: str = ""
    version: int = VERSION

    @property
    def capacity(self) -> int:
        """C, the largest number of classes."""
        return len(self.classes)

    def signatures(self) -> dict[str, tuple[dict[str, TensorSpec], dict[str, TensorSpec]]]:
        """Return the inputs and outputs of each signature: key → (inputs, outputs)."""
        return signatures(
            inputs={spec.name: TensorSpec(spec.shape, spec.dtype) for spec in self.inputs},
            features=[spec.shape for spec in self.features],
            batch_size=self.batch_size,
            capacity=self.capacity,
            weights_per_output=self.weights_per_output,
            variables={spec.name: spec.shape for spec in self.variables},
            head_features=None if self.layers is None else self.layers.features,
        )

    def of_head(self) -> Manifest:
        """Return the manifest of the head alone, whose features are those behind tuned layers.

        Its signatures are those of `litert.HeadEngine`. Without tuned layers it is this manifest.
        """
        if self.layers is None:
            return self
        return replace(
            self,
            features=(FeatureSpec(FEATURES, (self.layers.features,)),),
            head=replace(self.head, feature_norm=self.layers.feature_norm),
            layers=None,
        )

    def to_json(self) -> str:
        """Return the text of `sartor.json`."""
        fields = {"contract": self.version, **asdict(self)}
        del fields["version"]
        for variable in fields["variables"]:
            if variable["rate"] is None:
                del variable["rate"]
        if self.layers is None:
            del fields["layers"]
        if self.class_keys is None:
            del fields["class_keys"]
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))

    def files(self) -> dict[str, bytes]:
        """Return the files of the appended ZIP: the manifest, and the labels for other tools."""
        labels = [name or f"unused {index}" for index, name in enumerate(self.classes)]
        return {
            MANIFEST_FILE: self.to_json().encode(),
            LABELS_FILE: "\n".join(labels).encode(),
        }

    @classmethod
    def from_json(cls, text: str | bytes) -> Manifest:
        """Read `sartor.json`; unknown keys are ignored.

        Raises:
            NotPersonalizableError: If the text is damaged or contradicts itself, has another
                version, or requires a feature that this runtime does not support.
        """
        fields = Fields.parse(text, MANIFEST_FILE, NotPersonalizableError)
        version, requires = fields.integer("contract"), fields.strings("requires")
        _check_support(version, requires)
        manifest = cls(
            inputs=tuple(map(parse_input, fields.objects("inputs"))),
            features=tuple(map(parse_feature, fields.objects("features"))),
            batch_size=fields.integer("batch_size", minimum=1),
            classes=fields.names("classes"),
            task=fields.string("task"),
            weights_per_output=fields.boolean("weights_per_output"),
            head=parse_head(fields.object("head")),
            loss=parse_loss(fields.object("loss")),
            optimizer=parse_optimizer(fields.object("optimizer")),
            learning_rate=fields.optional_number("learning_rate"),
            weight_decay=fields.optional_number("weight_decay"),
            variables=tuple(map(parse_variable, fields.objects("variables"))),
            fingerprints=parse_fingerprints(fields.object("fingerprints")),
            layers=parse_layers(fields.object("layers")) if fields.values.get("layers") else None,
            frozen=parse_frozen(fields.object("frozen")) if fields.values.get("frozen") else None,
            requires=requires,
            generator=fields.string("generator"),
            class_keys=fields.names("class_keys") if fields.values.get("class_keys") else None,
            digest=fields.string("digest"),
        )
        contradiction = next(contradictions(manifest), None)
        if contradiction is not None:
            raise NotPersonalizableError(
                f"{MANIFEST_FILE} is damaged: {contradiction}. Convert the base again."
            )
        return manifest


def _check_support(version: int, requires: tuple[str, ...]) -> None:
    unsupported = sorted(set(requires) - _SUPPORTED_REQUIREMENTS)
    if version != VERSION or unsupported:
        needs = f"contract version {version}" + "".join(f", {name}" for name in unsupported)
        raise NotPersonalizableError(
            f"the model needs {needs}; this Sartor supports version {VERSION}. "
            "Update Sartor, or convert the base again."
        )
