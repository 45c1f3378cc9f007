"""Check the signature `train`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...contract.names import LOSS, OUTPUT, SAMPLE_WEIGHTS
from .comparison import TOLERANCE, check_close, check_equal, select
from .report import Check
from .session import Batch, Session, Variables

__all__ = ["check_training"]

_LEARNING_RATES = (1e-2, 1e-3, 1e-4)
_RANDOM_STEPS = 5


def check_training(session: Session, variables: Variables, batch: Batch) -> Iterator[Check]:
    """Compare `train` with `evaluate`, then check the effect of one step."""
    session.restore(variables)
    evaluated = session.call("evaluate", **batch)
    yield check_equal("evaluate changes no variable", session.save(), variables)
    trained = session.call("train", **batch, learning_rate=np.zeros(1, np.float32))
    after = session.save()
    if session.random_state():
        yield from _check_randomness(session, variables, batch, trained)
    else:
        yield check_close("train and evaluate return the same loss", trained[LOSS], evaluated[LOSS])
        yield check_close(
            "train returns the output before the step", trained[OUTPUT], evaluated[OUTPUT]
        )
    constant = select(variables, [*session.parameters(), *session.untrained()])
    yield check_equal("learning rate 0 changes no parameter", after, constant)
    if session.parameters():
        yield from _check_step(session, variables, batch)


def _check_step(session: Session, variables: Variables, batch: Batch) -> Iterator[Check]:
    before = session.training_loss(variables, batch)
    random_state = select(variables, session.random_state())
    steps = [session.train(variables, batch, rate) for rate in _LEARNING_RATES]
    losses = [session.training_loss({**step, **random_state}, batch) for step in steps]
    passed = min(losses) < before or session.has_constant_loss
    yield Check("a step reduces the loss", passed, f"{before:.6f} to {min(losses):.6f}")
    constant = select(variables, session.untrained())
    yield check_equal("a step changes no untrained variable", steps[0], constant)
    unweighted = session.train(variables, {**batch, SAMPLE_WEIGHTS: batch[SAMPLE_WEIGHTS] * 0}, 1)
    finite = all(np.isfinite(value).all() for value in unweighted.values())
    yield Check("a step with all weights 0 keeps variables finite", finite, "all variables")


def _check_randomness(
    session: Session, variables: Variables, batch: Batch, trained: Variables
) -> Iterator[Check]:
    """Check that the random numbers of training depend on saved variables and nothing else."""
    zero = np.zeros(1, np.float32)

    def run_steps(rows: Batch) -> list[Variables]:
        session.restore(variables)
        return [session.call("train", **rows, learning_rate=zero) for _ in range(_RANDOM_STEPS)]

    first, second = run_steps(batch), run_steps(batch)
    pairs = [*zip(first, second, strict=True), (first[0], trained)]
    reproducible = all(check_equal("", *pair).passed for pair in pairs)
    yield Check(
        "dropout depends on saved variables only", reproducible, f"{_RANDOM_STEPS} steps, twice"
    )
    losses = {float(step[LOSS][0]) for step in first}
    random_state = select(variables, session.random_state())
    advanced = not check_equal("", session.save(), random_state).passed
    different = advanced and (len(losses) > 1 or session.has_constant_loss)
    yield Check("dropout differs between steps", different, f"{len(losses)} losses")
    if session.manifest.batch_size > 1:
        other = run_steps(session.change_last_row(batch))
        difference = max(
            abs(float((one[LOSS] - two[LOSS])[0])) for one, two in zip(first, other, strict=True)
        )
        yield Check(
            "dropout ignores rows with weight 0",
            difference <= TOLERANCE,
            f"difference {difference:.1e}",
        )
