"""PyTorch modules and exported programs as bases, by way of litert-torch."""

from __future__ import annotations

import contextlib
import inspect
import io
import logging
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._tensorflow import quiet
from ..errors import ConversionError
from ..flatbuffer import read, write
from ..graph import Model
from .exported_program import input_names, is_batch_free, load_program, program_inputs, short

__all__ = ["PyTorch"]

_INSTALL = "pip install 'sartor[torch]'"
_PICTURE_CHANNELS = (1, 3)
_NO_LOWERING = re.compile(r"Lowering not found: ([\w.:]+)")
_EXECUTED = re.compile(r"target=torch\.ops\.([\w.]+)")
_LINE = re.compile(r'File "([^"]+)", line (\d+), in (\w+)')
_NO_KERNEL = re.compile(r"opcode '(\w+)'")


@dataclass(frozen=True, eq=False)
class PyTorch:
    """A module of PyTorch, or a program that it exported; needs `pip install 'sartor[torch]'`.

    It is converted as it is for inference, in float32, with batch 1. An input [N, C, H, W] of 1 or
    3 channels is a picture, and comes as [1, H, W, C] in the file; all others keep their layout.
    Inputs are called as in `forward`. The module is left as it was, its mode included.

    Attributes:
        source: a `torch.nn.Module`, or the path of a program that `torch.export.save` has written
            (`.pt2`). Like any such file, open only one from someone you trust.
        example_inputs: what `forward` takes: a tensor, or one for each input, batch first. Their
            shapes and types are those of the base, their values do not matter. A program brings
            its own; give others where its sizes are free and should be other ones.
    """

    source: Any
    example_inputs: Any = None

    def content(self) -> bytes:
        """The bytes of the float `.tflite`; raises as `load` does."""
        return write(self.load())

    def load(self) -> Model:
        """Let litert-torch make a float `.tflite` of it, and read that.

        Raises:
            ConversionError: litert-torch is not installed, the file is no exported program, the
                inputs are not the module's, or it has an op that LiteRT has not; the message names
                the op and where it stands.
            OSError: the file is not there.
        """
        is_path = isinstance(self.source, str | os.PathLike)
        what = str(self.source) if is_path else type(self.source).__name__
        torch, litert_torch = _frameworks(what)
        with _silent():
            if is_path:
                program = load_program(torch, Path(self.source))
                inputs = program_inputs(program, self.example_inputs, what)
                module, names = program.module(), input_names(program)
                free = is_batch_free(program)
            else:
                module, inputs = self.source, self.example_inputs
                names, free = _parameters(torch, module), True
            inputs = _checked(torch, inputs, what)
            inputs = _first_rows(inputs) if free else inputs
            with _for_inference(module), torch.no_grad():
                _try(module, inputs, what)
                content = _convert(litert_torch, module, inputs, what)
        return _named(read(content), names)


def _frameworks(what: str) -> tuple[Any, Any]:
    """The modules torch and litert_torch."""
    try:
        with _silent():
            import litert_torch
            import torch
    except ImportError as error:
        raise ConversionError(
            f"{what} is converted by PyTorch and litert-torch, which are not installed "
            f"({error}): {_INSTALL}"
        ) from error
    return torch, litert_torch


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Keep off what litert-torch tells of its progress; errors come as exceptions."""
    before = logging.root.manager.disable
    nowhere = io.StringIO()
    logging.disable(logging.WARNING)
    try:
        with quiet(), contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            yield
    finally:
        logging.disable(before)


def _parameters(torch: Any, module: Any) -> list[str]:
    """What `forward` calls its inputs."""
    if not isinstance(module, torch.nn.Module) or isinstance(module, torch.jit.ScriptModule):
        raise ConversionError(
            "PyTorch takes a torch.nn.Module, or the path of a program that torch.export.save has "
            f"written; got {type(module).__name__}"
        )
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(module.forward).parameters.values()
    return [each.name for each in parameters if each.kind in kinds]


def _checked(torch: Any, inputs: Any, what: str) -> tuple[Any, ...]:
    """The example inputs as a tuple of tensors with a batch axis."""
    given = tuple(inputs) if isinstance(inputs, Sequence) else (inputs,)
    if not given or not all(isinstance(each, torch.Tensor) and each.ndim for each in given):
        got = ", ".join(type(each).__name__ for each in given) or "none"
        raise ConversionError(
            f"{what} needs example_inputs: a tensor, or one for each input of forward, batch "
            f"first, as torch.zeros(1, 3, 224, 224); got {got}"
        )
    return given


def _first_rows(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Batch 1, where all agree on what a batch is."""
    return (
        tuple(each[:1] for each in inputs) if len({len(each) for each in inputs}) == 1 else inputs
    )


@contextlib.contextmanager
def _for_inference(module: Any) -> Iterator[None]:
    """Let a module be in evaluation mode meanwhile; a program is what it was exported as."""
    modes = [(part, part.training) for part in module.modules()]
    for part, _ in modes:
        part.training = False
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode


def _try(module: Any, inputs: tuple[Any, ...], what: str) -> None:
    try:
        module(*inputs)
    except Exception as error:  # whatever the user's code raises
        shapes = ", ".join(f"{each.dtype} {list(each.shape)}" for each in inputs)
        raise ConversionError(f"{what} cannot be run on {shapes}: {short(error)}") from error


def _convert(litert_torch: Any, module: Any, inputs: tuple[Any, ...], what: str) -> bytes:
    """The bytes of a file that LiteRT has been seen to run."""
    pictures = [
        index
        for index, each in enumerate(inputs)
        if each.ndim == 4 and each.shape[1] in _PICTURE_CHANNELS and each.is_floating_point()
    ]
    turned = litert_torch.to_channel_last_io(module, args=pictures)
    turned.training = False
    fed = tuple(
        each.permute(0, 2, 3, 1) if index in pictures else each for index, each in enumerate(inputs)
    )
    try:
        made = litert_torch.convert(turned, fed)
        content: bytes = made.model_content()
    except Exception as error:  # of many kinds: PyTorch's, MLIR's, JAX's
        raise ConversionError(_why(error, what)) from error
    try:
        made(*(_narrow(each.numpy()) for each in fed))
    except Exception as error:
        op = _NO_KERNEL.search(str(error))
        missing = f"{op[1]}, which it has not" if op else short(error)
        raise ConversionError(f"LiteRT cannot run what becomes of {what}: {missing}") from error
    return content


def _narrow(value: Any) -> Any:
    """A value in the type that the file takes: 64 bits become 32."""
    return value.astype({"int64": "int32", "float64": "float32"}.get(value.dtype.name, value.dtype))


def _why(error: Exception, what: str) -> str:
    text = str(error)
    op = _NO_LOWERING.search(text) or _EXECUTED.search(text)
    if op is None:
        return f"litert-torch cannot convert {what}: {short(error)}"
    lines = _LINE.findall(text)
    where = f" ({Path(lines[-1][0]).name}, line {lines[-1][1]}, in {lines[-1][2]})" if lines else ""
    return (
        f"litert-torch cannot convert {op[1]} of {what}{where}: put other ops in its place, or "
        "give a module that ends before it"
    )


def _named(model: Model, names: Sequence[str]) -> Model:
    """Call the inputs as PyTorch does."""
    for signature in model.signatures:
        given = sorted(signature.inputs, key=lambda key: int(key.rpartition("_")[2]))  # args_10
        tensors = [signature.inputs[key] for key in given]
        signature.inputs = dict(zip(names, tensors, strict=False))
        for name, tensor in signature.inputs.items():
            tensor.name = name
    return model
