"""What `describe` hands out of a model: facts, all of them plain values, ready for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..contract.manifest import Manifest

__all__ = [
    "CutFacts",
    "LayerFacts",
    "ModelDescription",
    "OpFacts",
    "SignatureFacts",
    "StopFacts",
    "TensorFacts",
    "VariableFacts",
]


@dataclass(frozen=True)
class TensorFacts:
    """One tensor.

    Attributes:
        name: as the file has it.
        dtype: of its elements, as `int8`.
        shape: as the file states it; of the tensors of a cut, for one sample.
        scale, zero_point: `real = scale · (integer − zero_point)`; None where it is not quantized,
            or each channel by itself.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    scale: float | None = None
    zero_point: int | None = None


@dataclass(frozen=True)
class SignatureFacts:
    """One signature: name → what crosses it."""

    key: str
    inputs: Mapping[str, TensorFacts]
    outputs: Mapping[str, TensorFacts]


@dataclass(frozen=True)
class OpFacts:
    """All uses of one op.

    Attributes:
        op: its name.
        count: in the whole file.
        kind: `builtin`, `Flex` (TensorFlow's own, which LiteRT alone does not run) or `custom`.
        multiply_adds: of one inference of one sample; None where Sartor cannot tell.
        gradient: what stands in the registry for its inputs: `rule`, `zero gradient`, `not
            differentiable` or `not yet supported`, each once, in the order of the inputs.
    """

    op: str
    count: int
    kind: str
    multiply_adds: int | None
    gradient: tuple[str, ...]


@dataclass(frozen=True)
class CutFacts:
    """A place where features can be cut: what every path through the base crosses.

    Attributes:
        features: what to pass to `convert` as `features`; one name, or some.
        tensors: what these are, for one sample.
        bytes: that a sample store keeps for a sample: integers as they are, float16 for floats.
        multiply_adds_before: of one sample, run once when it is added.
        share_before: the part of all multiply-adds that this is, 0…1; None where there are none.
        multiply_adds_after: of what comes after, which a new head takes the place of.
        parameters_after: of the layers after it.
        trainable_after: how many of those have a path of gradient rules to the outputs.
        is_default: where `convert` cuts unless it is told.
        is_useful: no cut nearer the inputs takes fewer bytes (or it is the default).
    """

    features: tuple[str, ...]
    tensors: tuple[TensorFacts, ...]
    bytes: int
    multiply_adds_before: int
    share_before: float | None
    multiply_adds_after: int
    parameters_after: int
    trainable_after: int
    is_default: bool
    is_useful: bool


@dataclass(frozen=True)
class LayerFacts:
    """One op of the base that has weights.

    Attributes:
        name: of its output; where the converter has joined names, the first.
        op: its op.
        parameters: how many numbers it keeps.
        dtypes: of its weights and biases, each once.
        trainable: these could become variables: their gradient has rules up to the outputs.
        why: for people: what has to be done first, or what stands in the way.
    """

    name: str
    op: str
    parameters: int
    dtypes: tuple[str, ...]
    trainable: bool
    why: str


@dataclass(frozen=True)
class StopFacts:
    """An op that a gradient reaches, coming from the outputs, and does not pass.

    Attributes:
        name: of its output.
        op: its op.
        state: `zero gradient`, `not differentiable` or `not yet supported`.
        why: for people: the reason, and what to do.
    """

    name: str
    op: str
    state: str
    why: str


@dataclass(frozen=True)
class VariableFacts:
    """A resource variable: state that the signatures share.

    Attributes:
        name: its shared name.
        dtype, shape: of the value; None where no op tells.
        read_by, written_by: keys of signatures.
    """

    name: str
    dtype: str | None
    shape: tuple[int, ...] | None
    read_by: tuple[str, ...]
    written_by: tuple[str, ...]


@dataclass(frozen=True)
class ModelDescription:
    """What is in a `.tflite` file.

    Attributes:
        bytes: the file's size.
        kind: `model`, or `personalizable model`.
        description: what the file says of itself; may be empty.
        metadata: names of its metadata.
        files: names of those in the appended ZIP.
        inputs, outputs: of the first subgraph.
        signatures: in the order of the file.
        variables: in the order of their first use.
        quantization: of the layers with weights, for people.
        parameters: how many numbers the weights and biases of one inference are.
        multiply_adds: of one inference of one sample: those of convolutions, dense layers and
            products of matrices; at least, where `uncounted` names ops.
        uncounted: ops whose multiply-adds Sartor does not know.
        activation_bytes: the most that values between ops take at one time, run in the order of
            the file; a runtime may need more.
        ops: by name.
        cuts: from the outputs backwards; of a personalizable file, those of its base.
        default: why `convert` cuts where it does, or why it finds no place.
        obstacle: why the file cannot be a base at all; None where it can.
        tensors: all that features can be taken from, by the names that `convert` takes, backwards.
        layers: of the base, from the outputs backwards.
        stops: what keeps gradients from going further back.
        manifest: what a personalizable file says of itself.
    """

    bytes: int
    kind: str
    description: str
    metadata: tuple[str, ...]
    files: tuple[str, ...]
    inputs: tuple[TensorFacts, ...]
    outputs: tuple[TensorFacts, ...]
    signatures: tuple[SignatureFacts, ...]
    variables: tuple[VariableFacts, ...]
    quantization: str
    parameters: int
    multiply_adds: int
    uncounted: tuple[str, ...]
    activation_bytes: int
    ops: tuple[OpFacts, ...]
    cuts: tuple[CutFacts, ...]
    default: str
    obstacle: str | None
    tensors: Mapping[str, TensorFacts]
    layers: tuple[LayerFacts, ...]
    stops: tuple[StopFacts, ...]
    manifest: Manifest | None
