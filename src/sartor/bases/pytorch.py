"""PyTorch modules and exported programs as bases, converted by litert-torch."""

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

from ..errors import ConversionError
from ..flatbuffer import read, write
from ..graph import Model
from ._tensorflow import quiet
from .exported_program import input_names, is_batch_free, load_program, program_inputs, shorten

__all__ = ["PyTorch"]

_INSTALL = "pip install 'sartor[torch]'"
_IMAGE_CHANNELS = (1, 3)
_NO_LOWERING = re.compile(r"Lowering not found: ([\w.:]+)")
_EXECUTED = re.compile(r"target=torch\.ops\.([\w.]+)")
_LINE = re.compile(r'File "([^"]+)", line (\d+), in (\w+)')
_NO_KERNEL = re.compile(r"opcode '(\w+)'")


@dataclass(frozen=True, eq=False)
class PyTorch:
    """A PyTorch module or exported program; needs `pip install 'sartor[torch]'`.

    It is converted for inference, in float32, with batch 1. An input [N, C, H, W] with 1 or 3
    channels is an image and becomes [1, H, W, C]. Other inputs keep their layout. The names of the
    inputs are those of `forward`. The module does not change.

    Attributes:
        source: a `torch.nn.Module`, or the path of a file of `torch.export.save` (`.pt2`). Open
            only files from a source that you trust.
        example_inputs: arguments of `forward`: a tensor, or one tensor per input, batch first.
            They determine shapes and dtypes; their values do not matter. Default for a program:
            the inputs that it was exported with.
    """

    source: Any
    example_inputs: Any = None

    def content(self) -> bytes:
        """Return the float `.tflite` as bytes; raise the errors of `load`."""
        return write(self.load())

    def load(self) -> Model:
        """Convert the module and return its graph.

        Raises:
            ConversionError: If litert-torch is not installed, the file is not an exported program,
                the inputs do not fit the module, or LiteRT does not support an op. The message
                names the op and its place in the code.
            OSError: If the file does not exist.
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
            inputs = _check_inputs(torch, inputs, what)
            inputs = _first_rows(inputs) if free else inputs
            with _evaluation_mode(module), torch.no_grad():
                _run_once(module, inputs, what)
                content = _convert(litert_torch, module, inputs, what)
        return _rename_inputs(read(content), names)


def _frameworks(what: str) -> tuple[Any, Any]:
    """Import and return the modules torch and litert_torch."""
    try:
        with _silent():
            import litert_torch
            import torch
    except ImportError as error:
        raise ConversionError(
            f"{what} needs PyTorch and litert-torch, which are not installed ({error}): {_INSTALL}"
        ) from error
    return torch, litert_torch


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Suppress the log messages and progress output of litert-torch."""
    before = logging.root.manager.disable
    nowhere = io.StringIO()
    logging.disable(logging.WARNING)
    try:
        with quiet(), contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            yield
    finally:
        logging.disable(before)


def _parameters(torch: Any, module: Any) -> list[str]:
    """Return the names of the parameters of `forward`."""
    if not isinstance(module, torch.nn.Module) or isinstance(module, torch.jit.ScriptModule):
        raise ConversionError(
            "PyTorch takes a torch.nn.Module, or the path of a file of torch.export.save; got "
            f"{type(module).__name__}"
        )
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(module.forward).parameters.values()
    return [each.name for each in parameters if each.kind in kinds]


def _check_inputs(torch: Any, inputs: Any, what: str) -> tuple[Any, ...]:
    """Return the example inputs as a tuple of tensors with a batch axis."""
    tensors = tuple(inputs) if isinstance(inputs, Sequence) else (inputs,)
    if not tensors or not all(isinstance(each, torch.Tensor) and each.ndim for each in tensors):
        got = ", ".join(type(each).__name__ for each in tensors) or "none"
        raise ConversionError(
            f"{what} needs example_inputs: a tensor, or one tensor per input of forward, batch "
            f"first, such as torch.zeros(1, 3, 224, 224); got {got}"
        )
    return tensors


def _first_rows(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Reduce the batch to 1 if all inputs have the same batch."""
    return (
        tuple(each[:1] for each in inputs) if len({len(each) for each in inputs}) == 1 else inputs
    )


@contextlib.contextmanager
def _evaluation_mode(module: Any) -> Iterator[None]:
    """Set a module and its parts to evaluation mode while the block runs."""
    modes = [(part, part.training) for part in module.modules()]
    for part, _ in modes:
        part.training = False
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode


def _run_once(module: Any, inputs: tuple[Any, ...], what: str) -> None:
    try:
        module(*inputs)
    except Exception as error:  # the user's code can raise anything
        shapes = ", ".join(f"{each.dtype} {list(each.shape)}" for each in inputs)
        raise ConversionError(f"{what} cannot be run on {shapes}: {shorten(error)}") from error


def _convert(litert_torch: Any, module: Any, inputs: tuple[Any, ...], what: str) -> bytes:
    """Convert the module, run the file once in LiteRT, and return its content."""
    images = [
        index
        for index, each in enumerate(inputs)
        if each.ndim == 4 and each.shape[1] in _IMAGE_CHANNELS and each.is_floating_point()
    ]
    channels_last = litert_torch.to_channel_last_io(module, args=images)
    channels_last.training = False
    inputs = tuple(
        each.permute(0, 2, 3, 1) if index in images else each for index, each in enumerate(inputs)
    )
    try:
        converted = litert_torch.convert(channels_last, inputs)
        content: bytes = converted.model_content()
    except Exception as error:  # PyTorch, MLIR and JAX raise many types
        raise ConversionError(_explain(error, what)) from error
    try:
        converted(*(_to_32_bits(each.numpy()) for each in inputs))
    except Exception as error:
        op = _NO_KERNEL.search(str(error))
        reason = f"it has no kernel for {op[1]}" if op else shorten(error)
        raise ConversionError(f"LiteRT cannot run the converted {what}: {reason}") from error
    return content


def _to_32_bits(value: Any) -> Any:
    """Convert 64-bit values to 32 bits, as the file requires."""
    return value.astype({"int64": "int32", "float64": "float32"}.get(value.dtype.name, value.dtype))


def _explain(error: Exception, what: str) -> str:
    text = str(error)
    op = _NO_LOWERING.search(text) or _EXECUTED.search(text)
    if op is None:
        return f"litert-torch cannot convert {what}: {shorten(error)}"
    lines = _LINE.findall(text)
    where = f" ({Path(lines[-1][0]).name}, line {lines[-1][1]}, in {lines[-1][2]})" if lines else ""
    return (
        f"litert-torch cannot convert {op[1]} of {what}{where}: replace the op, or use a module "
        "that ends before it"
    )


def _rename_inputs(model: Model, names: Sequence[str]) -> Model:
    """Give the inputs their names in PyTorch."""
    for signature in model.signatures:
        keys = sorted(signature.inputs, key=lambda key: int(key.rpartition("_")[2]))  # args_10
        tensors = [signature.inputs[key] for key in keys]
        signature.inputs = dict(zip(names, tensors, strict=False))
        for name, tensor in signature.inputs.items():
            tensor.name = name
    return model
