"""The output of commands: tables, JSON and error lines."""

from __future__ import annotations

import functools
import json
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, NoReturn, ParamSpec, TypeVar

import typer

from ..errors import SartorError
from .interrupt import TerminatedError, describe_signal, exit_code, terminable

if TYPE_CHECKING:
    from rich.console import Console

    from ..runtime import Evaluation

__all__ = [
    "Json",
    "console",
    "fail",
    "note",
    "percent",
    "print_confusion",
    "print_json",
    "print_table",
    "reported",
]

P = ParamSpec("P")
T = TypeVar("T")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_WIDE = 160
_MAX_CLASSES = 12  # in a confusion matrix


def reported(command: Callable[P, T]) -> Callable[P, T]:
    """Wrap a command: an error ends it with one line on stderr and an exit code."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            with terminable():
                return command(*args, **kwargs)
        except SartorError as error:
            fail(str(error))
        except BrokenPipeError:
            raise  # the reader of the output closed it: not an error
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
    """Print one error line on stderr, and end the command."""
    typer.secho(f"error: {' '.join(message.split())}", fg=typer.colors.RED, err=True)
    raise typer.Exit(code)


def note(message: str) -> None:
    """Print a note on stderr."""
    typer.secho(f"note: {message}", fg=typer.colors.YELLOW, err=True)


def print_json(value: object) -> None:
    """Print JSON on stdout."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def console(*, stderr: bool = False) -> Console:
    """Return a console of rich; without a terminal, it has 160 columns."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else _WIDE, highlight=False)


def print_table(
    head: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None
) -> None:
    """Print a table; columns of numbers are aligned to the right."""
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


def print_confusion(evaluation: Evaluation) -> None:
    """Print a confusion matrix of at most 12 classes; zeros are dots."""
    labels = evaluation.labels
    if not 1 < len(labels) <= _MAX_CLASSES:
        return
    rows = [
        (f"{number} {label}", *(f"{count or '·'}" for count in counts))
        for number, (label, counts) in enumerate(
            zip(labels, evaluation.confusion.tolist(), strict=True), 1
        )
    ]
    head = ("true \\ predicted", *map(str, range(1, len(labels) + 1)))
    print_table(head, rows, title="confusion matrix")


def percent(part: float | None) -> str:
    """Return a fraction as a percentage; a dash for None."""
    return "–" if part is None else f"{100 * part:.1f} %"


def _is_number(cell: object) -> bool:
    return isinstance(cell, int | float) or str(cell).endswith(" %") or cell == "–"
