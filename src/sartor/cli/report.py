"""What commands print: tables for people, JSON for programs, one line for an error."""

from __future__ import annotations

import functools
import json
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, ParamSpec, TypeVar

import typer

from ..errors import SartorError
from .interrupt import TerminatedError, describe_signal, exit_code, terminable

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "Json",
    "check_folder",
    "console",
    "fail",
    "note",
    "percent",
    "print_json",
    "print_table",
    "reported",
]

P = ParamSpec("P")
T = TypeVar("T")

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]

_WIDE = 160


def reported(command: Callable[P, T]) -> Callable[P, T]:
    """Let a command end with one line on stderr, and an exit code, where it cannot be done."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            with terminable():
                return command(*args, **kwargs)
        except SartorError as error:
            fail(str(error))
        except BrokenPipeError:
            raise  # who reads our output has had enough: not an error
        except OSError as error:
            where = f"{error.filename}: " if error.filename is not None else ""
            fail(f"{where}{error.strerror or error}")
        except KeyboardInterrupt as error:
            number = signal.SIGTERM if isinstance(error, TerminatedError) else signal.SIGINT
            fail(
                f"stopped by {describe_signal(number)}; no result was written",
                code=exit_code(number),
            )

    return run


def fail(message: str, *, code: int = 1) -> NoReturn:
    """Say on stderr what is wrong, in one line, and end."""
    typer.secho(f"error: {' '.join(message.split())}", fg=typer.colors.RED, err=True)
    raise typer.Exit(code)


def note(message: str) -> None:
    """Say on stderr what the user should know."""
    typer.secho(f"note: {message}", fg=typer.colors.YELLOW, err=True)


def print_json(value: object) -> None:
    """Print JSON on stdout, and nothing else goes there."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def console(*, stderr: bool = False) -> Console:
    """A console of rich; where nobody looks at it, wide enough to cut nothing off."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else _WIDE, highlight=False)


def print_table(
    head: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None
) -> None:
    """Print a table; columns of numbers stand to the right."""
    from rich.table import Table
    from rich.text import Text

    table, rows = Table(), list(rows)
    for index, name in enumerate(head):
        numbers = all(_is_number(row[index]) for row in rows)
        table.add_column(Text(name), justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    if title is not None:
        typer.echo(f"{title}:")
    console().print(table)


def check_folder(path: Path) -> None:
    """Fail before the work, and not after it, where a file cannot be written."""
    folder = path.absolute().parent
    if not folder.is_dir():
        fail(f"{folder} is no folder, so {path.name} cannot be written there: make it first")


def percent(part: float | None) -> str:
    """A part of 1 as a percentage; a dash for None."""
    return "–" if part is None else f"{100 * part:.1f} %"


def _is_number(cell: object) -> bool:
    return isinstance(cell, int | float) or str(cell).endswith(" %") or cell == "–"
