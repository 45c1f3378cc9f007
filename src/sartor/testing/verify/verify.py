"""Run all checks of the contract on one file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..._arguments import as_path
from ...contract.manifest import Manifest
from ...errors import InvalidModelError
from ...flatbuffer import load_file, read
from ...graph import Model
from ...litert import manifest_of, try_model
from .behaviour import check_behaviour
from .comparison import check_equal
from .gradients import check_gradients
from .report import Check, Report
from .session import Session, Variables
from .structure import check_structure, initial_values

__all__ = ["verify_contract"]

_RUNS = "LiteRT runs the file"
_RANGES = "byte ranges contain the initial values"


def verify_contract(source: str | os.PathLike[str] | bytes, *, seed: int = 0) -> Report:
    """Check that a file fulfils the contract (`docs/contract.md`), by running it in LiteRT.

    The checks rely on the contract alone. They difference the loss of `evaluate` and compare the
    derivatives with one step of `train`. The differences are those of the ops in float64, if NumPy
    can compute them (`sartor.ops`), otherwise those of LiteRT after `restore`.

    Args:
        source: path or content of a personalizable `.tflite` file; it is not changed.
        seed: seed of the random variables and batches. Default: 0.

    Returns:
        The report. If the structure of the file is wrong, the file is not run.

    Raises:
        InvalidModelError: If the file is damaged or does not exist.
        NotPersonalizableError: If the file has no valid manifest.
    """
    is_content = isinstance(source, bytes)
    path = Path() if is_content else as_path(source, "source", InvalidModelError)
    content = source if isinstance(source, bytes) else load_file(path)
    model = read(content if is_content else path)
    name = "the file" if is_content else str(path)
    manifest = manifest_of(model, name)
    return Report(tuple(_run_checks(content, model, manifest, np.random.default_rng(seed))))


def _run_checks(
    content: bytes, model: Model, manifest: Manifest, rng: np.random.Generator
) -> Iterator[Check]:
    checks = list(check_structure(content, model, manifest))
    yield from checks
    if not all(check.passed for check in checks):
        return
    try:
        initial = initial_values(content, manifest)
    except ValueError as error:
        yield Check(_RANGES, False, str(error))
        return
    reason = try_model(content)
    if reason is not None:
        yield Check(_RUNS, False, reason)
        return
    try:
        session = Session(content, manifest)
        ranges = check_equal(_RANGES, session.save(), initial)
        yield ranges
        yield from check_behaviour(session, rng)
        yield from check_gradients(session, model, rng)
        if ranges.passed:  # otherwise the next check would overwrite other bytes
            yield _check_bake(content, manifest, session.noise(rng))
    except (InvalidModelError, RuntimeError, ValueError) as error:
        yield Check(_RUNS, False, str(error))


def _check_bake(content: bytes, manifest: Manifest, variables: Variables) -> Check:
    """Overwrite the initial values in the file, as `bake` does, and load the file."""
    baked = bytearray(content)
    for spec in manifest.variables:
        value = variables[spec.name].tobytes()
        baked[spec.offset : spec.offset + len(value)] = value
    session = Session(bytes(baked), manifest)
    loaded = session.save()
    session.restore({name: value * 0 for name, value in variables.items()})
    session.initialize()
    name = "values written at the byte ranges become the initial values"
    checks = [check_equal(name, actual, variables) for actual in (loaded, session.save())]
    return checks[1] if checks[0].passed else checks[0]
