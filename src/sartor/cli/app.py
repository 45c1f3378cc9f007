"""The commands of `sartor`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from .bake import bake
from .camera import camera
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

__all__ = ["run"]

_START = """\
Sartor trains a .tflite model on your own photos.

1. Convert a base. `starter` comes with Sartor; any .tflite
   file works as well:
     sartor convert starter -o model.tflite --classes 10
2. Put photos into one folder per class (photos/hat/…,
   photos/shoes/…), and train:
     sartor fit model.tflite photos
3. Predict the class of a photo, or of a folder of photos:
     sartor predict model.tflite photo.jpg

`sartor demo` shows all of this on sample photos.
`sartor --help` lists the commands, and
`sartor COMMAND --help` lists the options of one."""

_WRITERS = (demo, convert, fit, forget, bake, freeze, export, import_project)
"""The commands that write files, and print a summary."""

_HELP = {"help_option_names": ["-h", "--help"]}

_app = typer.Typer(
    name="sartor", pretty_exceptions_enable=False, rich_markup_mode=None, context_settings=_HELP
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


for _command in (demo, convert, fit, predict, evaluate, classes, forget, inspect, verify, bake,
                 freeze, export, import_project, camera):  # fmt: skip
    _app.command("import" if _command is import_project else None, context_settings=_HELP)(
        reported(_command, has_summary=_command in _WRITERS)
    )


def run(arguments: Sequence[str] | None = None) -> None:
    """Run a command; see `sartor.cli.main`."""
    command = list(sys.argv[1:] if arguments is None else arguments)
    _app(args=command, prog_name="sartor", obj=command)  # the command, for advice
