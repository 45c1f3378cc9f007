"""Progress bars and spinners on stderr, if it is a terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TypeAlias

from .report import console, is_quiet

__all__ = ["Advance", "busy", "progress"]

Advance: TypeAlias = Callable[[int, int, str], None]
"""Takes the number of finished steps, the number of steps, and a text."""


@contextlib.contextmanager
def progress(title: str) -> Iterator[Advance]:
    """Show a progress bar until the block ends."""
    if is_quiet() or not sys.stderr.isatty():
        yield lambda finished, total, text: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (
        TextColumn(title),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[text]}"),
    )
    with Progress(*columns, console=console(stderr=True)) as bar:
        task = bar.add_task("", total=None, text="")
        yield lambda finished, total, text: bar.update(
            task, completed=finished, total=total, text=text
        )


@contextlib.contextmanager
def busy(title: str) -> Iterator[None]:
    """Show a spinner and the elapsed time until the block ends."""
    if is_quiet() or not sys.stderr.isatty():
        yield
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn(title, markup=False), TimeElapsedColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        bar.add_task("", total=None)
        yield
