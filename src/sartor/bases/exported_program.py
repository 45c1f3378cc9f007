"""Load exported programs of PyTorch (`.pt2`) without running code from the file."""

from __future__ import annotations

import contextlib
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import ConversionError

__all__ = ["input_names", "is_batch_free", "load_program", "program_inputs", "shorten"]

_MAX_LENGTH = 300
_WEIGHTS_ONLY = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
_EXPORT = (
    "Load it with the code of the model and export it: "
    "torch.export.save(torch.export.export(model.eval(), (example,)), 'model.pt2')"
)
# Members that run code when they are read: compiled code and pickled objects.
_CODE = ("data/aotinductor/", "data/constants/custom_obj", "data/constants/opaque_obj")


def load_program(torch: Any, path: Path) -> Any:
    """Load a `.pt2` file. Only tensors are unpickled, and compiled code is refused.

    Args:
        torch: the module `torch`.
        path: path of the file.

    Raises:
        ConversionError: If the file is not an exported program or is damaged, or if the program
            was exported in training mode or has keyword inputs.
        OSError: If the file does not exist.
    """
    _check_archive(path)
    try:
        with _weights_only():
            program = torch.export.load(path)
    except Exception as error:  # PyTorch can raise anything
        raise ConversionError(
            f"{path} cannot be read by PyTorch {torch.__version__}: it is damaged, or was written "
            f"by another version ({shorten(error)})"
        ) from error
    _check_program(program, path)
    return program


def program_inputs(program: Any, example_inputs: Any, what: str) -> Any:
    """Return the given example inputs. Default: the inputs that the program was exported with."""
    if example_inputs is not None:
        return example_inputs
    if program.example_inputs is None:
        raise ConversionError(f"{what} was saved without its example inputs: give example_inputs")
    return program.example_inputs[0]


def input_names(program: Any) -> list[str]:
    """Return the names of the inputs."""
    return list(program.graph_signature.user_inputs)


def is_batch_free(program: Any) -> bool:
    """Return whether the batch of every input is dynamic."""
    names = program.graph_signature.user_inputs
    shapes = [node.meta["val"].shape for node in program.graph.nodes if node.name in names]
    return all(len(shape) and not isinstance(shape[0], int) for shape in shapes)


def shorten(error: Exception) -> str:
    """Return the start of the message of an exception, on one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}…"


def _check_archive(path: Path) -> None:
    with path.open("rb") as file:
        first = file.read(1)
    try:
        names = _members(path)
    except zipfile.BadZipFile:
        if first == b"\x80":
            raise ConversionError(_pickle_message(path)) from None
        raise ConversionError(
            f"{path} is not an exported program of PyTorch (a ZIP archive), or is damaged"
        ) from None
    if any(name.startswith("code/") for name in names):
        raise ConversionError(
            f"{path} is TorchScript, which litert-torch does not support. {_EXPORT}"
        )
    if "data.pkl" in names:
        raise ConversionError(_pickle_message(path))
    code = [name for name in names if name.startswith(_CODE)]
    if code:
        raise ConversionError(
            f"{path} contains code or pickled objects ({code[0]}), which would run on loading, "
            f"and is refused. {_EXPORT}"
        )


def _members(path: Path) -> list[str]:
    """Return the names in the archive, without the common folder."""
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
    if min((part.header_offset for part in parts), default=1):  # an archive inside the archive
        raise zipfile.BadZipFile("cut short")
    return [part.filename.partition("/")[2] for part in parts]


def _pickle_message(path: Path) -> str:
    return (
        f"{path} is a pickle of torch.save: it contains weights without a graph, and loading it "
        f"can run any code. {_EXPORT}"
    )


@contextlib.contextmanager
def _weights_only() -> Iterator[None]:
    """Allow PyTorch to unpickle tensors only."""
    before = os.environ.get(_WEIGHTS_ONLY)
    os.environ[_WEIGHTS_ONLY] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_WEIGHTS_ONLY]
        else:
            os.environ[_WEIGHTS_ONLY] = before


def _check_program(program: Any, path: Path) -> None:
    for node in program.graph.nodes:
        options = getattr(getattr(node.target, "_schema", None), "arguments", ())
        for option, value in zip(options, node.args, strict=False):
            if option.name in ("train", "training") and value is True:
                raise ConversionError(
                    f"{path} was exported in training mode ({node.target}): call model.eval() "
                    "before torch.export.export"
                )
    if program.example_inputs is not None and program.example_inputs[1]:
        raise ConversionError(
            f"{path} has keyword inputs ({', '.join(program.example_inputs[1])}): export it with "
            "all inputs in args"
        )
