"""`--plot FILE.png`: a chart of the results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .._outputs import CHART, check_output
from .report import fail

__all__ = ["Plot", "check_plot"]

Plot = Annotated[
    Path | None, typer.Option("--plot", help="Write a chart: FILE.png or FILE.svg.", metavar="FILE")
]

_FORMATS = (".png", ".svg")


def check_plot(path: Path | None, *inputs: Path | None) -> None:
    """Fail before the work if the chart cannot be written."""
    if path is not None:
        if path.suffix.lower() not in _FORMATS:
            fail(f"--plot writes {' or '.join(_FORMATS)}, got {path.name}")
        check_output(path, CHART, inputs=inputs, force=None)
