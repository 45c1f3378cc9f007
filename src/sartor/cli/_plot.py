"""`--plot FILE.png`: a picture of what a table tells."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .report import check_folder, fail

__all__ = ["Plot", "check_plot"]

Plot = Annotated[
    Path | None, typer.Option("--plot", help="Draw it too: FILE.png or FILE.svg.", metavar="FILE")
]

_KINDS = (".png", ".svg")


def check_plot(path: Path | None) -> None:
    """Fail before the work where no picture could be written."""
    if path is not None:
        if path.suffix.lower() not in _KINDS:
            fail(f"--plot writes {' or '.join(_KINDS)}, got {path.name}")
        check_folder(path)
