"""Check the signatures of tuned layers, and those of the head behind them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...contract.names import FEATURES, HEAD_FEATURES, LEARNING_RATE, LOSS, OUTPUT, RUN_LAYERS
from ...contract.signatures import head_signature
from .comparison import check_close, check_equal
from .report import Check
from .session import Batch, Session, Variables

__all__ = ["check_layers"]

_RATE = np.full(1, 0.01, np.float32)


def check_layers(session: Session, variables: Variables, batch: Batch) -> Iterator[Check]:
    """Compare each signature of the head alone with that of layers and head together.

    Args:
        session: session of a file; without tuned layers there are no checks.
        variables: weights to start from.
        batch: features of the file, labels and weights.
    """
    if session.manifest.layers is None:
        return
    session.restore(variables)
    head_batch = _behind_layers(session, batch)
    together = session.call("evaluate", **batch)
    alone = session.call(head_signature("evaluate"), **head_batch)
    yield check_close(
        "evaluate_head and evaluate return the same loss", alone[LOSS], together[LOSS]
    )
    yield check_close(
        "evaluate_head and evaluate return the same output", alone[OUTPUT], together[OUTPUT]
    )
    yield from _check_step(session, variables, batch, head_batch)
    yield from _check_set_class(session, variables, batch, head_batch)


def _behind_layers(session: Session, batch: Batch) -> Batch:
    """Return the batch with the features that the layers compute."""
    names = [name for name in batch if name.startswith(FEATURES)]
    rows = [
        session.call(RUN_LAYERS, **{name: batch[name][row : row + 1] for name in names})
        for row in range(session.manifest.batch_size)
    ]
    others = {name: value for name, value in batch.items() if name not in names}
    return {FEATURES: np.concatenate([each[HEAD_FEATURES] for each in rows]), **others}


def _check_step(
    session: Session, variables: Variables, batch: Batch, head_batch: Batch
) -> Iterator[Check]:
    """Check that a step of the head alone leaves the layers, and moves the head as `train` does."""
    after = []
    for key, inputs in (("train", batch), (head_signature("train"), head_batch)):
        session.restore(variables)
        session.call(key, **inputs, **{LEARNING_RATE: _RATE})
        after.append(session.save())
    layers = [name for name in variables if "head/layers/" in name]
    yield check_equal(
        "train_head changes no layer",
        {name: after[1][name] for name in layers},
        {name: variables[name] for name in layers},
    )
    if session.manifest.optimizer.clip_norm is None and not session.random_state():
        name = "train_head moves the head as train does"
        parameters = [each for each in session.parameters() if each not in layers]
        yield check_close(name, *(_flat(each, parameters) for each in (after[1], after[0])))


def _check_set_class(
    session: Session, variables: Variables, batch: Batch, head_batch: Batch
) -> Iterator[Check]:
    after = []
    for key, inputs in (("set_class", batch), (head_signature("set_class"), head_batch)):
        session.set_class(variables, 0, inputs, key=key)
        after.append(session.save())
    name = "set_class_head imprints as set_class does"
    yield check_close(name, *(_flat(each, list(variables)) for each in reversed(after)))


def _flat(variables: Variables, names: list[str]) -> np.ndarray:
    return np.concatenate([variables[name].reshape(-1) for name in names])
