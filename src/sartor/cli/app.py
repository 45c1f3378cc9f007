"""The commands of `sartor`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from .bake import bake
from .classes import classes
from .convert import convert
from .demo import demo
from .evaluate import evaluate
from .fit import fit
from .forget import forget
from .freeze import freeze
from .inspect import inspect
from .predict import predict
from .project import export, import_project
from .report import reported
from .verify import verify

__all__ = ["main"]

_START = """\
Sartor trains a .tflite model on your own photos.

1. Convert a base. `starter` comes with Sartor; any .tflite
   file works as well:
     sartor convert starter -o model.tflite --classes 10
2. Put photos into one folder per class (photos/hat/…,
   photos/shoes/…), and train:
     sartor fit model.tflite photos \\
       --checkpoint my.safetensors
3. Predict the class of a photo:
     sartor predict model.tflite photo.jpg \\
       --checkpoint my.safetensors

`sartor demo` shows all of this on sample photos.
`sartor --help` lists the commands, and
`sartor COMMAND --help` lists the options of one."""

_app = typer.Typer(
    name="sartor", add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
)


@_app.callback(invoke_without_command=True)
def _sartor(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Train a .tflite model on your own photos."""
    if version:
        from .._version import __version__

        typer.echo(__version__)
    elif context.invoked_subcommand is None:
        typer.echo(_START)


for _command in (
    demo, convert, fit, predict, evaluate, classes, forget, inspect, verify, bake, freeze, export,
):  # fmt: skip
    _app.command()(reported(_command))
_app.command("import")(reported(import_project))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line.

    Args:
        arguments: command-line arguments. Default: those of the program.

    Raises:
        SystemExit: Always. Code 0: success; 1: failure, with one line on stderr; 2: wrong
            arguments; 130: stopped by Ctrl-C; 143: stopped by SIGTERM.
    """
    _app(args=None if arguments is None else list(arguments), prog_name="sartor")
