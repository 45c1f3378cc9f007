"""Run every check of the contract on one file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...contract.manifest import Manifest
from ...contract.names import MANIFEST_FILE
from ...errors import InvalidModelError, NotPersonalizableError
from ...flatbuffer import read
from ...graph import Model
from .behaviour import check_behaviour, same
from .report import Check, Report
from .session import Session, State
from .slopes import check_slopes
from .structure import check_structure, initial_values

__all__ = ["verify_contract"]


def verify_contract(source: str | os.PathLike[str] | bytes, *, seed: int = 0) -> Report:
    """Hold a file to the contract (`docs/contract.md`), by running it in LiteRT's interpreter.

    Nothing is known of how the file was made: its gradients are found by moving single weights
    with `restore` and watching `evaluate`, and compared with what a step of `train` did.

    Args:
        source: the path or the bytes of a personalizable `.tflite` file; it is not changed.
        seed: for the states and batches that are tried.

    Returns:
        Each promise, kept or broken. Where the file's structure is wrong, it is not run.

    Raises:
        InvalidModelError: the file is damaged.
        NotPersonalizableError: it makes no claim to keep the contract.
    """
    content = source if isinstance(source, bytes) else _content(Path(source))
    model = read(content)
    if MANIFEST_FILE not in model.files:
        raise NotPersonalizableError(
            "the file is a model, but not a personalizable one: it has no "
            f"{MANIFEST_FILE}. Make one of it with `sartor convert`."
        )
    manifest = Manifest.from_json(model.files[MANIFEST_FILE])
    return Report(tuple(_checks(content, model, manifest, np.random.default_rng(seed))))


def _checks(
    content: bytes, model: Model, manifest: Manifest, rng: np.random.Generator
) -> Iterator[Check]:
    sound = True
    for check in check_structure(model, manifest):
        sound = sound and check.passed
        yield check
    if not sound:
        return
    try:
        initial = initial_values(content, manifest)
    except ValueError as error:
        yield Check("the byte ranges hold the initial values", False, str(error))
        return
    try:
        session = Session(content, manifest)
        ranges = same("the byte ranges hold the initial values", session.save(), initial)
        yield ranges
        yield from check_behaviour(session, rng)
        yield from check_slopes(session, rng)
        if ranges.passed:  # else something else would be overwritten
            yield _check_bake(content, manifest, session.any_state(rng))
    except (InvalidModelError, RuntimeError, ValueError) as error:
        yield Check("LiteRT runs it", False, str(error))


def _check_bake(content: bytes, manifest: Manifest, state: State) -> Check:
    """Overwrite the initial values in the file, as baking does, and start it."""
    baked = bytearray(content)
    for spec in manifest.variables:
        value = state[spec.name].tobytes()
        baked[spec.offset : spec.offset + len(value)] = value
    session = Session(bytes(baked), manifest)
    started = session.save()
    session.restore({name: value * 0 for name, value in state.items()})
    session.call("initialize", run=np.ones(1, np.float32))
    name = "what is written at the byte ranges is what the file starts with"
    checks = same(name, started, state), same(name, session.save(), state)
    return checks[1] if checks[0].passed else checks[0]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidModelError(f"{path} cannot be read: {error.strerror}") from error
