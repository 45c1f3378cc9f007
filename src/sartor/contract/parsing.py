"""Reading the parts of the manifest from JSON; each field is checked."""

from __future__ import annotations

from .fields import Fields
from .specs import (
    FeatureSpec,
    Fingerprints,
    FirstStep,
    FrozenSpec,
    HeadSpec,
    InputSpec,
    LayersSpec,
    LossSpec,
    OptimizerSpec,
    StepSpec,
    VariableSpec,
)

__all__ = [
    "parse_feature",
    "parse_fingerprints",
    "parse_frozen",
    "parse_head",
    "parse_input",
    "parse_layers",
    "parse_loss",
    "parse_optimizer",
    "parse_variable",
]


def parse_input(item: Fields) -> InputSpec:
    """Return one item of `inputs`."""
    return InputSpec(
        name=item.string("name"),
        shape=item.shape("shape"),
        dtype=item.string("dtype"),
        modality=item.string("modality"),
        mean=item.numbers("mean"),
        std=item.numbers("std"),
    )


def parse_feature(item: Fields) -> FeatureSpec:
    """Return one item of `features`."""
    return FeatureSpec(
        name=item.string("name"),
        shape=item.shape("shape"),
        dtype=item.string("dtype"),
        scale=item.optional_number("scale"),
        zero_point=item.optional_integer("zero_point"),
    )


def parse_variable(item: Fields) -> VariableSpec:
    """Return one item of `variables`."""
    return VariableSpec(
        name=item.string("name"),
        shape=item.shape("shape"),
        role=item.string("role"),
        class_axis=item.optional_integer("class_axis", minimum=0),
        parameter=item.optional_string("parameter"),
        offset=item.integer("offset", minimum=0),
        rate=item.optional_number("rate"),
    )


def parse_head(item: Fields) -> HeadSpec:
    """Return `head`."""
    return HeadSpec(
        name=item.string("name"),
        settings=item.object("settings").values,
        feature_norm=item.optional_number("feature_norm"),
    )


def parse_layers(item: Fields) -> LayersSpec:
    """Return `layers`."""
    return LayersSpec(
        features=item.integer("features", minimum=1),
        feature_norm=item.optional_number("feature_norm"),
    )


def parse_loss(item: Fields) -> LossSpec:
    """Return `loss`."""
    return LossSpec(
        name=item.string("name"),
        settings=item.object("settings").values,
        curvature=item.number("curvature"),
    )


def parse_optimizer(item: Fields) -> OptimizerSpec:
    """Return `optimizer`."""
    return OptimizerSpec(
        name=item.string("name"),
        settings=item.object("settings").values,
        step=_parse_step(item.object("step")),
        clip_norm=item.optional_number("clip_norm"),
    )


def parse_fingerprints(item: Fields) -> Fingerprints:
    """Return `fingerprints`."""
    return Fingerprints(
        base=item.string("base"),
        head=item.string("head"),
        optimizer=item.string("optimizer"),
    )


def parse_frozen(item: Fields) -> FrozenSpec:
    """Return `frozen`."""
    return FrozenSpec(
        offset=item.integer("offset", minimum=0),
        class_counts=item.shape("class_counts"),
    )


def _parse_step(item: Fields) -> StepSpec:
    return StepSpec(
        adaptive=item.boolean("adaptive"),
        momentum=item.number("momentum"),
        nesterov=item.boolean("nesterov"),
        first=None if item.values.get("first") is None else _parse_first(item.object("first")),
    )


def _parse_first(item: Fields) -> FirstStep:
    return FirstStep(
        factor=item.number("factor"),
        state=item.optional_string("state"),
        power=item.integer("power", minimum=1),
    )
