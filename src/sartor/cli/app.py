"""The commands of `sartor`, and what it says when it gets none."""

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
Sartor makes a .tflite model learn from you, on your device.

  1. Make a model that can learn, of any .tflite model; here with room for 10 classes:
       sartor convert base.tflite -o model.tflite --classes 10
  2. Put photos into a folder a class (photos/hat/…, photos/shoes/…), and let it learn them:
       sartor fit model.tflite photos --checkpoint mine.safetensors
  3. Ask what a photo shows:
       sartor predict model.tflite --checkpoint mine.safetensors photo.jpg

sartor --help lists all commands, sartor COMMAND --help the options of one."""

_app = typer.Typer(
    name="sartor", add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
)


@_app.callback(invoke_without_command=True)
def _sartor(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Make a .tflite model learn from its user, on the user's device."""
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
        arguments: in place of those that the program was started with.

    Raises:
        SystemExit: Always. Code 0: success; 1: failure, with one line on stderr; 2: wrong
            arguments; 130: stopped by Ctrl-C; 143: stopped by SIGTERM.
    """
    _app(args=None if arguments is None else list(arguments), prog_name="sartor")
