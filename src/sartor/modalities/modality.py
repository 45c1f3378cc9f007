"""The interface of a modality: everything that depends on the modality of an input."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from ..contract.manifest import InputSpec

__all__ = ["LoadedInput", "Modality"]


class LoadedInput(Protocol):
    """The value of one input, read once and decoded at most once."""

    def array(self) -> np.ndarray:
        """Return the array that the base takes, of the shape and dtype of its spec.

        Raises:
            DataError: If the value cannot be decoded or does not fit the input.
        """

    def augmented(self, number: int, draws: Iterator[int]) -> np.ndarray:
        """Return the array of one augmentation.

        Args:
            number: number of the augmentation, from 1.
            draws: four random numbers 0…65535. Every input of a sample gets the same ones.

        Raises:
            DataError: If the value cannot be augmented.
        """

    def digest(self) -> bytes:
        """Return the SHA-256 of the content."""

    def stored_bytes(self) -> bytes:
        """Return the bytes from which `load_stored` creates the same array again."""

    def thumbnail(self) -> bytes | None:
        """Return a small PNG for people to look at; None if the modality has none."""


class Modality(Protocol):
    """The treatment of the inputs of one modality, from the user's value to the base's array.

    Attributes:
        name: value of `InputSpec.modality`.
        suffixes: file suffixes of samples, such as `.jpg`.
        reads_files: whether the bytes of a file identify a sample, whatever the input is called;
            otherwise its values do.
        has_normalization: whether `mean` and `std` of a float input have a meaning.
    """

    name: str
    suffixes: frozenset[str]
    reads_files: bool
    has_normalization: bool

    def load(self, spec: InputSpec, value: Any) -> LoadedInput:
        """Read a value; it is decoded when first needed.

        Raises:
            OSError: If a file does not exist or cannot be read.
        """

    def expects(self, spec: InputSpec) -> str:
        """Return what the input takes, for messages: "input takes a path, …"."""

    def check(self, spec: InputSpec) -> str | None:
        """Return why a spec is inconsistent; None if it is consistent."""

    def is_normalized(self, spec: InputSpec) -> bool:
        """Return whether `mean` and `std` of the spec apply."""

    def value_range(self, spec: InputSpec) -> tuple[float, float] | None:
        """Return the smallest and largest value of a normalized input; None for other inputs."""

    def per_tensor_range(self, spec: InputSpec) -> tuple[float, float] | None:
        """Return `value_range` if one scale and zero point express it exactly; else None."""

    def compact(self, spec: InputSpec, value: Any) -> np.ndarray:
        """Return a small array from which `load` creates the input, float or quantized.

        Args:
            spec: spec of the input.
            value: what `load` takes, or an array without the batch dimension.

        Raises:
            DataError: If the value does not fit the input.
            OSError: If a file does not exist or cannot be read.
        """
