"""Checks that the parts of a manifest do not contradict each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from .names import FEATURES, MASK, TASKS, TEMPERATURE, WEIGHT_DECAY
from .signatures import numbered

if TYPE_CHECKING:
    from .manifest import Manifest

__all__ = ["are_class_keys", "contradictions"]

_WEIGHTS_PER_OUTPUT = {"classification": False, "multi_label": True, "regression": True}
"""Task → whether a sample has a weight for each output."""


def contradictions(manifest: Manifest) -> Iterator[str]:
    """Yield each contradiction in a manifest, in words."""
    yield from _empty_lists(manifest)
    yield from _wrong_names(manifest)
    yield from _wrong_training(manifest)
    yield from _wrong_variables(manifest)


def _empty_lists(manifest: Manifest) -> Iterator[str]:
    for name in ("inputs", "features", "classes"):
        if not getattr(manifest, name):
            yield f"{name} is empty"


def _wrong_names(manifest: Manifest) -> Iterator[str]:
    for index, feature in enumerate(manifest.features):
        if feature.name != numbered(FEATURES, index):
            yield f"features {index} is named {feature.name!r}"
    for key, specs in (("inputs", manifest.inputs), ("variables", manifest.variables)):
        names = [spec.name for spec in specs]
        if len(set(names)) != len(names):
            yield f"two of the {key} have the same name"

    keys = manifest.class_keys or manifest.classes
    if not are_class_keys(keys, manifest.classes):
        yield "class_keys has not one key for each class"


def are_class_keys(keys: Sequence[str | None], classes: Sequence[str | None]) -> bool:
    """Return whether each class has a key of its own, and each free class index has none."""
    used = [key for key in keys if key is not None]
    return [key is None for key in keys] == [name is None for name in classes] and (
        len(set(used)) == len(used)
    )


def _wrong_training(manifest: Manifest) -> Iterator[str]:
    if manifest.task not in TASKS:
        yield f"the task is {manifest.task!r}, not one of {', '.join(TASKS)}"
    elif _WEIGHTS_PER_OUTPUT[manifest.task] is not manifest.weights_per_output:
        yield f"weights_per_output is wrong for the task {manifest.task!r}"
    if not manifest.loss.curvature > 0:
        yield f"the curvature of the loss is {manifest.loss.curvature}, not above 0"
    step = manifest.optimizer.step
    if not 0 <= step.momentum < 1:
        yield f"the momentum of the optimizer is {step.momentum}, not between 0 and 1"
    if step.first is not None and not (step.first.factor > 0 and step.first.power in (1, 2)):
        yield "the first step of the optimizer has a wrong factor or power"


def _wrong_variables(manifest: Manifest) -> Iterator[str]:
    variables = {spec.name: spec for spec in manifest.variables}
    for name, shape in (
        (MASK, (manifest.capacity,)),
        (TEMPERATURE, (1,)),
        (WEIGHT_DECAY, (1,)),
    ):
        if name not in variables or variables[name].shape != shape:
            yield f"there is no variable {name!r} of shape {list(shape)}"
    for spec in manifest.variables:
        axis = spec.class_axis
        if axis is not None and spec.shape[axis : axis + 1] != (manifest.capacity,):
            yield f"{spec.name!r} of shape {list(spec.shape)} has no class axis {axis}"
        if spec.parameter is not None and spec.parameter not in variables:
            yield f"{spec.name!r} belongs to {spec.parameter!r}, which does not exist"
