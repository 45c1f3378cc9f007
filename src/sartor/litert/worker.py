"""The process that tries models; `sartor.litert.trial` starts it."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

import numpy as np

from ..errors import SartorError
from .interpreter import create_interpreter
from .shapes import compute_shapes

__all__ = ["main"]

_LONGEST = 150  # seconds of a task; by then nobody waits for the reply
_RUNS = 2  # a second call reads the state and the sizes that the first one left
_MAX_ELEMENTS = 1 << 28
_TOLERANCE = 0.01  # of the largest value: quantized models round to one of 255


def main() -> None:
    """Do the tasks from stdin until it ends, and write a reply for each to stdout.

    A request is the name of a task and its models: `try` with a model and a reference, which is
    empty if there is none (see `try_model`); or `shapes` with a model. A reply is JSON: a list of
    an error message, or an empty text, and the result. Each is sent as bytes, after their number
    in 8 bytes.
    """
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # LiteRT writes to stdout, too
    while True:
        task, count = _TASKS[_read(sys.stdin.buffer).decode()]
        models = [_read(sys.stdin.buffer) for _ in range(count)]
        _limit_time(_LONGEST)
        reply = json.dumps(_run(task, models)).encode()
        _limit_time(0)
        replies.write(len(reply).to_bytes(8, "little") + reply)
        replies.flush()


def _limit_time(seconds: int) -> None:
    """End this process after a time, also within LiteRT; 0 for no limit.

    The other process ends this one earlier, unless it was killed.
    """
    if hasattr(signal, "alarm"):  # not on Windows
        signal.alarm(seconds)


def _read(stream: BinaryIO) -> bytes:
    """Return a part of a request; exit at the end of the stream."""
    header = stream.read(8)
    size = int.from_bytes(header, "little")
    content = stream.read(size) if len(header) == 8 else b""
    if len(header) < 8 or len(content) < size:
        sys.exit(0)
    return content


def _run(task: Callable[..., object], models: list[bytes]) -> tuple[str, object]:
    try:
        return "", task(*models)
    except (SartorError, RuntimeError, ValueError, MemoryError) as error:
        return str(error).rstrip(".") or type(error).__name__, None


def _try(content: bytes, reference: bytes) -> None:
    interpreter = create_interpreter(content)
    random = np.random.default_rng(0)
    for run in range(_RUNS):
        _run_signatures(interpreter, random, is_fresh=run == 0)
    _check_state(interpreter, random)
    if reference:
        _compare(create_interpreter(content), create_interpreter(reference), random)


def _compute_shapes(content: bytes) -> list[list[tuple[int, tuple[int, ...]]]]:
    return [list(graph.items()) for graph in compute_shapes(content)]


_TASKS: Mapping[str, tuple[Callable[..., object], int]] = {
    "try": (_try, 2),
    "shapes": (_compute_shapes, 1),
}
"""Name of a task → function, and number of its models."""


def _run_signatures(interpreter: Any, random: np.random.Generator, *, is_fresh: bool) -> None:
    keys = list(interpreter.get_signature_list())
    for key in keys:
        runner = interpreter.get_signature_runner(key)
        details = runner.get_input_details()
        outputs = runner(**{name: _value(detail, random) for name, detail in details.items()})
        if key == "infer" and is_fresh:
            _check_finite(outputs)
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


def _compare(interpreter: Any, reference: Any, random: np.random.Generator) -> None:
    """Raise ValueError unless both return the same outputs for the first sample of a batch."""
    inputs = zip(interpreter.get_input_details(), reference.get_input_details(), strict=True)
    for detail, batch in inputs:
        sample, samples = _value(detail, random), _value(batch, random)
        samples.reshape(-1)[: sample.size] = sample.reshape(-1)
        interpreter.set_tensor(detail["index"], sample)
        reference.set_tensor(batch["index"], samples)
    expected_shapes = [tuple(detail["shape"]) for detail in interpreter.get_output_details()]
    interpreter.invoke()
    reference.invoke()
    outputs = zip(interpreter.get_output_details(), reference.get_output_details(), strict=True)
    for (detail, batch), shape in zip(outputs, expected_shapes, strict=True):
        actual = interpreter.get_tensor(detail["index"])
        first = reference.get_tensor(batch["index"]).reshape(-1)[: actual.size].astype(np.float64)
        if actual.shape != shape or first.size < actual.size:
            raise ValueError(f"an output has shape {list(actual.shape)}, expected {list(shape)}")
        limit = _TOLERANCE * float(np.abs(first).max(initial=0))
        if not np.allclose(actual.reshape(-1), first, rtol=0, atol=limit, equal_nan=True):
            raise ValueError("its features depend on the other samples of the batch")


def _check_finite(outputs: dict[str, np.ndarray]) -> None:
    for name, array in outputs.items():
        if not np.isfinite(array).all():
            raise ValueError(f"the output {name} has values that are not finite")


def _value(detail: dict[str, Any], random: np.random.Generator, integer: int = 0) -> np.ndarray:
    """Return random numbers 0…1 for a float input, and one integer for another."""
    shape, dtype = tuple(detail["shape"]), np.dtype(detail["dtype"])
    if np.prod(shape, dtype=np.int64) > _MAX_ELEMENTS:
        raise ValueError(f"an input has shape {list(shape)}")
    if dtype.kind == "f":
        return random.random(shape).astype(dtype)
    return np.full(shape, integer, dtype)
