"""The description of a model: plain values that can be written as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..contract.manifest import Manifest
from .training import TrainingPrediction

__all__ = [
    "CutInfo",
    "GradientStop",
    "LayerInfo",
    "ModelDescription",
    "OpInfo",
    "SignatureInfo",
    "TensorInfo",
    "VariableInfo",
]


@dataclass(frozen=True)
class TensorInfo:
    """One tensor.

    Attributes:
        name: name in the file.
        dtype: dtype of the elements, such as `int8`.
        shape: shape in the file; for tensors of a cut, with batch 1.
        scale, zero_point: `real = scale · (integer − zero_point)`; None for tensors that are not
            quantized or have one scale per channel.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    scale: float | None = None
    zero_point: int | None = None


@dataclass(frozen=True)
class SignatureInfo:
    """One signature.

    Attributes:
        key: name of the signature.
        inputs, outputs: name → tensor.
    """

    key: str
    inputs: Mapping[str, TensorInfo]
    outputs: Mapping[str, TensorInfo]


@dataclass(frozen=True)
class OpInfo:
    """All uses of one op.

    Attributes:
        op: name of the op.
        count: number of uses in the file.
        kind: `builtin`, `Flex` (an op of TensorFlow, which LiteRT alone does not run) or `custom`.
        multiply_adds: multiply-adds of one inference with batch 1; None if unknown.
        gradient: gradient support of its inputs: `rule`, `zero gradient`, `not differentiable` or
            `not yet supported`, each value once, in the order of the inputs.
    """

    op: str
    count: int
    kind: str
    multiply_adds: int | None
    gradient: tuple[str, ...]


@dataclass(frozen=True)
class CutInfo:
    """A possible cut: tensors that every path through the base crosses.

    Attributes:
        features: names for the argument `features` of `convert`.
        tensors: the tensors, with batch 1.
        bytes_per_sample: size of one sample's features in a sample store: integers as they are,
            float16 for floats.
        multiply_adds_before: multiply-adds up to the cut, computed once when a sample is added.
        fraction_before: their fraction of all multiply-adds, 0…1; None if there are none.
        multiply_adds_after: multiply-adds after the cut, which a new head replaces.
        parameters_after: number of parameters after the cut.
        trainable_after: number of these that gradients reach.
        is_default: whether `convert` cuts here by default.
        is_useful: whether no better cut exists; see docs/inspect.md.
    """

    features: tuple[str, ...]
    tensors: tuple[TensorInfo, ...]
    bytes_per_sample: int
    multiply_adds_before: int
    fraction_before: float | None
    multiply_adds_after: int
    parameters_after: int
    trainable_after: int
    is_default: bool
    is_useful: bool


@dataclass(frozen=True)
class LayerInfo:
    """One op with weights.

    Attributes:
        name: name of its output; the first if the converter joined several.
        op: name of the op.
        parameters: number of weights and biases.
        dtypes: dtypes of the weights and biases, each once.
        trainable: whether gradients reach the weights from the outputs.
        reason: explanation of `trainable`: `yes`, `yes, after dequantization` or `no: …`.
    """

    name: str
    op: str
    parameters: int
    dtypes: tuple[str, ...]
    trainable: bool
    reason: str


@dataclass(frozen=True)
class GradientStop:
    """An op that a gradient reaches from the outputs and does not pass.

    Attributes:
        name: name of its output.
        op: name of the op.
        support: `zero gradient`, `not differentiable` or `not yet supported`.
        reason: the error message, with advice.
    """

    name: str
    op: str
    support: str
    reason: str


@dataclass(frozen=True)
class VariableInfo:
    """A resource variable, which signatures share.

    Attributes:
        name: shared name.
        dtype, shape: dtype and shape of the value; None if no op states them.
        read_by, written_by: keys of the signatures that read and write it.
    """

    name: str
    dtype: str | None
    shape: tuple[int, ...] | None
    read_by: tuple[str, ...]
    written_by: tuple[str, ...]


@dataclass(frozen=True)
class ModelDescription:
    """The description of a `.tflite` file.

    Attributes:
        bytes: size of the file.
        kind: `model` or `personalizable model`.
        description: name and description in the metadata; may be empty.
        metadata: names of the metadata buffers.
        files: names of the files in the appended ZIP archive.
        labels: names of the classes in the label file, if there is one.
        inputs, outputs: inputs and outputs of the first subgraph.
        signatures: signatures, in the order of the file.
        variables: resource variables, in the order of first use.
        quantization: quantization schemes of the layers with weights, as text.
        parameters: number of constant weights and biases of one inference.
        multiply_adds: multiply-adds of one inference with batch 1: convolutions, dense layers and
            matrix products. A lower bound if `uncounted` is not empty.
        uncounted: ops with an unknown number of multiply-adds.
        activation_bytes: largest total size of the tensors between ops, in the execution order of
            the file. A runtime may need more.
        ops: ops, by name.
        cuts: possible cuts, from the outputs to the inputs; for a personalizable file, those of
            its base.
        default_reason: explanation of the default cut, or the reason why there is none.
        conversion_error: error of `convert` if the file cannot be a base; otherwise None.
        tensors: every tensor that can be features, by its name for `convert`, from the outputs.
        layers: layers with weights, from the outputs to the inputs.
        gradient_stops: ops that gradients do not pass.
        unreadable: name of a part that cannot be described → reason.
        manifest: manifest of a personalizable file; otherwise None.
        training: predicted cost of training; None if no number of classes was given.
    """

    bytes: int
    kind: str
    description: str
    metadata: tuple[str, ...]
    files: tuple[str, ...]
    labels: tuple[str, ...]
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    signatures: tuple[SignatureInfo, ...]
    variables: tuple[VariableInfo, ...]
    quantization: str
    parameters: int
    multiply_adds: int
    uncounted: tuple[str, ...]
    activation_bytes: int
    ops: tuple[OpInfo, ...]
    cuts: tuple[CutInfo, ...]
    default_reason: str
    conversion_error: str | None
    tensors: Mapping[str, TensorInfo]
    layers: tuple[LayerInfo, ...]
    gradient_stops: tuple[GradientStop, ...]
    unreadable: Mapping[str, str]
    manifest: Manifest | None
    training: TrainingPrediction | None = None
