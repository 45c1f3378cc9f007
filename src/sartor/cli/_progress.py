"""A progress bar, or that something goes on, on stderr, where someone looks at it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TypeAlias

from .report import console

__all__ = ["Advance", "busy", "progress"]

Advance: TypeAlias = Callable[[int, int, str], None]
"""Takes how much is done, how much there is to do, and what to say of it."""


@contextlib.contextmanager
def progress(title: str) -> Iterator[Advance]:
    """Show a bar until the block ends; nothing where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield lambda done, total, text: None
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
        yield lambda done, total, text: bar.update(task, completed=done, total=total, text=text)


@contextlib.contextmanager
def busy(title: str) -> Iterator[None]:
    """Show the time that passes until the block ends; nothing where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn(title, markup=False), TimeElapsedColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        bar.add_task("", total=None)
        yield
