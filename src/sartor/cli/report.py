"""The output of commands: tables, JSON and error lines."""

from __future__ import annotations

import contextlib
import functools
import inspect
import io
import json
import signal
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Annotated, NoReturn, ParamSpec, TypeVar

import typer

from ..errors import SartorError
from .interrupt import TerminatedError, describe_signal, exit_code, terminable

if TYPE_CHECKING:
    from rich.console import Console

    from ..runtime import Evaluation

__all__ = [
    "COLUMNS",
    "Json",
    "console",
    "describe_os_error",
    "fail",
    "is_quiet",
    "note",
    "percent",
    "print_confusion",
    "print_json",
    "print_table",
    "reported",
    "shorten",
    "warnings_as_notes",
]

P = ParamSpec("P")
T = TypeVar("T")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print no notes, no progress and no summary.")
]

COLUMNS = 60
"""Width of a table in characters, if stdout is not a terminal."""

_quiet = ContextVar("_quiet", default=False)
_MIN_COLUMN = 11  # for the word "probability"
_MAX_NAMES = 3  # of a list
_MAX_CONFUSIONS = 12  # rows


def reported(command: Callable[P, T], *, has_summary: bool) -> Callable[..., T]:
    """Wrap a command: an error ends it with one line on stderr and an exit code.

    Args:
        command: the command.
        has_summary: whether the command writes a file and prints a summary, which the added
            option `--quiet` hides. Otherwise it prints its result.
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        quiet = bool(kwargs.pop("quiet", False))
        _quiet.set(quiet)
        try:
            with _hidden(quiet and has_summary and not kwargs.get("as_json")), terminable():
                return command(*args, **kwargs)
        except SartorError as error:
            fail(str(error))
        except BrokenPipeError:
            raise  # the reader of the output closed it: not an error
        except OSError as error:
            fail(describe_os_error(error))
        except KeyboardInterrupt as error:
            number = signal.SIGTERM if isinstance(error, TerminatedError) else signal.SIGINT
            fail(
                f"stopped by {describe_signal(number)}; no result was written",
                code=exit_code(number),
            )

    return _add_quiet(run, command)


def _add_quiet(run: Callable[..., T], command: Callable[..., T]) -> Callable[..., T]:
    """Add the option `--quiet` to the signature that Typer reads."""
    signature = inspect.signature(command, eval_str=True)
    quiet = inspect.Parameter("quiet", inspect.Parameter.KEYWORD_ONLY, default=False,
                              annotation=_Quiet)  # fmt: skip
    parameters = [*signature.parameters.values(), quiet]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run


def _hidden(hidden: bool) -> contextlib.AbstractContextManager[object]:
    """Discard what is printed on stdout."""
    return contextlib.redirect_stdout(io.StringIO()) if hidden else contextlib.nullcontext()


def is_quiet() -> bool:
    """Return whether the command has the option `--quiet`."""
    return _quiet.get()


def describe_os_error(error: OSError) -> str:
    """Return the message of an error of the file system."""
    if error.filename is None:
        return error.strerror or str(error)
    if isinstance(error, FileNotFoundError):
        return f"{error.filename} does not exist: check the path"
    if isinstance(error, FileExistsError):
        return f"{error.filename} exists already: choose another name"
    if isinstance(error, IsADirectoryError):
        return f"{error.filename} is a folder: name a file"
    return f"{error.filename}: {error.strerror or error}"


def fail(message: str, lines: Sequence[str] = (), *, code: int = 1) -> NoReturn:
    """Print one error line and further lines on stderr, and end the command."""
    typer.secho(f"error: {' '.join(message.split())}", fg=typer.colors.RED, err=True)
    for line in lines:
        typer.echo(line, err=True)
    raise typer.Exit(code)


def note(message: str) -> None:
    """Print a note on stderr, unless the command has the option `--quiet`."""
    if not is_quiet():
        typer.secho(f"note: {message}", fg=typer.colors.YELLOW, err=True)


@contextlib.contextmanager
def warnings_as_notes() -> Iterator[None]:
    """Print the warnings of a block as notes."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: note(str(message))
        yield


def print_json(value: object) -> None:
    """Print JSON on stdout."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def console(*, stderr: bool = False) -> Console:
    """Return a console of rich, of 60 columns if it is not a terminal.

    Args:
        stderr: whether it prints on stderr. Default: False, on stdout.
    """
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else COLUMNS, highlight=False)


def print_table(
    head: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str | None = None,
    padding: int = 1,
) -> None:
    """Print a table; columns of numbers are aligned to the right.

    Args:
        head: titles of the columns.
        rows: cells of each row.
        title: line above the table. Default: None.
        padding: spaces beside each cell. Default: 1.
    """
    from rich.table import Table
    from rich.text import Text

    table, rows = Table(padding=(0, padding)), list(rows)
    for index, name in enumerate(head):
        cells = [str(row[index]) for row in rows]
        numbers = all(_is_number(row[index]) for row in rows)
        table.add_column(
            Text(name),
            justify="right" if numbers else "left",
            overflow="fold",
            # The first column, such as a path, gives way first; the others break at words.
            min_width=_longest_word([name, *cells]) if index else None,
        )
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    if title is not None:
        typer.echo(f"{title}:")
    console().print(table)


def _longest_word(cells: Iterable[str]) -> int:
    words = (word for cell in cells for word in cell.split())
    return min(max(map(len, words), default=1), _MIN_COLUMN)


def print_confusion(evaluation: Evaluation) -> None:
    """Print a confusion matrix; if it is too wide, the most frequent confusions."""
    labels, confusion = evaluation.labels, evaluation.confusion.tolist()
    rows = [
        (f"{number} {label}", *(count or "·" for count in counts))
        for number, (label, counts) in enumerate(zip(labels, confusion, strict=True), 1)
    ]
    head = ("true \\ predicted", *map(str, range(1, len(labels) + 1)))
    widths = [max(len(str(cell)) for cell in column) for column in zip(head, *rows, strict=True)]
    if len(labels) > 1 and sum(widths[1:]) + len(widths) + _MIN_COLUMN < COLUMNS:
        print_table(head, rows, title="confusion matrix", padding=0)
    elif len(labels) > 1:
        _print_confusions(labels, confusion)


def _print_confusions(labels: Sequence[str], confusion: Sequence[Sequence[int]]) -> None:
    """Print the most frequent pairs of a true and another predicted class."""
    pairs = [
        (label, other, count)
        for label, counts in zip(labels, confusion, strict=True)
        for other, count in zip(labels, counts, strict=True)
        if count and other != label
    ]
    pairs.sort(key=lambda pair: -pair[2])
    if pairs:
        print_table(("true", "predicted", "photos"), pairs[:_MAX_CONFUSIONS],
                    title="most frequent confusions")  # fmt: skip


def shorten(names: Sequence[object]) -> str:
    """Return the first names of a list, and the number of the others."""
    more = len(names) - _MAX_NAMES
    text = ", ".join(map(str, names[:_MAX_NAMES]))
    return f"{text} and {more} more" if more > 0 else text


def percent(part: float | None) -> str:
    """Return a fraction as a percentage; a dash for None."""
    return "–" if part is None else f"{100 * part:.1f} %"


def _is_number(cell: object) -> bool:
    if isinstance(cell, int | float) or cell in ("", "–", "·"):
        return True
    number, percent_sign, _ = str(cell).partition(" %")
    return bool(percent_sign) and number.replace(".", "", 1).isdecimal()
