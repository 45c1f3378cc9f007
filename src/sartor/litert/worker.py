"""The process that tries models; `sartor.litert.trial` starts it."""

from __future__ import annotations

import os
import sys
from typing import Any, BinaryIO

import numpy as np

from ..errors import SartorError
from .files import read_model
from .interpreter import create_interpreter

__all__ = ["main"]

_RUNS = 2  # a second call reads the state and the sizes that the first one left
_MAX_ELEMENTS = 1 << 28


def main() -> None:
    """Try models from stdin until it ends, and write a reply for each to stdout.

    A model and a reply are bytes, after their number in 8 bytes. A reply is an error message, or
    empty.
    """
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # LiteRT writes to stdout, too
    while (header := sys.stdin.buffer.read(8)) and len(header) == 8:
        reply = _try(_read(sys.stdin.buffer, int.from_bytes(header, "little"))).encode()
        replies.write(len(reply).to_bytes(8, "little") + reply)
        replies.flush()


def _read(stream: BinaryIO, size: int) -> bytes:
    content = stream.read(size)
    if len(content) < size:
        sys.exit(1)
    return content


def _try(content: bytes) -> str:
    try:
        read_model(content)  # what it refuses cannot be opened
        interpreter = create_interpreter(content)
        random = np.random.default_rng(0)
        for _ in range(_RUNS):
            _run_signatures(interpreter, random)
        _check_state(interpreter, random)
    except (SartorError, RuntimeError, ValueError, MemoryError) as error:
        return str(error) or type(error).__name__
    return ""


def _run_signatures(interpreter: Any, random: np.random.Generator) -> None:
    keys = list(interpreter.get_signature_list())
    for key in keys:
        runner = interpreter.get_signature_runner(key)
        details = runner.get_input_details()
        runner(**{name: _value(detail, random) for name, detail in details.items()})
    if not keys:
        for detail in interpreter.get_input_details():
            interpreter.set_tensor(detail["index"], _value(detail, random))
        interpreter.invoke()


def _check_state(interpreter: Any, random: np.random.Generator) -> None:
    """Raise ValueError if `infer` returns other features for an input after another input."""
    if "infer" not in interpreter.get_signature_list():
        return
    infer = interpreter.get_signature_runner("infer")
    details = infer.get_input_details()
    first = {name: _value(detail, random) for name, detail in details.items()}
    other = {name: _value(detail, random, 1) for name, detail in details.items()}
    before, _, after = infer(**first), infer(**other), infer(**first)
    if not all(np.array_equal(before[name], after[name], equal_nan=True) for name in before):
        raise ValueError(
            "the features of an input depend on the inputs before it: the base keeps state between "
            "calls, or computes with random numbers"
        )


def _value(detail: dict[str, Any], random: np.random.Generator, integer: int = 0) -> np.ndarray:
    """Return random numbers 0…1 for a float input, and one integer for another."""
    shape, dtype = tuple(detail["shape"]), np.dtype(detail["dtype"])
    if np.prod(shape, dtype=np.int64) > _MAX_ELEMENTS:
        raise ValueError(f"an input has shape {list(shape)}")
    if dtype.kind == "f":
        return random.random(shape).astype(dtype)
    return np.full(shape, integer, dtype)
