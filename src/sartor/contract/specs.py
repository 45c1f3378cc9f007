"""The parts of the manifest: inputs, features, variables, head, layers, loss, optimizer, hashes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = [
    "FeatureSpec",
    "Fingerprints",
    "FirstStep",
    "FrozenSpec",
    "HeadSpec",
    "InputSpec",
    "LayersSpec",
    "LossSpec",
    "OptimizerSpec",
    "StepSpec",
    "VariableSpec",
]


@dataclass(frozen=True)
class InputSpec:
    """One input of the base.

    Attributes:
        name: name in the signature `infer`.
        shape: shape, with a batch of 1.
        dtype: `float32`, `int32` or `uint8`.
        modality: `image` ([1, height, width, channels]) or `tensor`.
        mean, std: for a float32 image, `(pixel − mean) / std` of pixels 0…255 is the input; one
            value, or one for each channel. A uint8 image takes pixels unchanged.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    modality: str = "tensor"
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)


@dataclass(frozen=True)
class FeatureSpec:
    """One tensor at the cut.

    Attributes:
        name: name in the signatures.
        shape: shape without the batch.
        dtype: type inside the base: `float32`, or the integer type of a quantized tensor.
        scale, zero_point: `real = scale · (integer − zero_point)`, with which a store can keep
            the integers without loss; None if the tensor is float.
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
        name: name in `save` and `restore`.
        shape: exact shape.
        role: one of `ROLES`.
        class_axis: the axis that runs over classes, or None.
        parameter: for an optimizer state, the parameter it belongs to; None for a state shared by
            all parameters, and for other roles.
        offset: position of the initial value in the file, in bytes; little-endian float32.
        rate: learning rate of a parameter, relative to that of the training; None for 1.
    """

    name: str
    shape: tuple[int, ...]
    role: str
    class_axis: int | None = None
    parameter: str | None = None
    offset: int = 0
    rate: float | None = None


@dataclass(frozen=True)
class FrozenSpec:
    """The plain classifier inside a file: the bytes from an offset to the end of the flatbuffer.

    Attributes:
        offset: position of its first byte in the file.
        class_counts: position of each int32 in its shapes that is the number of classes, in the
            file, in bytes; empty if the head needs exactly the capacity.
    """

    offset: int
    class_counts: tuple[int, ...]


@dataclass(frozen=True)
class HeadSpec:
    """The head of a file.

    Attributes:
        name: name of the head.
        settings: its settings, for people.
        feature_norm: Euclidean norm of the features after the head's normalization (with
            statistics, the root mean square), or None if the head does not normalize or has
            hidden layers.
    """

    name: str
    settings: Mapping[str, Any]
    feature_norm: float | None = None


@dataclass(frozen=True)
class LayersSpec:
    """The tuned layers of a file: layers of the base that train with the head.

    Attributes:
        features: number of features that they compute for the head.
        feature_norm: `HeadSpec.feature_norm` of the head alone.
    """

    features: int
    feature_norm: float | None = None


@dataclass(frozen=True)
class LossSpec:
    """The loss of a file.

    Attributes:
        name: name of the loss.
        settings: its settings, for people.
        curvature: upper bound of the second derivative of the loss of one sample, or of one
            output if each output has a weight, by a logit; above 0.
    """

    name: str
    settings: Mapping[str, Any]
    curvature: float


@dataclass(frozen=True)
class FirstStep:
    """How the first step of an optimizer, with a state of zeros, determines the gradient `g`.

    It holds without weight decay. Without a state: `(w − w′) / learning_rate = factor · g`, where
    `w′` are the weights after the step. With a state: its value after the step is
    `factor · g^power`; if `power` is 2, the weights move against the sign of `g`.

    Attributes:
        factor: as above; above 0.
        state: name of the parameter state, or None.
        power: 1 or 2.
    """

    factor: float = 1.0
    state: str | None = None
    power: int = 1


@dataclass(frozen=True)
class StepSpec:
    """The step of an optimizer.

    Attributes:
        adaptive: True if the learning rate itself is the size of a step, whatever the size of
            the gradient (Adam, RMSprop); False for gradient descent.
        momentum: decay of the velocity in gradient descent, 0 ≤ momentum < 1; 0 for none.
        nesterov: True for Nesterov momentum.
        first: how the first step determines the gradient, for `sartor verify`; None if it does
            not.
    """

    adaptive: bool
    momentum: float = 0.0
    nesterov: bool = False
    first: FirstStep | None = None


@dataclass(frozen=True)
class OptimizerSpec:
    """The optimizer of a file.

    Attributes:
        name: name of the optimizer.
        settings: its settings, for people.
        step: how it moves the parameters.
        clip_norm: largest global norm of the gradients, or None.
    """

    name: str
    settings: Mapping[str, Any]
    step: StepSpec
    clip_norm: float | None = None


@dataclass(frozen=True)
class Fingerprints:
    """Hashes over content, which decide what user data still fits a file.

    Attributes:
        base: hash of base, cut and preprocessing: decides whether stored features are valid.
        head: hash of the head: decides whether parameters load.
        optimizer: hash of the optimizer: decides whether its state loads.
    """

    base: str
    head: str
    optimizer: str
