"""`sartor verify`: check that a file fulfills the contract."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._options import check_converted
from .report import Json, fail, print_json, print_table

__all__ = ["verify"]


def verify(
    file: Annotated[
        Path,
        typer.Argument(help="Personalizable file, made by any tool.", callback=check_converted),
    ],
    as_json: Json = False,
) -> None:
    """Check a model against the contract, and its gradients."""
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
            ("ok" if each.passed else "FAILED", each.name, each.detail) for each in report.checks
        ]
        print_table(("", "check", "result"), rows)
        if report.passed:
            typer.echo(f"all {len(report.checks)} checks passed")
    if not report.passed:
        names = "; ".join(each.name for each in report.failures)
        fail(f"{file} fails {len(report.failures)} of {len(report.checks)} checks: {names}")
