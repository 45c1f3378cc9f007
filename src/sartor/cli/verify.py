"""`sartor verify`: whether a file keeps the contract."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .report import Json, fail, print_json, print_table

__all__ = ["verify"]


def verify(
    file: Annotated[Path, typer.Argument(help="A model that learns, whoever made it.")],
    as_json: Json = False,
) -> None:
    """Check from outside that a model keeps the contract; its gradients too."""
    from ..testing.verify import verify_contract

    report = verify_contract(file)
    if as_json:
        checks = [
            {"name": each.name, "passed": each.passed, "detail": each.detail}
            for each in report.checks
        ]
        print_json({"file": str(file), "passed": report.passed, "checks": checks})
    else:
        rows = [
            ("ok" if each.passed else "BROKEN", each.name, each.detail) for each in report.checks
        ]
        print_table(("", "promise", "what was found"), rows)
    if not report.passed:
        broken = "; ".join(each.name for each in report.failures)
        fail(f"{file} breaks {len(report.failures)} of {len(report.checks)} promises: {broken}")
