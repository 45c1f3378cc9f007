"""Check the signature `set_class`: imprint and clear a class, compute statistics."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...contract.manifest import VariableSpec
from ...contract.names import CENTER, FEATURES, LABELS, MASK, OUTPUT, SAMPLE_WEIGHTS, SCALE
from .comparison import check_close, check_equal, without
from .report import Check
from .session import Batch, Session, Variables

__all__ = ["check_classes", "check_first_samples", "check_statistics"]

_SCALE_FACTOR = np.float32(1024)


def check_classes(session: Session, variables: Variables, batch: Batch) -> Iterator[Check]:
    """Imprint and clear the last class, and check masked classes."""
    manifest = session.manifest
    index = manifest.capacity - 1
    trained = session.train(variables, batch, 1e-3)
    for active, name in (
        (True, "set_class imprints one class"),
        (False, "set_class clears one class"),
    ):
        session.set_class(trained, index, batch, active=active)
        problems = list(_find_problems(session, trained, session.save(), index, active))
        yield Check(name, not problems, "; ".join(problems) or "other classes did not change")
    cleared = session.save()
    output = session.call("evaluate", **batch)[OUTPUT]
    yield Check("a masked class has output 0", not output[:, index].any(), f"class {index}")
    stepped = session.train(cleared, batch, 0.1)
    moved = [name for name, value in _class_values(session, stepped, index).items() if value.any()]
    yield Check("a masked class has no gradient", not moved, ", ".join(moved) or f"class {index}")
    session.restore({**variables, MASK: np.zeros_like(variables[MASK])})
    output = session.call("evaluate", **batch)[OUTPUT]
    yield Check("if all classes are masked, the output is 0", not output.any(), "all outputs")
    if manifest.batch_size > 1:
        session.set_class(trained, index, batch)
        imprinted = session.save()
        session.set_class(trained, index, session.change_last_row(batch))
        yield check_equal("imprinting ignores rows with weight 0", session.save(), imprinted)


def check_statistics(session: Session, variables: Variables, batch: Batch) -> Iterator[Check]:
    """Call `set_class` without a class, which computes normalization statistics."""
    trained = session.train(variables, batch, 1e-3)
    session.update_statistics(trained, batch)
    updated = session.save()
    statistics = [spec.name for spec in session.manifest.variables if spec.role == "statistic"]
    yield check_equal(
        "set_class without a class changes statistics only", updated, without(trained, statistics)
    )
    if CENTER not in trained or SCALE not in trained:
        return
    if session.manifest.batch_size > 1:
        session.update_statistics(trained, session.change_last_row(batch))
        yield check_equal("statistics ignore rows with weight 0", session.save(), updated)
    if session.manifest.head.feature_norm is None:
        return  # the statistics may be those of a hidden layer
    session.restore(updated)
    output = session.call("evaluate", **batch)[OUTPUT]
    scaled = {
        name: value * _SCALE_FACTOR if name.startswith(FEATURES) else value
        for name, value in batch.items()
    }
    session.update_statistics(trained, scaled)
    scaled_output = session.call("evaluate", **scaled)[OUTPUT]
    yield check_close("normalization removes the scale of features", scaled_output, output)


def check_first_samples(session: Session, initial: Variables, rng: np.random.Generator) -> Check:
    """Imprint two classes with one sample each in an empty model, and predict the samples."""
    variables = {**initial, MASK: np.zeros_like(initial[MASK])}
    batch = session.random_batch(rng)
    samples = []
    for index in (0, 1):
        row = index % session.manifest.batch_size
        rows = {
            name: np.repeat(value[row : row + 1], len(value), 0) for name, value in batch.items()
        }
        if index != row:  # the batch has one row: negate it for the second class
            rows = {name: -value for name, value in rows.items()}
        samples.append(rows)
        session.set_class(variables, index, rows)
        variables = session.save()
    correct = 0
    for index, sample in enumerate(samples):
        inputs = {**sample, LABELS: batch[LABELS], SAMPLE_WEIGHTS: batch[SAMPLE_WEIGHTS]}
        output = session.call("evaluate", **inputs)[OUTPUT][0]
        correct += bool(output[index] > output[1 - index])
    return Check(
        "an imprinted class is predicted after one sample", correct == 2, f"{correct} of 2 classes"
    )


def _class_values(session: Session, variables: Variables, index: int) -> Variables:
    """Return the part of each variable that belongs to one class."""
    return {
        spec.name: np.take(variables[spec.name], index, spec.class_axis)
        for spec in session.manifest.variables
        if spec.class_axis is not None
    }


def _find_problems(
    session: Session, before: Variables, after: Variables, index: int, active: bool
) -> Iterator[str]:
    """Yield each variable that changed outside the class, or has a wrong value in it."""
    for spec in session.manifest.variables:
        if spec.role == "statistic" and spec.class_axis is None:
            continue
        old, new = before[spec.name], after[spec.name]
        if spec.class_axis is not None:
            old, new = (np.delete(value, index, spec.class_axis) for value in (old, new))
        if not np.array_equal(old, new):
            yield f"{spec.name} changed outside the class"
    values = _class_values(session, after, index)
    for spec in session.manifest.variables:
        if spec.class_axis is not None and not _is_valid(spec, values[spec.name], active):
            yield f"{spec.name} has a wrong value in the class"


def _is_valid(spec: VariableSpec, value: np.ndarray, active: bool) -> bool:
    if spec.role == "mask":
        return bool(value == active)
    if spec.role == "optimizer_state" or not active:
        return not value.any()
    return bool(np.isfinite(value).all())
