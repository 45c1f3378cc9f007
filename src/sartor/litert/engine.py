"""Call the signatures of a personalizable file: one at a time, with checked inputs."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from ..contract.manifest import Manifest
from ..contract.names import RUN
from ..contract.signatures import TensorSpec
from ..errors import DataError, InvalidModelError, SartorError
from ..flatbuffer import load_file
from .interpreter import create_interpreter
from .signature import Signature, signature_call

__all__ = ["Engine"]

_ONE = np.ones(1, np.float32)
_Specs: TypeAlias = "dict[str, tuple[tuple[int, ...], np.dtype[Any]]]"
"""Name → shape and dtype."""


class Engine:
    """One interpreter behind a lock.

    The interpreter uses bytes in memory. LiteRT would map a file that is given as a path: if
    another program truncates or overwrites it, the process ends, or the outputs change.

    LiteRT has no lock of its own and does not check the shapes of its inputs. The engine runs one
    call at a time and checks names, dtypes and shapes first. Two engines on one file share
    nothing: `variables` and `restore` copy the weights from one to the other.

    Attributes:
        content: content of the file.
        lock: hold it to keep other threads out between several calls.

    Args:
        path: a file that `sartor.litert.files.open_model` has checked.
        manifest: the manifest of the file.
        threads: number of threads of one call. Default: 1.
        content: content of the file. Default: read from the path.

    Raises:
        InvalidModelError: If LiteRT cannot load the file.
    """

    def __init__(
        self, path: Path, manifest: Manifest, *, threads: int = 1, content: bytes | None = None
    ) -> None:
        signatures = manifest.signatures()
        self._inputs = {key: _specs(inputs) for key, (inputs, _) in signatures.items()}
        self._outputs = {key: _specs(outputs) for key, (_, outputs) in signatures.items()}
        self.lock = threading.RLock()
        self._path = path
        self._manifest = manifest
        self.content = load_file(path) if content is None else content
        self._calls: dict[str, Signature] | None = self._create_calls(threads)

    def copy(self, *, threads: int = 1) -> Engine:
        """Return another engine on the same content, with the initial values of the variables."""
        return Engine(self._path, self._manifest, threads=threads, content=self.content)

    def _create_calls(self, threads: int) -> dict[str, Signature]:
        try:
            interpreter = create_interpreter(self.content, threads=threads)
            return {key: signature_call(interpreter, key) for key in self._inputs}
        except (InvalidModelError, ValueError) as error:
            raise InvalidModelError(f"{self._path}: {error}") from error

    def run(self, key: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Call a signature.

        Args:
            key: one of `contract.names.SIGNATURES`.
            inputs: name → array, with the shapes and dtypes of the contract.

        Returns:
            Name → array. The arrays are copies.

        Raises:
            DataError: If an input is missing, unknown, or has another shape or dtype.
            SartorError: If the engine is closed, or LiteRT fails.
            InvalidModelError: If an output has another shape or dtype than the manifest states.
        """
        _check_inputs(key, self._inputs[key], inputs)
        with self.lock:
            if self._calls is None:
                raise SartorError("the model is closed: open it again with PersonalModel(path)")
            try:
                outputs = self._calls[key](inputs)
            except (RuntimeError, ValueError) as error:
                raise SartorError(f"{self._path}: LiteRT failed in {key}: {error}") from error
        if not _fit(outputs, self._outputs[key]):
            raise InvalidModelError(
                f"{self._path} is damaged: {key} returned {_format_specs(_specs(outputs))}, "
                f"expected {_format_specs(self._outputs[key])}. Convert the base again, or use "
                "another copy."
            )
        return outputs

    def variables(self) -> dict[str, np.ndarray]:
        """Return the value of each variable: name → float32 array."""
        return self.run("save", {RUN: _ONE})

    def restore(self, variables: Mapping[str, np.ndarray]) -> None:
        """Set every variable; raise DataError if one is missing or does not fit."""
        self.run("restore", variables)

    def initial_variables(self) -> dict[str, np.ndarray]:
        """Return the initial value of each variable; the current values do not change."""
        with self.lock:
            current = self.variables()
            self.run("initialize", {RUN: _ONE})
            try:
                return self.variables()
            finally:
                self.restore(current)

    def close(self) -> None:
        """Release the memory. Later calls raise SartorError."""
        with self.lock:
            self._calls = None


def _specs(tensors: Mapping[str, np.ndarray] | Mapping[str, TensorSpec]) -> _Specs:
    return {name: (each.shape, np.dtype(each.dtype)) for name, each in tensors.items()}


def _format_specs(specs: _Specs) -> str:
    return ", ".join(f"{name} {dtype} {list(shape)}" for name, (shape, dtype) in specs.items())


def _fit(arrays: Mapping[str, np.ndarray], specs: _Specs) -> bool:
    """Return whether arrays have these names, shapes and dtypes."""
    if arrays.keys() != specs.keys():
        return False
    for name, (shape, dtype) in specs.items():
        array = arrays[name]
        if array.shape != shape or array.dtype != dtype:
            return False
    return True


def _check_inputs(key: str, expected: _Specs, inputs: Mapping[str, np.ndarray]) -> None:
    if _fit(inputs, expected):
        return
    if inputs.keys() != expected.keys():
        raise DataError(f"{key} takes {', '.join(expected)}; got {', '.join(inputs) or 'nothing'}")
    for name, (shape, dtype) in expected.items():
        array = inputs[name]
        if array.shape != shape or array.dtype != dtype:
            raise DataError(
                f"{key}: {name} must be {dtype} {list(shape)}, "
                f"got {array.dtype} {list(array.shape)}"
            )
