"""One file in LiteRT: its signatures, called with what they take and with nothing else."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from ...contract.manifest import Manifest
from ...contract.names import RUN
from ...contract.signatures import TensorSpec
from ...errors import DataError, InvalidModelError, SartorError
from .logs import silence_logs

__all__ = ["Engine"]

_ONE = np.ones(1, np.float32)
_Arrays: TypeAlias = "dict[str, tuple[tuple[int, ...], np.dtype[Any]]]"
"""Name → shape and type."""


class Engine:
    """One interpreter behind a lock.

    LiteRT has no lock of its own, and takes wrong shapes without a word. So one call runs at a
    time, and names, types and shapes are checked before LiteRT sees them. Two engines on one file
    share nothing: weights go from one to the other by `state` and `restore`.

    Attributes:
        lock: hold it, and no other thread's call comes between several of yours.

    Args:
        path: a file that `sartor.runtime.litert.files.open_model` has checked.
        manifest: what it says of itself.
        threads: that one call may use.

    Raises:
        InvalidModelError: LiteRT refuses the file.
    """

    def __init__(self, path: Path, manifest: Manifest, *, threads: int = 1) -> None:
        signatures = manifest.signatures()
        self._inputs = {key: _arrays(inputs) for key, (inputs, _) in signatures.items()}
        self._outputs = {key: _arrays(outputs) for key, (_, outputs) in signatures.items()}
        self.lock = threading.RLock()
        self._path = path
        self._runners: dict[str, Any] | None = self._create(threads)

    def _create(self, threads: int) -> dict[str, Any]:
        from ai_edge_litert.interpreter import Interpreter  # takes longer than the rest of Sartor

        try:
            with silence_logs():
                interpreter = Interpreter(model_path=str(self._path), num_threads=threads)
                interpreter.allocate_tensors()  # else it speaks at the first call
                return {key: interpreter.get_signature_runner(key) for key in self._inputs}
        except (RuntimeError, ValueError) as error:
            raise InvalidModelError(f"{self._path}: LiteRT refuses it: {error}") from error

    def run(self, key: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Call a signature.

        Args:
            key: one of `contract.SIGNATURES`.
            inputs: name → array, of exactly the shapes and types of the contract.

        Returns:
            Name → array; the caller's own copies.

        Raises:
            DataError: an input is missing, not known, or of another shape or type.
            SartorError: the engine is closed, or LiteRT fails.
            InvalidModelError: LiteRT gives other arrays than the file promises.
        """
        _check(key, self._inputs[key], inputs)
        with self.lock:
            if self._runners is None:
                raise SartorError("the model is closed: open it again with PersonalModel(path)")
            try:
                outputs: dict[str, np.ndarray] = self._runners[key](**inputs)
            except (RuntimeError, ValueError) as error:
                raise SartorError(f"{self._path}: LiteRT failed in {key}: {error}") from error
        if _arrays(outputs) != self._outputs[key]:
            raise InvalidModelError(
                f"{self._path} is damaged: {key} gives {_words(_arrays(outputs))}, and is to give "
                f"{_words(self._outputs[key])}. Convert the base again, or take another copy."
            )
        return outputs

    def state(self) -> dict[str, np.ndarray]:
        """Every variable: name → float32 array."""
        return self.run("save", {RUN: _ONE})

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Set every variable; raises DataError when one is missing or does not fit."""
        self.run("restore", state)

    def initial_state(self) -> dict[str, np.ndarray]:
        """Every variable as the file brings it; the present values stay."""
        with self.lock:
            present = self.state()
            self.run("initialize", {RUN: _ONE})
            try:
                return self.state()
            finally:
                self.restore(present)

    def close(self) -> None:
        """Give the memory back; every later call is refused."""
        with self.lock:
            self._runners = None


def _arrays(of: Mapping[str, np.ndarray] | Mapping[str, TensorSpec]) -> _Arrays:
    return {name: (each.shape, np.dtype(each.dtype)) for name, each in of.items()}


def _words(arrays: _Arrays) -> str:
    return ", ".join(f"{name} {dtype} {list(shape)}" for name, (shape, dtype) in arrays.items())


def _check(key: str, wanted: _Arrays, inputs: Mapping[str, np.ndarray]) -> None:
    if inputs.keys() != wanted.keys():
        raise DataError(f"{key} takes {', '.join(wanted)}; got {', '.join(inputs) or 'nothing'}")
    for name, (shape, dtype) in wanted.items():
        array = inputs[name]
        if array.shape != shape or array.dtype != dtype:
            raise DataError(
                f"{key}: {name} must be {dtype} {list(shape)}, "
                f"got {array.dtype} {list(array.shape)}"
            )
