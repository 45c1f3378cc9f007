"""`sartor export` and `sartor import`: move a project to another device."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from .._outputs import PROJECT, check_output
from ._options import CheckpointFile, Force, ModelFile, OutputFile
from ._user import checkpoint_of, open_trained, store_of
from .report import Json, fail, print_json

__all__ = ["export", "import_project"]


def export(
    model: ModelFile,
    output: OutputFile,
    checkpoint: CheckpointFile = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Pack model, checkpoint and samples into one file."""
    checkpoint = checkpoint_of(model, checkpoint)
    inputs = (model, checkpoint, store_of(checkpoint))
    check_output(output, PROJECT, inputs=inputs, force=force)
    with open_trained(model, checkpoint, must_exist=True) as personal:
        path = personal.export_project(output, force=force)
        samples = len(personal.samples)
    if as_json:
        print_json({"file": str(path), "bytes": path.stat().st_size, "samples": samples})
        return
    typer.echo(f"{path}: {path.stat().st_size:,} bytes, with {samples} samples")


def import_project(
    project: Annotated[Path, typer.Argument(help="Project file, written by `sartor export`.")],
    folder: Annotated[Path, typer.Argument(help="New folder for its files.")],
    as_json: Json = False,
) -> None:
    """Check and unpack a project file."""
    from ..litert import try_model
    from ..runtime import unpack_project
    from ..runtime.saved.archive import MODEL

    if folder.exists():
        fail(f"{folder} exists already: name a new folder")
    unpacked = unpack_project(project, folder)
    error = try_model((unpacked / MODEL).read_bytes())
    if error is not None:
        shutil.rmtree(unpacked)
        fail(f"the model in {project} cannot be used: {error}. Export the project again")
    files = sorted(str(path) for path in unpacked.iterdir())
    if as_json:
        print_json({"files": files})
        return
    typer.echo("\n".join(files))
