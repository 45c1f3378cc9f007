"""What `sartor fit` says of tuned layers that were not kept."""

from __future__ import annotations

import pytest

from sartor.cli.fit import _reason
from sartor.runtime import History

NO_TIME = "there was no time to train the tuned layers. Train for more than 8 s"
NO_FOLD = "the expected accuracy is unknown: no class has two different samples"


@pytest.mark.parametrize(
    ("stopped", "warnings", "says"),
    [
        (False, (), True),
        (False, (NO_FOLD,), True),
        (False, (NO_TIME,), False),
        (False, ("the tuned layers were not trained: the loss is no longer finite",), False),
        (True, (), False),
    ],
)
def test_the_reason_is_stated_once(stopped: bool, warnings: tuple[str, ...], says: bool) -> None:
    history = History((), 0, 0, stopped=stopped, warnings=warnings)
    assert ("gained nothing" in _reason(history)) is says
