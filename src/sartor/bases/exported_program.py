"""Programs that `torch.export.save` has written, read with care: such files can hold code."""

from __future__ import annotations

import contextlib
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import ConversionError

__all__ = ["input_names", "is_batch_free", "load_program", "program_inputs", "short"]

_LONGEST = 300
_ONLY_WEIGHTS = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
_EXPORT = (
    "Load it where the model's code is, and export that: "
    "torch.export.save(torch.export.export(model.eval(), (example,)), 'model.pt2')"
)
# What can run when it is read: compiled code, and objects that are pickled.
_CODE = ("data/aotinductor/", "data/constants/custom_obj", "data/constants/opaque_obj")


def load_program(torch: Any, path: Path) -> Any:
    """The exported program in a `.pt2` file.

    Nothing in the file is unpickled but tensors, and compiled code is refused.

    Args:
        torch: the module.
        path: of the file.

    Raises:
        ConversionError: it is something else, damaged, was exported for training, or takes inputs
            by keyword.
        OSError: it is not there.
    """
    _check_archive(path)
    try:
        with _only_weights():
            program = torch.export.load(path)
    except Exception as error:  # of many kinds
        raise ConversionError(
            f"{path} cannot be read by PyTorch {torch.__version__}: it is damaged, or was written "
            f"by another version ({short(error)})"
        ) from error
    _check_program(program, path)
    return program


def program_inputs(program: Any, given: Any, what: str) -> Any:
    """The inputs to run a program on: those given, else those that it was exported with."""
    if given is not None:
        return given
    if program.example_inputs is None:
        raise ConversionError(f"{what} was saved without its example inputs: give example_inputs")
    return program.example_inputs[0]


def input_names(program: Any) -> list[str]:
    """What the program calls its inputs."""
    return list(program.graph_signature.user_inputs)


def is_batch_free(program: Any) -> bool:
    """Whether every input may have any number of rows."""
    names = program.graph_signature.user_inputs
    shapes = [node.meta["val"].shape for node in program.graph.nodes if node.name in names]
    return all(len(shape) and not isinstance(shape[0], int) for shape in shapes)


def short(error: Exception) -> str:
    """The first sentences of an exception, on a line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _check_archive(path: Path) -> None:
    with path.open("rb") as file:
        first = file.read(1)
    try:
        names = _members(path)
    except zipfile.BadZipFile:
        if first == b"\x80":
            raise ConversionError(_not_a_graph(path)) from None
        raise ConversionError(
            f"{path} is no exported program of PyTorch (a ZIP archive): it is damaged, or "
            "something else"
        ) from None
    if any(name.startswith("code/") for name in names):
        raise ConversionError(f"{path} is TorchScript, which litert-torch does not take. {_EXPORT}")
    if "data.pkl" in names:
        raise ConversionError(_not_a_graph(path))
    code = [name for name in names if name.startswith(_CODE)]
    if code:
        raise ConversionError(
            f"{path} holds code or pickled objects ({code[0]}), which could do anything when they "
            f"are read: it is refused. {_EXPORT}"
        )


def _members(path: Path) -> list[str]:
    """What is in the archive, without the folder that all of it is in."""
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
    if min((part.header_offset for part in parts), default=1):  # of an archive in the archive
        raise zipfile.BadZipFile("cut short")
    return [part.filename.partition("/")[2] for part in parts]


def _not_a_graph(path: Path) -> str:
    return (
        f"{path} is a pickle (of torch.save): it holds weights, not what to compute with them, and "
        f"reading it could run any code. {_EXPORT}"
    )


@contextlib.contextmanager
def _only_weights() -> Iterator[None]:
    """Forbid PyTorch to unpickle anything but tensors, which it falls back to by itself."""
    before = os.environ.get(_ONLY_WEIGHTS)
    os.environ[_ONLY_WEIGHTS] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_ONLY_WEIGHTS]
        else:
            os.environ[_ONLY_WEIGHTS] = before


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
            f"{path} takes inputs by keyword ({', '.join(program.example_inputs[1])}): export it "
            "with all of them in args"
        )
